package mknod

import "testing"

// TestFormats holds device numbers against mknod(8) and the systems' makedev macros.
func TestFormats(t *testing.T) {
	for _, c := range []struct {
		format string
		in     []uint64
		want   uint64
		err    error
	}{
		{"netbsd", []uint64{2, 2}, 0x202, nil},
		{"native", []uint64{0xfff, 0xfffff}, 0xffffffff, nil},
		{"native", []uint64{3, 0x12345}, 0x12300345, nil},
		{"native", []uint64{0x1000, 0}, 0, errMajor},
		{"native", []uint64{0, 0x100000}, 0, errMinor},
		{"native", []uint64{1, 2, 3}, 0, errFields},
		{"linux", []uint64{8, 1}, 0x801, nil},
		{"linux", []uint64{8, 256}, 0, errMinor},
		{"freebsd", []uint64{4, 0x10002}, 0x10402, nil},
		{"freebsd", []uint64{4, 0x100}, 0, errMinor},
		{"freebsd", []uint64{256, 0}, 0, errMajor},
		{"hpux", []uint64{1, 2}, 0x01000002, nil},
		{"osf1", []uint64{1, 2}, 0x00100002, nil},
		{"solaris", []uint64{1, 2}, 0x00040002, nil},
		{"solaris", []uint64{1 << 14, 2}, 0, errMajor},
		{"bsdos", []uint64{1, 2}, 0x00100002, nil},
		{"bsdos", []uint64{1, 2, 3}, 0x00100203, nil},
		{"bsdos", []uint64{1, 1 << 12, 3}, 0, errUnit},
		{"bsdos", []uint64{1, 2, 256}, 0, errSubunit},
	} {
		got, err := formatOf(c.format)(c.in)
		if got != c.want || err != c.err {
			t.Errorf("%s %v: %#x, %v; want %#x, %v", c.format, c.in, got, err, c.want, c.err)
		}
	}
	for _, name := range []string{"native", "386bsd", "4bsd", "bsdos", "freebsd", "hpux", "isc", "linux", "netbsd", "osf1",
		"sco", "solaris", "sunos", "svr3", "svr4", "ultrix"} {
		if formatOf(name) == nil {
			t.Errorf("no format %s", name)
		}
	}
	if formatOf("none") != nil {
		t.Error("a format that is none")
	}
}
