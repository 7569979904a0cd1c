package passwd

import "testing"

// TestParse holds the reading of a file against passwd(5) and group(5).
func TestParse(t *testing.T) {
	tab := parse("root:*:0:0:Charlie &:/root:/bin/sh\ntoor:*:0:0::/root:/bin/sh\n# comment:x:1:\nbad:*:x:1:\n" +
		"short:*:3\njoe:*:1000:100::/home/joe:\nroot:*:7:7:::\n5:*:1005:1:::\n")
	for id, want := range map[uint32]string{0: "root", 1000: "joe", 3: "3", 4294967295: "4294967295"} {
		if got := tab.name(id); got != want {
			t.Errorf("name of %d: %q, want %q", id, got, want)
		}
	}
	for _, c := range []struct {
		s    string
		want uint32
		ok   bool
	}{{"root", 0, true}, {"toor", 0, true}, {"5", 1005, true}, {"6", 6, true}, {"short", 0, false}, {"-1", 0, false}, {"", 0, false}} {
		if got, ok := tab.id(c.s); got != c.want || ok != c.ok {
			t.Errorf("id of %q: %d, %v; want %d, %v", c.s, got, ok, c.want, c.ok)
		}
	}
}

// TestParseID holds the operands of chown(8) against its manual page.
func TestParseID(t *testing.T) {
	tab := parse("joe:*:1000:100::/home/joe:\n5:*:1005:1:::\n#7:*:8:1:::\n")
	for _, c := range []struct {
		s    string
		want uint32
		ok   bool
	}{{"joe", 1000, true}, {"5", 1005, true}, {"#5", 5, true}, {"#7", 7, true}, {"6", 6, true}, {"#joe", 0, false}, {"#", 0, false},
		{"#4294967296", 4294967295, false}} {
		if got, ok := parseID(c.s, tab.id); got != c.want || ok != c.ok {
			t.Errorf("%q: %d, %v; want %d, %v", c.s, got, ok, c.want, c.ok)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("root:*:0:0:Charlie &:/root:/bin/sh\n")
	f.Fuzz(func(t *testing.T, text string) {
		tab := parse(text)
		for id, name := range tab.names {
			if name == "" {
				t.Fatalf("%q: %d has an empty name", text, id)
			}
		}
	})
}
