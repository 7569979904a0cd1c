package main

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// be32 is a machine as no data file has it yet: big-endian, ILP32.
func be32() *Source {
	consts := map[string]int64{"BYTE_ORDER": 4321, "LITTLE_ENDIAN": 1234, "BIG_ENDIAN": 4321, "LONG_BIT": 32}
	structs := map[string]CStruct{
		"struct iovec": {8, "struct", []CField{{"iov_base", 0, 4, "*void", ""}, {"iov_len", 4, 4, "size_t", ""}}},
		"struct all": {36, "struct", []CField{
			{"a_hl", 0, 4, "unsigned int", "4@4"},
			{"a_v", 0, 4, "unsigned int", "4@0"},
			{"a_tos", 1, 1, "u_int8_t", ""},
			{"a_short", 2, 2, "short int", ""},
			{"a_flag", 4, 1, "_Bool", ""},
			{"a_long", 8, 4, "long int", ""},
			{"a_vec", 12, 8, "struct iovec", ""},
			{"a_un", 20, 4, "anon union", ""},
			{"a_un.un_half", 20, 2, "__uint16_t", ""},
			{"a_un.un_word", 20, 4, "__uint32_t", ""},
			{"a_grid", 24, 8, "short int[2][2]", ""},
			{"a_text", 32, 3, "char[3]", ""},
			{"a_end", 36, 0, "char[0]", ""},
		}},
	}
	return &Source{Facts: Facts{OS: "test", Machine: "be32", Consts: consts, Structs: structs},
		Structs: []Selection{{"struct all", ""}}}
}

const be32Support = `package abi

import "errors"

var ErrShort = errors.New("short")

func boolByte(v bool) byte {
	if v {
		return 1
	}
	return 0
}
`

const be32Program = `package main

import (
	"fmt"

	"be32/abi"
)

func main() {
	s := abi.All{Tos: 0x11, Short: 0x2233, Flag: true, Long: -2, Vec: abi.Iovec{Base: 0x44556677, Len: 8},
		Grid: [2][2]int16{{1, 2}, {3, 4}}, Text: [3]byte{'a', 'b', 'c'}}
	s.SetV(4)
	s.SetHl(5)
	s.SetHalf(0x99aa)
	b := s.Append(nil)
	var back abi.All
	err := back.Decode(b)
	fmt.Printf("%x %t %v %x %d", b, back == s, err, back.Word(), back.V())
}
`

// TestBigEndian32 generates for a machine of the other kind, compiles the
// result and runs it. Oracle: the bytes as a C compiler for such a machine
// (System V ABI for m68k and sparc) lays them out.
func TestBigEndian32(t *testing.T) {
	src := be32()
	g := &generator{src: src, names: map[string]string{}}
	text, err := g.structs()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "abi"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"go.mod": "module be32\n\ngo 1.26\n", "abi/zstructs.go": string(text), "abi/support.go": be32Support, "main.go": be32Program,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "run", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	out, err := cmd.CombinedOutput()
	want := "45112233" + "01000000" + "fffffffe" + "4455667700000008" + "99aa0000" + "0001000200030004" + "61626300" +
		" true <nil> 99aa0000 4"
	if err != nil || string(out) != want {
		t.Errorf("%v\n%s, want\n%s", err, out, want)
	}
}

// TestMachine: byte order and sizes come from the data, and must be there.
func TestMachine(t *testing.T) {
	facts := be32().Facts
	if m, err := facts.machine(); err != nil || m != (machine{"BigEndian", 4, 4}) {
		t.Errorf("%+v, %v", m, err)
	}
	for _, missing := range []string{"BYTE_ORDER", "LONG_BIT"} {
		facts := be32().Facts
		delete(facts.Consts, missing)
		if m, err := facts.machine(); err == nil {
			t.Errorf("without %s: %+v", missing, m)
		}
	}
	delete(facts.Structs, "struct iovec")
	if m, err := facts.machine(); err == nil {
		t.Errorf("without struct iovec: %+v", m)
	}
}

// TestStructErrors: a layout that Go cannot have is refused, never guessed.
func TestStructErrors(t *testing.T) {
	for _, tc := range []struct {
		name   string
		size   int
		fields []CField
		want   string
	}{
		{"unknown type", 4, []CField{{"a", 0, 4, "mystery_t", ""}}, "in no table"},
		{"odd integer", 3, []CField{{"a", 0, 3, "int", ""}}, "integer of 3 bytes"},
		{"overlap", 8, []CField{{"a", 0, 8, "__int64_t", ""}, {"b", 4, 4, "int", ""}}, "does not fit"},
		{"outside", 4, []CField{{"a", 0, 8, "__int64_t", ""}}, "does not fit"},
		{"names", 8, []CField{{"a", 0, 4, "int", ""}, {"A", 4, 4, "int", ""}}, "second field"},
		{"method", 4, []CField{{"encode", 0, 4, "int", ""}}, "second field"},
		{"no parent", 4, []CField{{"u.a", 0, 4, "int", ""}}, "comes before"},
		{"array size", 5, []CField{{"a", 0, 5, "int[2]", ""}}, "int[2] of 5"},
		{"array form", 4, []CField{{"a", 0, 4, "int[x]", ""}}, "array type"},
		{"bits form", 4, []CField{{"a", 0, 4, "int", "4"}}, "bits"},
		{"bits across bytes", 4, []CField{{"a", 0, 4, "int", "12@0"}}, "cross bytes"},
		{"bits outside", 4, []CField{{"a", 0, 4, "int", "4@30"}}, "cross bytes"},
	} {
		src := be32()
		src.Facts.Structs = maps.Clone(src.Facts.Structs)
		src.Facts.Structs["struct bad"] = CStruct{tc.size, "struct", tc.fields}
		src.Structs = []Selection{{"struct bad", ""}}
		g := &generator{src: src, names: map[string]string{}}
		if _, err := g.structs(); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %s", tc.name, err, tc.want)
		}
	}
	for want, sel := range map[string][]Selection{
		"not measured":   {{"struct nowhere", ""}},
		"selected twice": {{"struct all", ""}, {"struct all", "All2"}},
		"name of both":   {{"struct all", "Iovec"}},
	} {
		src := be32()
		src.Structs = sel
		g := &generator{src: src, names: map[string]string{}}
		if _, err := g.structs(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", sel, err, want)
		}
	}
}
