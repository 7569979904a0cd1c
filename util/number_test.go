package util

import (
	"math"
	"testing"
)

// TestParseNumber holds numbers and messages against dd(1) and strsuftoll(3).
func TestParseNumber(t *testing.T) {
	for _, c := range []struct {
		in   string
		want int64
		err  string
	}{
		{"0", 0, ""},
		{"7", 7, ""},
		{" +7", 7, ""},
		{"2b", 1024, ""},
		{"1k", 1 << 10, ""},
		{"3m", 3 << 20, ""},
		{"1g", 1 << 30, ""},
		{"1t", 1 << 40, ""},
		{"5w", 20, ""},
		{"2x3", 6, ""},
		{"2kx3*4b", 2 << 10 * 3 * 2048, ""},
		{"0x10", 0, ""},
		{"", 0, "size `': illegal number"},
		{"k", 0, "size `k': illegal number"},
		{"1kk", 0, "size `1kk': illegal number"},
		{"1K", 0, "size `1K': illegal number"},
		{"x2", 0, "size `x2': illegal number"},
		{"2x", 0, "size `2x': illegal number"},
		{"2xx3", 0, "size `2xx3': illegal number"},
		{"1_0", 0, "size `1_0': illegal number"},
		{"-1", 0, "size -1 is less than 0."},
		{"9000000000000000000", 0, "size 9000000000000000000 is greater than 4611686018427387904."},
		{"9999999999999999999", 0, "size: Result too large or too small"},
		{"9000000t", 0, "size: Result too large or too small"},
		{"4tx4t", 0, "size: Result too large or too small"},
		{"1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1", 0, "size: Recursion limit exceeded"},
	} {
		got, err := ParseNumber("size", c.in, 0, 1<<62)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if text != c.err || err == nil && got != c.want {
			t.Errorf("%q: %d, %q; want %d, %q", c.in, got, text, c.want, c.err)
		}
	}
}

func FuzzParseNumber(f *testing.F) {
	f.Add("2kx3*4b")
	f.Add("-9223372036854775808x-1")
	f.Fuzz(func(t *testing.T, s string) {
		if n, err := ParseNumber("size", s, 1, 100); err == nil && (n < 1 || n > 100) {
			t.Fatalf("%q is %d", s, n)
		}
	})
}

// TestDehumanize holds numbers against dehumanize_number(3).
func TestDehumanize(t *testing.T) {
	for _, c := range []struct {
		in   string
		want int64
		ok   bool
	}{
		{"0", 0, true}, {"12", 12, true}, {"12b", 12, true}, {"1k", 1 << 10, true}, {"2M", 2 << 20, true}, {"3g", 3 << 30, true},
		{"1T", 1 << 40, true}, {"1p", 1 << 50, true}, {"7E", 7 << 60, true}, {"8E", 0, false}, {"-8E", math.MinInt64, true},
		{"-9e", 0, false}, {" 5", 5, true}, {"", 0, false}, {"k", 0, false}, {"1kb", 0, false}, {"1x", 0, false},
		{"99999999999999999999", 0, false},
	} {
		if got, ok := Dehumanize(c.in); ok != c.ok || ok && got != c.want {
			t.Errorf("%q: %d, %v; want %d, %v", c.in, got, ok, c.want, c.ok)
		}
	}
}

func FuzzDehumanize(f *testing.F) {
	f.Add("20M")
	f.Fuzz(func(t *testing.T, s string) {
		if n, ok := Dehumanize(s); !ok && n != 0 {
			t.Fatalf("%q is no number, but %d", s, n)
		}
	})
}

// TestDev holds device numbers against makedev(3): 12 bits of major below the upper 12 of the 20 of minor.
func TestDev(t *testing.T) {
	for _, c := range []struct {
		major, minor uint32
		want         uint64
	}{{2, 2, 0x202}, {197, 1, 0xc501}, {0xfff, 0xfffff, 0xffffffff}, {1, 0x12345, 0x12300145}} {
		dev := Makedev(c.major, c.minor)
		if dev != c.want || Major(dev) != c.major || Minor(dev) != c.minor {
			t.Errorf("%d, %d: %#x, %d, %d; want %#x", c.major, c.minor, dev, Major(dev), Minor(dev), c.want)
		}
	}
}
