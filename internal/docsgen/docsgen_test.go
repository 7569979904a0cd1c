package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestUpToDate compares the pages with what the registries say now.
func TestUpToDate(t *testing.T) {
	for _, p := range pages {
		if err := p.update(filepath.Join("..", "..", "docs"), true); err != nil {
			t.Error(err)
		}
	}
}

// TestCheckSeesChanges: a page that was edited by hand is refused, and writing mends it.
func TestCheckSeesChanges(t *testing.T) {
	dir := t.TempDir()
	p := page{"page.md", func(b *bytes.Buffer) error { b.WriteString("as generated\n"); return nil }}
	if err := p.update(dir, true); err == nil {
		t.Error("a page that is not there passes")
	}
	if err := p.update(dir, false); err != nil {
		t.Fatal(err)
	}
	if err := p.update(dir, true); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "page.md"), []byte("edited\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := p.update(dir, true); err == nil || !strings.Contains(err.Error(), "not up to date") {
		t.Errorf("an edited page gives %v", err)
	}
}
