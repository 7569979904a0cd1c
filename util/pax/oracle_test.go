package pax_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// oracle returns the path of a GNU program of the host, or skips the test and says so.
func oracle(t *testing.T, name string) string {
	t.Helper()
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		path := filepath.Join(dir, name)
		out, err := exec.Command(path, "--version").Output()
		if err == nil && strings.Contains(string(out), "GNU") {
			return path
		}
	}
	t.Skipf("NOT COMPARED: there is no GNU %s on this host", name)
	return ""
}

// host runs a program of the host in a directory, with standard input, and returns what it prints.
func host(t *testing.T, dir string, stdin []byte, path string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(stdin)
	cmd.Env = []string{"LC_ALL=C", "TZ=UTC"}
	var out, msg bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &msg
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %q: %v\n%s", path, args, err, msg.String())
	}
	return out.Bytes()
}

// run runs a utility that is to succeed, and returns what it writes to standard output.
func run(t *testing.T, k *utiltest.Kernel, stdin []byte, args ...string) []byte {
	t.Helper()
	var out, msg bytes.Buffer
	if status := k.RunStreams(t.Context(), struct{ *bytes.Buffer }{bytes.NewBuffer(stdin)}, &out, &msg, args...); status != 0 {
		t.Fatalf("%q: %s[%d]", args, msg.String(), status)
	}
	return out.Bytes()
}

// tree makes a tree of files in the kernel: /src of boot, with a long name, hard links, an empty file and a large one.
func tree(t *testing.T) (k *utiltest.Kernel, big string) {
	t.Helper()
	k = boot(t)
	big = strings.Repeat("0123456789abcdef", 40_000)
	long := strings.Repeat("n", 60)
	k.Check([]utiltest.Step{
		{Cmd: "mkdir -p /src/" + long + "/" + long},
		{Cmd: "dd of=/src/" + long + "/" + long + "/f msgfmt=quiet", In: "deep\n"},
		{Cmd: "dd of=/src/big obs=64k msgfmt=quiet", In: big},
		{Cmd: "dd of=/src/empty msgfmt=quiet"},
		{Cmd: "ln /src/one /src/sub/hard"},
	})
	return k, big
}

// checkHost compares what a program of the host made of an archive of tree.
func checkHost(t *testing.T, dir, big string) {
	t.Helper()
	long := strings.Repeat("n", 60)
	for name, want := range map[string]string{
		"src/one": "one\n", "src/sub/two": "two\n", "src/sub/hard": "one\n", "src/big": big, "src/empty": "", "src/link": "one\n",
		filepath.Join("src", long, long, "f"): "deep\n",
	} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || string(got) != want {
			t.Errorf("%s: %d bytes, want %d; %v", name, len(got), len(want), err)
		}
	}
	one, err1 := os.Stat(filepath.Join(dir, "src/one"))
	two, err2 := os.Stat(filepath.Join(dir, "src/sub/hard"))
	if err1 != nil || err2 != nil || !os.SameFile(one, two) {
		t.Errorf("src/one and src/sub/hard are not one file: %v, %v", err1, err2)
	}
}

// TestGNUTar has GNU tar read what pax and tar write, and the other way round.
func TestGNUTar(t *testing.T) {
	gnu := oracle(t, "tar")
	for _, args := range [][]string{
		{"pax", "-w", "/src"}, {"pax", "-wz", "/src"}, {"tar", "cf", "-", "-C", "/", "src"}, {"pax", "-w", "-b", "512", "/src"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			k, big := tree(t)
			dir := t.TempDir()
			flags := "xf"
			if args[1] == "-wz" {
				flags = "xzf"
			}
			host(t, dir, run(t, k, nil, args...), gnu, flags, "-")
			checkHost(t, dir, big)
			for _, format := range []string{"gnu", "ustar", "pax", "posix", "v7", "oldgnu"} {
				if format == "v7" && os.RemoveAll(filepath.Join(dir, "src", strings.Repeat("n", 60))) != nil {
					t.Fatal("cannot remove what v7 has no room for")
				}
				arch := host(t, dir, nil, gnu, "-c", "-f", "-", "--format="+format, "src")
				run(t, k, arch, "pax", "-r", "-s", ",^src,/dst/"+format+",")
				for name, want := range map[string]string{"one": "one\n", "sub/two": "two\n", "sub/hard": "one\n", "big": big, "empty": "", "link": "one\n"} {
					if got := run(t, k, nil, "cat", "/dst/"+format+"/"+name); string(got) != want {
						t.Errorf("%s: %s: %d bytes, want %d", format, name, len(got), len(want))
					}
				}
			}
		})
	}
}

// TestGNUCpio has GNU cpio read what pax and cpio write, and the other way round.
func TestGNUCpio(t *testing.T) {
	gnu := oracle(t, "cpio")
	for ours, theirs := range map[string]string{"bcpio": "bin", "cpio": "odc", "sv4cpio": "newc", "sv4crc": "crc"} {
		t.Run(ours, func(t *testing.T) {
			k, big := tree(t)
			dir := t.TempDir()
			host(t, dir, run(t, k, nil, "pax", "-w", "-x", ours, "/src"), gnu, "-i", "-d", "--quiet")
			checkHost(t, dir, big)
			names := host(t, dir, nil, oracle(t, "find"), "src")
			arch := host(t, dir, names, gnu, "-o", "--quiet", "-H", theirs)
			run(t, k, arch, "pax", "-r", "-s", ",^src,/dst/in,")
			for name, want := range map[string]string{"one": "one\n", "sub/two": "two\n", "sub/hard": "one\n", "big": big, "empty": "", "link": "one\n"} {
				if got := run(t, k, nil, "cat", "/dst/in/"+name); string(got) != want {
					t.Errorf("%s: %d bytes, want %d", name, len(got), len(want))
				}
			}
			list := strings.Fields(string(run(t, k, arch, "cpio", "-it")))
			if want := strings.Fields(string(names)); !slices.Equal(slices.Sorted(slices.Values(list)), slices.Sorted(slices.Values(want))) {
				t.Errorf("listed %q, want %q", list, want)
			}
		})
	}
}

// TestSparse reads GNU tar's files with holes, in each of its ways.
func TestSparse(t *testing.T) {
	gnu := oracle(t, "tar")
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "holes"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("end"), 1<<20); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	want := strings.Repeat("\x00", 1<<20) + "end"
	for _, args := range [][]string{{"--format=gnu"}, {"--format=posix", "--sparse-version=0.1"}, {"--format=posix", "--sparse-version=1.0"}} {
		k := boot(t)
		arch := host(t, dir, nil, gnu, append(args, "-S", "-c", "-f", "-", "holes")...)
		if len(arch) > 1<<19 {
			t.Fatalf("%q: the archive has %d bytes, not sparse", args, len(arch))
		}
		run(t, k, arch, "tar", "xf", "-", "-C", "/dst")
		if got := run(t, k, nil, "cat", "/dst/holes"); string(got) != want {
			t.Errorf("%q: %d bytes, want %d", args, len(got), len(want))
		}
	}
}
