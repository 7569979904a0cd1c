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

// envPeer makes the test binary the other process: a kind of peers and, after a space, where it is to be. It serves until its
// standard input ends.
const envPeer = "RUMPCTRL_BENCH_PEER"

// peers are the kinds of other processes. Each serves where it is told and returns where it is to be found.
var peers = map[string]func(where string) (found string, err error){
	"kernel":     serveKernel,
	"echo":       serveEcho,
	"net-kernel": serveNetKernel,
	"discard":    serveDiscard,
	"host-tcp":   serveHostTCP,
	"host-udp":   serveHostUDP,
}

func TestMain(m *testing.M) {
	kind, where, isPeer := strings.Cut(os.Getenv(envPeer), " ")
	if !isPeer {
		os.Exit(m.Run())
	}
	found, err := peers[kind](where)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("ready", found)
	io.Copy(io.Discard, os.Stdin)
}

func serveKernel(url string) (string, error) {
	k, err := rump.New(rump.Config{Components: []string{"rumpvfs", "rumpfs_tmpfs"}})
	if err != nil {
		return "", err
	}
	if err := k.Boot(); err != nil {
		return "", err
	}
	_, err = k.Listen(url)
	return url, err
}

// serveEcho sends back what comes, with one Read and one Write each: what any Go program would do.
func serveEcho(path string) (string, error) {
	l, err := net.Listen("unix", path)
	if err != nil {
		return "", err
	}
	go accept(l, echo)
	return path, nil
}

// accept has f serve each connection in a goroutine of its own.
func accept(l net.Listener, f func(net.Conn)) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go f(c)
	}
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

// peer starts a process that serves at a socket, and returns the socket's path.
func peer(b *testing.B, kind string) string {
	b.Helper()
	path := filepath.Join(tempDir(b), "s")
	where := path
	if kind == "kernel" {
		where = "unix://" + path
	}
	startPeer(b, kind, where)
	return path
}

// tempDir is a directory whose path is short enough for sockets.
func tempDir(b *testing.B) string {
	b.Helper()
	dir, err := os.MkdirTemp("", "bench")
	check(b, err)
	b.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// startPeer starts a process of a kind, and returns where it is to be found and its number.
func startPeer(b *testing.B, kind, where string) (found string, pid int) {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), envPeer+"="+kind+" "+where)
	stdin, err := cmd.StdinPipe()
	check(b, err)
	stdout, err := cmd.StdoutPipe()
	check(b, err)
	check(b, cmd.Start())
	b.Cleanup(func() {
		stdin.Close()
		cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	found, ok := strings.CutPrefix(line, "ready ")
	if !ok {
		b.Fatalf("the other process says %q, %v", line, err)
	}
	return strings.TrimSpace(found), cmd.Process.Pid
}
