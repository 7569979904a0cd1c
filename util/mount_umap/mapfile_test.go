package mount_umap

import "testing"

// FuzzMapFile checks that any text gives a map of at most the allowed size, or a message.
func FuzzMapFile(f *testing.F) {
	for _, s := range []string{"0", "1\n1 2\n", "2\n1 2\n3", "1\nx y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := parseMap("/m", text, 64)
		if err == nil && len(m) > 64 || err != nil && m != nil || len(m.encode()) != 16*len(m) {
			t.Errorf("%d entries, %v", len(m), err)
		}
	})
}
