package sysproxy

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// envChild makes the test binary a server: "toy URL", "toy0.4 URL" or
// "echo PATH"; or a client that inherits its connection: "inherit".
const envChild = "SYSPROXY_TEST_CHILD"

func TestMain(m *testing.M) {
	if what := os.Getenv(envChild); what != "" {
		child(what)
		return
	}
	os.Exit(m.Run())
}

// child serves until its standard input ends.
func child(what string) {
	kind, where, _ := strings.Cut(what, " ")
	var err error
	switch kind {
	case "inherit":
		inheritor()
	case "echo":
		err = serveEcho(where)
	default:
		err = serveToy(where, kind == "toy0.4")
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

func serveToy(url string, old bool) error {
	k := newToyKernel()
	srv, err := NewServer(k, ServerConfig{NoPrefetch: old, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		return err
	}
	l, err := Listen(url)
	if err != nil {
		return err
	}
	go srv.Serve(l)
	return nil
}

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
			go func() {
				b := make([]byte, 128<<10)
				for {
					n, err := c.Read(b)
					if err != nil {
						return
					}
					c.Write(b[:n])
				}
			}()
		}
	}()
	return nil
}

// startChild starts the test binary as a server and waits until it is ready.
func startChild(t testing.TB, what string) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), envChild+"="+what)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	b := make([]byte, 100)
	n, err := out.Read(b)
	if err != nil || string(b[:n]) != "ready\n" {
		t.Fatalf("child: %q, %v", b[:n], err)
	}
}

// inheritor is what the test binary does when it was executed with a
// connection: it makes a call and tells what it found.
func inheritor() {
	c, err := FromEnviron(context.Background(), os.Getenv, "inheritor")
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	pid := c.NewCall(sysGetpid)
	name := make([]byte, 20)
	call := c.NewCall(sysName)
	call.Args(call.Out(name), 20)
	if err := c.Do(pid); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	if err := c.Do(call); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Printf("%d %s %q", pid.Ret[0], name[:call.Ret[0]], c.Banner())
	os.Exit(0)
}
