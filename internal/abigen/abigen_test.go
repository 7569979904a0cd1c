package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const dataFile = "../../abi/netbsd-amd64.json"

func generate(t *testing.T) []File {
	t.Helper()
	src, err := Load(dataFile)
	if err != nil {
		t.Fatal(err)
	}
	files, err := Generate(src)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestUpToDate: the files in package abi are what the generator makes of the
// data there, each time the same.
func TestUpToDate(t *testing.T) {
	files := generate(t)
	var out bytes.Buffer
	if err := Check("../../abi", files, &out); err != nil {
		t.Errorf("%v\n%s", err, &out)
	}
	for i, again := range generate(t) {
		if again.Name != files[i].Name || !bytes.Equal(again.Text, files[i].Text) {
			t.Errorf("%s differs from one run to the next", again.Name)
		}
	}
}

// TestRun goes the way of go generate: write, check, change, check.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	if err := run([]string{"-data", dataFile, "-out", dir}, io.Discard); err != nil {
		t.Fatal(err)
	}
	check := func() (string, error) {
		var out bytes.Buffer
		err := run([]string{"-data", dataFile, "-out", dir, "-check"}, &out)
		return out.String(), err
	}
	if out, err := check(); err != nil || out != "" {
		t.Fatalf("fresh files: %v, %q", err, out)
	}
	name := filepath.Join(dir, "zerrno.go")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "zioctl.go")); err != nil {
		t.Fatal(err)
	}
	out, err := check()
	if err == nil || out != "zerrno.go is not up to date\nzioctl.go is not up to date\n" {
		t.Errorf("stale files: %v, %q", err, out)
	}
	if _, err := os.Stat(filepath.Join(dir, "zioctl.go")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("-check wrote a file")
	}
}

func TestRunErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	write("extra.json", "{}")
	write("structs.txt", "struct nothing\n")
	empty := write("empty.json", "{}")
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"-data", filepath.Join(dir, "absent.json")}, "absent.json"},
		{[]string{"-data", write("bad.json", `{"consts":{"A":1.5}}`)}, "bad.json"},
		{[]string{"-data", write("odd.json", `{"constants":{}}`)}, "unknown field"},
		{[]string{"-data", empty}, "BYTE_ORDER"},
		{[]string{"-data", empty, "x"}, `unexpected argument "x"`},
		{[]string{"-nope"}, "-nope"},
	} {
		if err := run(tc.args, io.Discard); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q: %v, want %s", tc.args, err, tc.want)
		}
	}
	var usage bytes.Buffer
	if err := run([]string{"-h"}, &usage); err != nil || !strings.Contains(usage.String(), "-check") {
		t.Errorf("-h: %v, %q", err, &usage)
	}
}

func TestParseSelections(t *testing.T) {
	got, err := parseSelections([]byte("# comment\n\nstruct stat\n  fsid_t # one\nstruct a_s=A\n"))
	want := []Selection{{"struct stat", ""}, {"fsid_t", ""}, {"struct a_s", "A"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"struct stat =", "= Stat", "ok\n="} {
		if _, err := parseSelections([]byte(bad)); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

// TestNames: the rules for Go names that the package documentation promises.
func TestNames(t *testing.T) {
	all := map[string]int64{"S_IFDIR": 1, "_S_IFDIR": 1, "_PC_NAME_MAX": 4, "pseudo_AF": 1}
	for c, want := range map[string]string{
		"S_IFDIR": "S_IFDIR", "_S_IFDIR": "X_S_IFDIR", "_PC_NAME_MAX": "PC_NAME_MAX", "pseudo_AF": "X_pseudo_AF",
	} {
		if got := constName(c, all); got != want {
			t.Errorf("%s: %s, want %s", c, got, want)
		}
	}
	for c, want := range map[string]string{
		"struct stat": "Stat", "struct sockaddr_in6": "SockaddrIn6", "fsid_t": "Fsid", "struct fd_set": "FdSet",
		"union sigval": "Sigval", "struct icmp6_hdr": "Icmp6Hdr",
	} {
		if got := typeName(c); got != want {
			t.Errorf("%s: %s, want %s", c, got, want)
		}
	}
	for _, tc := range []struct{ members, prefix, names string }{
		{"st_dev st_ino", "st_", "Dev Ino"},
		{"sysctl_flags __rsvd _sysctl_size", "sysctl_", "Flags Rsvd Size"},
		{"__fsid_val", "fsid_", "Val"},
		{"fspec _pad1", "", "Fspec Pad1"},
		{"qc_op u", "", "QcOp U"},
		{"ip_v ifa_x", "", "IpV IfaX"},
		{"x_1 x_a", "x_", "X1 A"},
	} {
		var members []*member
		for n := range strings.FieldsSeq(tc.members) {
			members = append(members, &member{name: n})
		}
		prefix := commonPrefix(members)
		var names []string
		for _, m := range members {
			names = append(names, fieldName(m.name, prefix))
		}
		if prefix != tc.prefix || strings.Join(names, " ") != tc.names {
			t.Errorf("%s: %q, %s, want %q, %s", tc.members, prefix, names, tc.prefix, tc.names)
		}
	}
}

// TestIsIoctl: only a name of the right kind with a possible number is one.
// Oracle: ioctl(9).
func TestIsIoctl(t *testing.T) {
	x := Extra{IoctlPrefixes: []string{"TIOC"}}
	for _, tc := range []struct {
		name string
		v    int64
		want bool
	}{
		{"TIOCGETA", 0x402c7413, true},
		{"TIOCEXCL", 0x2000740d, true},
		{"TIOCSWINSZ", 0x80087467, true},
		{"TIOCBOTH", 0xc0087467, true},
		{"TIOCM_CAR", 0x40, false},         // no direction
		{"TIOCVOIDLEN", 0x2008740d, false}, // void with a length
		{"TIOCALL", 0xe008740d, false},     // void and in and out
		{"TIOCGROUP", 0x40080167, false},   // group is no letter
		{"TIOCNEG", -1, false},
		{"TIOCBIG", 0x1402c7413, false},
		{"NOTE_FORK", 0x402c7413, false},
	} {
		if got := x.isIoctl(tc.name, tc.v); got != tc.want {
			t.Errorf("%s %#x: %t", tc.name, tc.v, got)
		}
	}
}

func TestArguments(t *testing.T) {
	for _, tc := range []struct{ decl, ctype, name, kind string }{
		{"int fd", "int", "fd", "ArgInt"},
		{"const char *path", "const char *", "path", "ArgString"},
		{"const char *msg_ptr", "const char *", "msg_ptr", "ArgPtr"},
		{"char * const *argp", "char * const *", "argp", "ArgPtr"},
		{"struct aiocb *const *list", "struct aiocb *const *", "list", "ArgPtr"},
		{"... mode_t mode", "mode_t", "mode", "ArgMode"},
		{"int PAD", "int", "PAD", "ArgPad"},
		{"unsigned int flags", "unsigned int", "flags", "ArgUint"},
	} {
		ctype, name, err := splitArg(tc.decl)
		if err != nil || ctype != tc.ctype || name != tc.name {
			t.Errorf("%s: %q %q %v", tc.decl, ctype, name, err)
		}
		if kind, err := argKind(ctype, name); err != nil || kind != tc.kind {
			t.Errorf("%s: %s %v, want %s", tc.decl, kind, err, tc.kind)
		}
	}
	if _, err := argKind("double", "x"); err == nil {
		t.Error("double: no error")
	}
	for _, bad := range []string{"", "int", "char *"} {
		if _, _, err := splitArg(bad); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

// TestConflicts: data that contradicts itself is refused.
func TestConflicts(t *testing.T) {
	for _, tc := range []struct {
		name string
		src  Source
		want string
	}{
		{"value", Source{Facts: Facts{Consts: map[string]int64{"A": 1}}, Extra: Extra{Consts: map[string]Constant{"A": {Value: 2}}}}, "both"},
		{"call number", Source{Facts: Facts{Consts: map[string]int64{"SYS_a": 1, "SYS_b": 1}}}, "call 1"},
		{"call name", Source{Facts: Facts{Syscalls: []CSyscall{{Num: 3, Name: "read"}}}}, "no SYS_ constant"},
		{"errno", Source{Extra: Extra{Errno: []Text{{"ENOENT", "x"}}}}, "not measured"},
	} {
		_, err := Generate(&tc.src)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %s", tc.name, err, tc.want)
		}
	}
	g := generator{names: map[string]string{}}
	if g.claim("A", "_A") != nil || g.claim("A", "__A") == nil {
		t.Error("a name can be claimed once")
	}
}

// TestExtraStructs: extra.json adds structures, with their source, and changes none.
func TestExtraStructs(t *testing.T) {
	for _, tc := range []struct{ facts, extra, want string }{
		{`{"structs":{}}`, `{"structs":{"struct a":{"size":4,"source":"a.h"}}}`, ""},
		{`{"structs":{}}`, `{"structs":{"struct a":{"size":4}}}`, "no source"},
		{`{"structs":{"struct a":{"size":8}}}`, `{"structs":{"struct a":{"size":4,"source":"a.h"}}}`, "was measured"},
	} {
		dir := t.TempDir()
		for name, text := range map[string]string{"facts.json": tc.facts, "extra.json": tc.extra, "structs.txt": ""} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		src, err := Load(filepath.Join(dir, "facts.json"))
		if tc.want == "" && (err != nil || src.Facts.Structs["struct a"].Size != 4) {
			t.Errorf("%s: %v", tc.extra, err)
		}
		if tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s: %v, want %s", tc.extra, err, tc.want)
		}
	}
}
