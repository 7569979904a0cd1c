package dd

import (
	"strings"
	"testing"
)

// convert runs blocks through the converter of some operands.
func convert(t *testing.T, operands string, blocks ...string) (string, counts) {
	t.Helper()
	o, err := parseOperands(strings.Fields(operands))
	if err != nil {
		t.Fatalf("%s: %v", operands, err)
	}
	var st counts
	c := o.newConverter(&st)
	var out []byte
	for _, b := range blocks {
		block := []byte(b)
		if o.conv&convSwab != 0 && swapBytes(block) {
			st.odd++
		}
		out = c.convert(out, block)
	}
	return string(c.close(out)), st
}

// TestConvert holds the conversions against dd(1) and, for swab, transcript core-08.
func TestConvert(t *testing.T) {
	for _, c := range []struct {
		operands string
		in       []string
		want     string
		trunc    uint64
	}{
		{"", []string{"ab", "c"}, "abc", 0},
		{"conv=ucase", []string{"a\tzZ1", "\xe9"}, "A\tZZ1\xe9", 0},
		{"conv=lcase", []string{"AzZ["}, "azz[", 0},
		{"conv=swab", []string{"one\n\n\n\ttab\nlast"}, "no\ne\n\nt\tbal\nsat", 0},
		{"conv=block cbs=4", []string{"ab\ncdef\n"}, "ab  cdef", 0},
		{"conv=block cbs=4", []string{"a", "b\nc", "d\n"}, "ab  cd  ", 0},
		{"conv=block cbs=3", []string{"abcdef\ngh\n"}, "abcgh ", 1},
		{"conv=block cbs=3", []string{"abc", "d", "e\nf\n"}, "abcf  ", 1},
		{"conv=block cbs=3", []string{"abc", "\n"}, "abc", 0},
		{"conv=block cbs=3", []string{"\n\n"}, "      ", 0},
		{"conv=block cbs=3", []string{"ab"}, "ab ", 1},
		{"conv=block cbs=3", []string{"abcd"}, "abc", 1},
		{"conv=unblock cbs=4", []string{"ab  cdef"}, "ab\ncdef\n", 0},
		{"conv=unblock cbs=4", []string{"a", "b  ", "    x"}, "ab\n\nx\n", 0},
		{"conv=block,ucase cbs=3", []string{"a\n"}, "A  ", 0},
		{"conv=ebcdic", []string{"A1 a"}, "\xc1\xf1\x40\x81", 0},
		{"conv=ebcdic cbs=3", []string{"A\n"}, "\xc1\x40\x40", 0},
		{"conv=ascii cbs=3", []string{"\xc1\x40\x40"}, "A\n", 0},
		{"conv=ascii", []string{"\xc1\x81"}, "Aa", 0},
		{"conv=ucase,ebcdic", []string{"ab"}, "\xc1\xc2", 0},
		{"conv=ascii,lcase", []string{"\xc1\xc2"}, "ab", 0},
		{"conv=ibm", []string{"[]"}, "\xad\xbd", 0},
		{"conv=oldibm", []string{"A"}, "\xc1", 0},
	} {
		got, st := convert(t, c.operands, c.in...)
		if got != c.want || st.truncated != c.trunc {
			t.Errorf("dd %s of %q: %q, %d truncated; want %q, %d", c.operands, c.in, got, st.truncated, c.want, c.trunc)
		}
	}
}

// TestShortRecord holds a last record that is too short against dd(1): it becomes a line, with a warning.
func TestShortRecord(t *testing.T) {
	got, st := convert(t, "conv=unblock cbs=4", "ab  c")
	if got != "ab\nc\n" || !st.short {
		t.Errorf("%q, short %v", got, st.short)
	}
}

// TestCharsets checks that each character set to ASCII is the inverse of that to EBCDIC, and a few entries of the
// table in POSIX (dd).
func TestCharsets(t *testing.T) {
	for _, p := range []struct{ to, from string }{{ebcdic, ascii}, {oldebcdic, oldascii}} {
		for i := range 256 {
			if got := p.from[p.to[i]]; got != byte(i) {
				t.Errorf("byte %#x comes back as %#x", i, got)
			}
		}
	}
	for _, set := range []string{ascii, ebcdic, ibm, oldascii, oldebcdic, oldibm} {
		if len(set) != 256 {
			t.Errorf("a set has %d characters", len(set))
		}
	}
	for _, c := range []struct {
		set  string
		b    byte
		want byte
	}{{ebcdic, '\n', 0x25}, {ebcdic, ' ', 0x40}, {ebcdic, '0', 0xf0}, {ebcdic, 'z', 0xa9}, {ibm, '!', 0x5a}} {
		if got := c.set[c.b]; got != c.want {
			t.Errorf("%q is %#x, want %#x", c.b, got, c.want)
		}
	}
}

// FuzzBlock checks that block and unblock bring lines back, whatever the input blocks are.
func FuzzBlock(f *testing.F) {
	f.Add("one\ntwo\n", 3, 5)
	f.Add("\n\nlast", 1, 1)
	f.Fuzz(func(t *testing.T, text string, size, cbs int) {
		if size < 1 || cbs < 1 || cbs > 1<<10 || len(text) > 1<<10 {
			return
		}
		var st counts
		b, u := newBlocker(cbs, nil, &st), &unblocker{cbs: cbs, st: &st}
		var records, out []byte
		for in := []byte(text); len(in) > 0; {
			n := min(size, len(in))
			records = b.convert(records, in[:n])
			in = in[n:]
		}
		records = b.close(records)
		if len(records)%cbs != 0 {
			t.Fatalf("%d bytes are no records of %d", len(records), cbs)
		}
		out = u.close(u.convert(out, records))
		want := lines(text, cbs)
		if string(out) != want || st.short {
			t.Fatalf("%q in records of %d came back as %q, want %q", text, cbs, out, want)
		}
	})
}

// lines is text with lines cut to a length and without spaces at their ends.
func lines(text string, cbs int) string {
	if text == "" {
		return ""
	}
	var b strings.Builder
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		b.WriteString(strings.TrimRight(line[:min(len(line), cbs)], " ") + "\n")
	}
	return b.String()
}
