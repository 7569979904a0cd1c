//go:build unix

package sysproxy

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
)

// TestExecHost executes a program of the host that goes on as the process.
func TestExecHost(t *testing.T) {
	s := startServer(t, "", ServerConfig{})
	path := strings.TrimPrefix(s.url, "unix://")
	t.Chdir(filepath.Dir(path))
	for _, extra := range []int{0, 3} { // other descriptors before it
		c, err := Dial(context.Background(), "unix://"+filepath.Base(path), "parent")
		if err != nil {
			t.Fatal(err)
		}
		pid, _ := do(t, c, sysGetpid)
		f, env, err := c.ExecFile(3 + extra)
		if err != nil {
			t.Fatal(err)
		}
		want := []string{
			fmt.Sprintf("RUMPCLIENT__EXECFD=%d,-1", 3+extra),
			"RUMP__PARSEDSERVER=" + s.url,
			"RUMPCLIENT__BANNER=" + s.Banner().String(),
		}
		if fmt.Sprint(env) != fmt.Sprint(want) {
			t.Errorf("environment %q, want %q", env, want)
		}
		if err := c.Do(c.NewCall(sysGetpid)); err == nil {
			t.Error("the connection can still be used")
		}
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(exe)
		cmd.Dir = "/"
		cmd.Env = append(append(os.Environ(), env...), envChild+"=inherit x")
		for range extra {
			cmd.ExtraFiles = append(cmd.ExtraFiles, os.Stdin)
		}
		cmd.ExtraFiles = append(cmd.ExtraFiles, f)
		c.Close()
		out, err := cmd.CombinedOutput()
		f.Close()
		if want := fmt.Sprintf("%d inheritor %q", pid, s.Banner()); err != nil || string(out) != want {
			t.Errorf("%v: %s; want %s", err, out, want)
		}
		await(t, "process is gone", func() bool { return s.k.count() == 0 })
	}
}

// TestExecFileBusy: a connection with calls in flight stays.
func TestExecFileBusy(t *testing.T) {
	s := startServer(t, "", ServerConfig{})
	c := dial(t, s)
	p := s.k.find(t.Name())
	result := make(chan abi.Errno)
	go func() {
		_, err := do(t, c, sysBlock)
		result <- err
	}()
	await(t, "it waits", func() bool { return p.waiting.Load() == 1 })
	_, _, err := c.ExecFile(3)
	isErr(t, err, abi.EBUSY)
	do(t, c, sysRelease)
	if err := <-result; err != 0 {
		t.Error(err)
	}
	do(t, c, sysGetpid)
}

// TestBadInheritance: descriptors that are no connection.
func TestBadInheritance(t *testing.T) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, spec := range []string{"x", "-1,-1", "99999,-1", ",", "1000000000000,0"} {
		env := map[string]string{envExecFD: spec, envServer: "unix:///x"}
		if _, err := FromEnviron(context.Background(), func(k string) string { return env[k] }, "x"); err == nil {
			t.Errorf("%q was inherited", spec)
		}
	}
}

func TestFromEnviron(t *testing.T) {
	s := startServer(t, "", ServerConfig{})
	env := map[string]string{}
	get := func(k string) string { return env[k] }
	_, err := FromEnviron(context.Background(), get, "x")
	isErr(t, err, ErrNoServer)
	if err.Error() != "error: RUMP_SERVER not set" { // transcript core-01
		t.Errorf("%v", err)
	}
	env[envServer] = s.url
	c, err := FromEnviron(context.Background(), get, "x")
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	env[envServer], env[envParsed] = "nonsense", s.url
	c, err = FromEnviron(context.Background(), get, "x")
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}
