package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rumpctrl/rumpctrl/client"
)

// TestProgram builds the program, gives it its names and runs each: rump_server(1), rump_wmd(1).
func TestProgram(t *testing.T) {
	dir := t.TempDir()
	server := filepath.Join(dir, "rump_server")
	if out, err := exec.Command("go", "build", "-o", server, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"rump_allserver", "rump_wmd"} {
		if err := os.Symlink("rump_server", filepath.Join(dir, name)); err != nil {
			t.Skip(err)
		}
	}
	out, err := exec.Command(filepath.Join(dir, "rump_wmd"), "-lrumpfs_tmpfs").Output()
	if err != nil || string(out) != "-lrumpvfs -lrumpfs_tmpfs\n" {
		t.Errorf("rump_wmd: %q, %v", out, err)
	}
	for name, args := range map[string][]string{"rump_server": {"-lrumpvfs", "-lrumpfs_tmpfs"}, "rump_allserver": nil} {
		url := "unix://" + filepath.Join(dir, name+".sock")
		if out, err := exec.Command(filepath.Join(dir, name), append(args, url)...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		p, err := client.Dial(context.Background(), url, "test")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := p.WriteFile("/tmp/file", []byte("x"), 0o644); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := p.Sys().Reboot(0, ""); err != nil {
			t.Errorf("%s: halt: %v", name, err)
		}
	}
}
