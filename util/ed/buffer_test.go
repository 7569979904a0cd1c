package ed

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// texts returns the lines of a buffer.
func texts(b *buffer) []string {
	var all []string
	for n := 1; n <= b.last(); n++ {
		all = append(all, b.at(n).text)
	}
	return all
}

// TestBuffer compares a buffer with a slice that goes through the same changes, at random places, and undoes them.
func TestBuffer(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	b := newBuffer(limits{1 << 20, 1 << 20})
	var model []string
	for range 2000 {
		before := slices.Clone(model)
		b.begin(7)
		for range 1 + random.IntN(5) {
			at := random.IntN(len(model) + 1)
			n := random.IntN(len(model) - at + 1)
			var with []*line
			var added []string
			for range random.IntN(12) {
				l := &line{text: string(rune('a' + random.IntN(26)))}
				with, added = append(with, l), append(added, l.text)
			}
			if err := b.replace(at, n, with); err != nil {
				t.Fatal(err)
			}
			model = slices.Replace(model, at, at+n, added...)
			if len(with) > 0 && b.find(with[0]) != at+1 {
				t.Fatalf("line %d is found at %d", at+1, b.find(with[0]))
			}
		}
		if got := texts(b); !slices.Equal(got, model) {
			t.Fatalf("%q, want %q", got, model)
		}
		if current, _, ok := b.undo(9); current != 7 || !ok || !slices.Equal(texts(b), before) {
			t.Fatalf("undone: %q, want %q", texts(b), before)
		}
		if current, _, ok := b.undo(7); current != 9 || !ok || !slices.Equal(texts(b), model) {
			t.Fatalf("done again: %q, want %q", texts(b), model)
		}
	}
	b.forget()
	if size := len(model); b.held != (limits{size, size}) {
		t.Errorf("%v are held, the text has %d lines", b.held, size)
	}
	if err := b.replace(0, len(model), nil); err != nil || b.held != (limits{}) {
		t.Errorf("%v, %v are held of nothing", err, b.held)
	}
}

// TestLimits checks that what does not fit changes nothing.
func TestLimits(t *testing.T) {
	b := newBuffer(limits{lines: 3, bytes: 10})
	three := []*line{{text: "a"}, {text: "b"}, {text: "c"}}
	if err := b.replace(0, 0, three); err != nil {
		t.Fatal(err)
	}
	if err := b.replace(3, 0, three[:1]); err != errSpace {
		t.Errorf("a fourth line: %v", err)
	}
	b.begin(0)
	if err := b.replace(0, 1, nil); err != nil {
		t.Fatal(err)
	}
	if err := b.replace(0, 0, three[:1]); err != errSpace {
		t.Errorf("a fourth line, with the one that can be undone: %v", err)
	}
	b.forget()
	if err := b.replace(0, 0, []*line{{text: "123456789"}}); err != errSpace {
		t.Errorf("an eleventh byte: %v", err)
	}
	if got := texts(b); !slices.Equal(got, []string{"b", "c"}) {
		t.Errorf("%q", got)
	}
}

// TestSplitWords holds the words of a command against the quoting of sh(1).
func TestSplitWords(t *testing.T) {
	for _, c := range []struct {
		in   string
		want []string
		err  error
	}{
		{"  ls  -l\t/x ", []string{"ls", "-l", "/x"}, nil},
		{`echo 'a  b' "c \"d\" \n" e\ f ''`, []string{"echo", "a  b", `c "d" \n`, "e f", ""}, nil},
		{"", nil, nil},
		{"ls | cat", nil, errSyntax},
		{"ls *", nil, errSyntax},
		{`echo "$x"`, nil, errSyntax},
		{"echo '$x'", []string{"echo", "$x"}, nil},
		{"echo 'x", nil, errQuotes},
		{`echo \`, []string{"echo", `\`}, nil},
	} {
		if got, err := splitWords(c.in); !slices.Equal(got, c.want) || err != c.err {
			t.Errorf("%q: %q %v, want %q %v", c.in, got, err, c.want, c.err)
		}
	}
}
