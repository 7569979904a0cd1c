package pax_test

import (
	"archive/tar"
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// makeTar makes an archive of headers; regular files have their name as data.
func makeTar(t *testing.T, headers ...tar.Header) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		if h.Typeflag == tar.TypeReg {
			h.Size = int64(len(h.Name))
		}
		h.Mode = 0o644
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(h.Name)[:h.Size]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// odc makes a member of a cpio archive.
func odc(ino, mode, nlink int, name, data string) string {
	return fmt.Sprintf("070707%06o%06o%06o%06o%06o%06o%06o%011o%06o%011o%s\x00%s", 1, ino, mode, 0, 0, nlink, 0, 0, len(name)+1, len(data), name, data)
}

// TestHostile extracts archives that want to write elsewhere: pax(1) takes slashes off and passes over "..".
func TestHostile(t *testing.T) {
	k := boot(t)
	file := func(name string) tar.Header { return tar.Header{Typeflag: tar.TypeReg, Name: name} }
	link := func(name, to string) tar.Header {
		return tar.Header{Typeflag: tar.TypeLink, Name: name, Linkname: to}
	}
	k.Check([]utiltest.Step{
		{Cmd: "tar x -C /dst", In: makeTar(t, file("///abs"), file("../up"), file("a/../../up"), file("a/.."), file("ok..")),
			Out: "tar: Removing leading / from absolute path names in the archive\n" +
				"tar: Ignoring file containing `..' (../up)\ntar: Ignoring file containing `..' (a/../../up)\ntar: Ignoring file containing `..' (a/..)\n"},
		{Cmd: "ls /dst", Out: "abs\nok..\n"},
		{Cmd: "tar x -C /dst", In: makeTar(t, link("x", "../src/one"), link("y", "/src/one")), Status: 1,
			Out: "tar: Ignoring link containing `..' (../src/one)\n" +
				"tar: Removing leading / from absolute path names in the archive\ntar: Cannot link to src/one from y (No such file or directory)\n"},
		{Cmd: "pax -r --insecure -s ,^,/dst/,", In: makeTar(t, file("../in")), Out: removing},
		{Cmd: "cat /in", Out: "../in"},
	})
	trailer := odc(0, 0, 1, "TRAILER!!!", "")
	k.Check([]utiltest.Step{
		{Cmd: "pax -r b", In: odc(7, 0o100644, 2, "src/one", "old") + odc(7, 0o100644, 2, "b", "new") + trailer},
		{Cmd: "cat /b /src/one", Out: "newone\n"},
		{Cmd: "pax", In: odc(1, 0o120777, 1, "l", strings.Repeat("x", 4000)) + trailer, Status: 1, Out: "pax: Invalid header, starting valid header search.\n"},
		{Cmd: "pax", In: odc(1, 0o100644, 1, "cut", "data")[:80], Status: 1, Out: "cut\npax: Premature end of file on archive read\n"},
		{Cmd: "pax", In: odc(1, 0o100644, 1, "no end", ""), Out: "no end\n"},
		{Cmd: "pax", In: makeTar(t, file("a"), file("b"))[:1100], Status: 1, Out: "a\npax: Premature end of file on archive read\n"},
	})
}

// TestSum reads an archive of sv4crc whose data is not that of the sum: cpio(5).
func TestSum(t *testing.T) {
	k := boot(t)
	arch := string(words(t, k, "pax -w -x sv4crc -A /src/one"))
	k.Check([]utiltest.Step{
		{Cmd: "pax -r -s ,/src,/dst,", In: arch, Out: removing},
		{Cmd: "cat /dst/one", Out: "one\n"},
		{Cmd: "rm /dst/one"},
		{Cmd: "pax -r -s ,/src,/dst,", In: strings.Replace(arch, "one\n", "two\n", 1), Status: 1,
			Out: removing + "pax: Actual crc does not match expected crc dst/one\n"},
		{Cmd: "ls /dst"},
	})
}

// TestHoles extracts a file of zeros: it comes out as long as it was, and with fewer blocks.
func TestHoles(t *testing.T) {
	k := boot(t)
	k.Check([]utiltest.Step{
		{Cmd: "dd if=/dev/zero of=/src/big bs=64k count=5 msgfmt=quiet"},
		{Cmd: "dd of=/src/big bs=1 seek=200000 conv=notrunc msgfmt=quiet", In: "middle"},
	})
	arch := words(t, k, "pax -w /src/big")
	run(t, k, arch, "pax", "-r", "-s", ",src,dst,")
	if a, b := run(t, k, nil, "cat", "/src/big"), run(t, k, nil, "cat", "/dst/big"); !bytes.Equal(a, b) || len(a) != 5<<16 {
		t.Errorf("%d bytes came back of %d", len(b), len(a))
	}
}

// words runs a command whose messages do not matter.
func words(t *testing.T, k *utiltest.Kernel, cmd string) []byte {
	t.Helper()
	return run(t, k, nil, utiltest.Words(cmd)...)
}
