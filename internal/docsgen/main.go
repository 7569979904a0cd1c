// Command docsgen writes the pages of docs/ that are generated from the registries: utilities.md from the
// utilities' own option tables, components.md from the components', syscalls.md from the rows of the system call
// table. With -check it writes nothing and exits 1 when a page is not what it would write.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

// page is a generated file and what makes its text.
type page struct {
	file  string
	write func(b *bytes.Buffer) error
}

var pages = []page{
	{"utilities.md", writeUtilities},
	{"components.md", writeComponents},
	{"syscalls.md", writeSyscalls},
}

func main() {
	check := flag.Bool("check", false, "compare instead of writing")
	dir := flag.String("dir", "docs", "where the pages are")
	flag.Parse()
	status := 0
	for _, p := range pages {
		if err := p.update(*dir, *check); err != nil {
			fmt.Fprintln(os.Stderr, "docsgen:", err)
			status = 1
		}
	}
	os.Exit(status)
}

func (p *page) update(dir string, check bool) error {
	var b bytes.Buffer
	if err := p.write(&b); err != nil {
		return fmt.Errorf("%s: %w", p.file, err)
	}
	path := filepath.Join(dir, p.file)
	if !check {
		return os.WriteFile(path, b.Bytes(), 0o644)
	}
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !bytes.Equal(old, b.Bytes()) {
		return fmt.Errorf("%s is not up to date: run go run ./internal/docsgen", path)
	}
	return nil
}
