package bench

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/rump"
)

// envPeer makes the test binary the other process: "kernel URL" or "echo PATH". It serves until its standard
// input ends.
const envPeer = "RUMPCTRL_BENCH_PEER"

func TestMain(m *testing.M) {
	kind, where, _ := strings.Cut(os.Getenv(envPeer), " ")
	var err error
	switch kind {
	case "":
		os.Exit(m.Run())
	case "kernel":
		err = serveKernel(where)
	case "echo":
		err = serveEcho(where)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
}

func serveKernel(url string) error {
	k, err := rump.New(rump.Config{Components: []string{"rumpvfs", "rumpfs_tmpfs"}})
	if err != nil {
		return err
	}
	if err := k.Boot(); err != nil {
		return err
	}
	_, err = k.Listen(url)
	return err
}

// serveEcho sends back what comes, with one Read and one Write each: what any Go program would do.
func serveEcho(path string) error {
	l, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go echo(c)
		}
	}()
	return nil
}

func echo(c net.Conn) {
	defer c.Close()
	b := make([]byte, 64<<10)
	for {
		n, err := c.Read(b)
		if err != nil {
			return
		}
		if _, err := c.Write(b[:n]); err != nil {
			return
		}
	}
}

// peer starts the other process and returns its socket's path.
func peer(b *testing.B, kind string) string {
	b.Helper()
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(dir, "s")
	where := path
	if kind == "kernel" {
		where = "unix://" + path
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), envPeer+"="+kind+" "+where)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		stdin.Close()
		cmd.Wait()
		os.RemoveAll(dir)
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if line != "ready\n" {
		b.Fatalf("the other process says %q, %v", line, err)
	}
	return path
}
