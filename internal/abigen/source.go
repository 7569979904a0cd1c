package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Source is all input of the generator.
type Source struct {
	Facts   Facts
	Extra   Extra
	Structs []Selection
}

// Facts is the measured data file of one machine.
type Facts struct {
	OS       string                      `json:"os"`
	Machine  string                      `json:"machine"`
	Consts   map[string]int64            `json:"consts"`
	Enums    map[string]map[string]int64 `json:"enums"`
	Structs  map[string]CStruct          `json:"structs"`
	Syscalls []CSyscall                  `json:"syscalls"`
}

// CStruct is the layout of a C structure or union. Sizes are in bytes.
type CStruct struct {
	Size   int      `json:"size"`
	Kind   string   `json:"kind"`
	Fields []CField `json:"fields"`
}

// CField is one member. A member of an unnamed structure or union has a
// dotted name and follows its parent. Bits is "width@offset" with the offset
// counted from the most significant bit of the storage unit.
type CField struct {
	Name string `json:"name"`
	Off  int    `json:"off"`
	Size int    `json:"size"`
	Type string `json:"type"`
	Bits string `json:"bits"`
}

// CSyscall is one row of the system call table.
type CSyscall struct {
	Num  int      `json:"num"`
	Name string   `json:"name"`
	Ret  string   `json:"ret"`
	Args []string `json:"args"`
	Rump bool     `json:"rump"`
	Kind string   `json:"kind"`
}

// Extra is what the measured file does not contain.
type Extra struct {
	Source        string              `json:"source"`
	Errno         []Text              `json:"errno"`
	Signals       []Text              `json:"signals"`
	Consts        map[string]Constant `json:"consts"`
	Structs       map[string]Known    `json:"structs"`
	Unsigned      []string            `json:"unsigned"`
	Skip          map[string]string   `json:"skip"`
	IoctlPrefixes []string            `json:"ioctl_prefixes"`
	IoctlAliases  []string            `json:"ioctl_aliases"`
}

// Text is a name with the text that the C library prints for it.
type Text struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Constant is a number with the place that it is known from.
type Constant struct {
	Value  int64  `json:"value"`
	Source string `json:"source"`
}

// Known is the layout of a structure with the place that it is known from.
type Known struct {
	CStruct
	Source string `json:"source"`
}

// Selection is one line of structs.txt: a C name and, where it is not
// derived from that, the Go name.
type Selection struct {
	C, Go string
}

// Load reads the measured data file, and extra.json and structs.txt beside it.
func Load(data string) (*Source, error) {
	src := &Source{}
	if err := readJSON(data, &src.Facts); err != nil {
		return nil, err
	}
	dir := filepath.Dir(data)
	if err := readJSON(filepath.Join(dir, "extra.json"), &src.Extra); err != nil {
		return nil, err
	}
	if err := src.addStructs(); err != nil {
		return nil, err
	}
	structs := filepath.Join(dir, "structs.txt")
	text, err := os.ReadFile(structs)
	if err != nil {
		return nil, err
	}
	src.Structs, err = parseSelections(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", structs, err)
	}
	return src, nil
}

// addStructs adds the structures of extra.json to those measured. Errors: one that was measured.
func (src *Source) addStructs() error {
	if src.Facts.Structs == nil {
		src.Facts.Structs = map[string]CStruct{}
	}
	for name, s := range src.Extra.Structs {
		if _, measured := src.Facts.Structs[name]; measured {
			return fmt.Errorf("extra.json: %s was measured", name)
		}
		if s.Source == "" {
			return fmt.Errorf("extra.json: %s has no source", name)
		}
		src.Facts.Structs[name] = s.CStruct
	}
	return nil
}

func readJSON(name string, v any) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func parseSelections(text []byte) ([]Selection, error) {
	var list []Selection
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		c, goName, renamed := strings.Cut(line, "=")
		s := Selection{strings.TrimSpace(c), strings.TrimSpace(goName)}
		if s.C == "" || renamed && s.Go == "" {
			return nil, fmt.Errorf("line %d: want NAME or NAME = GoName", n)
		}
		list = append(list, s)
	}
	return list, lines.Err()
}

// machine is what the codec needs to know of the machine.
type machine struct {
	order   string // "LittleEndian" or "BigEndian", as encoding/binary calls them
	pointer int    // bytes
	long    int    // bytes
}

// machine derives byte order and word sizes from measured constants and
// structures, so that they stand in one place only: the data file.
func (f *Facts) machine() (machine, error) {
	var m machine
	switch order := f.Consts["BYTE_ORDER"]; {
	case order != 0 && order == f.Consts["LITTLE_ENDIAN"]:
		m.order = "LittleEndian"
	case order != 0 && order == f.Consts["BIG_ENDIAN"]:
		m.order = "BigEndian"
	default:
		return m, errors.New("BYTE_ORDER is neither LITTLE_ENDIAN nor BIG_ENDIAN")
	}
	for _, field := range f.Structs["struct iovec"].Fields {
		if field.Name == "iov_base" {
			m.pointer = field.Size
		}
	}
	m.long = int(f.Consts["LONG_BIT"] / 8)
	if m.pointer != 4 && m.pointer != 8 || m.long != 4 && m.long != 8 {
		return m, fmt.Errorf("pointers of %d and longs of %d bytes: want struct iovec and LONG_BIT", m.pointer, m.long)
	}
	return m, nil
}
