// Command abigen writes the generated files of package abi from two data
// files: the measured facts of one machine (numbers, structure layouts,
// system calls) and extra.json (texts, and what measuring does not give).
// structs.txt selects the structures.
//
// Everything that depends on the machine comes from its data file: byte
// order and the size of a pointer are derived from the constants and
// structures measured there, so another machine is another -data file.
// abigen is not a C parser and measures nothing itself.
//
// Start reading at [Generate]; layout.go turns C types into Go types and
// codec.go writes the Encode and Decode methods.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "abigen:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("abigen", flag.ContinueOnError)
	data := flags.String("data", "netbsd-amd64.json", "measured facts of the machine; extra.json and structs.txt are beside it")
	out := flags.String("out", "", "folder to write to, that of the data if empty")
	check := flags.Bool("check", false, "write nothing, fail if the files in the folder differ")
	flags.SetOutput(io.Discard)
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		flags.SetOutput(stdout)
		flags.Usage()
		return nil
	} else if err != nil {
		return err
	}
	if flags.NArg() != 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if *out == "" {
		*out = filepath.Dir(*data)
	}
	src, err := Load(*data)
	if err != nil {
		return err
	}
	files, err := Generate(src)
	if err != nil {
		return err
	}
	if *check {
		return Check(*out, files, stdout)
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(*out, f.Name), f.Text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Check compares files with those in folder dir, names each that differs on
// w, and returns an error if any does.
func Check(dir string, files []File, w io.Writer) error {
	var stale []string
	for _, f := range files {
		disk, err := os.ReadFile(filepath.Join(dir, f.Name))
		if err != nil || !bytes.Equal(disk, f.Text) {
			fmt.Fprintf(w, "%s is not up to date\n", f.Name)
			stale = append(stale, f.Name)
		}
	}
	if len(stale) != 0 {
		return fmt.Errorf("%d of %d generated files differ: run go generate ./abi", len(stale), len(files))
	}
	return nil
}

// File is one generated file: its base name and its formatted text.
type File struct {
	Name string
	Text []byte
}

// Generate returns all generated files for src, formatted, in order of name.
// The same source gives the same bytes.
func Generate(src *Source) ([]File, error) {
	g := &generator{src: src, names: map[string]string{}}
	parts := []struct {
		name string
		gen  func() ([]byte, error)
	}{
		{"zioctl.go", g.ioctls},
		{"zerrno.go", g.errnos},
		{"zsyscalls.go", g.syscalls},
		{"zstructs.go", g.structs},
		{"zlayouts_test.go", g.layouts},
		{"zconsts.go", g.consts},
	}
	var files []File
	for _, p := range parts {
		text, err := p.gen()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		files = append(files, File{p.name, text})
	}
	slices.SortFunc(files, func(a, b File) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	return files, nil
}
