package abi

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"
)

// record is what all generated structures have.
type record interface {
	Encode([]byte) error
	Decode([]byte) error
	Append([]byte) []byte
}

// cField and cStruct are the data file's idea of a structure, read here apart
// from the generator.
type cField struct {
	Name string
	Off  int
	Size int
	Type string
	Bits string
}

type cStruct struct {
	Size   int
	Fields []cField
}

// measured are the structures of the data files.
func measured(t testing.TB) map[string]cStruct {
	t.Helper()
	var data struct{ Structs map[string]cStruct }
	for _, name := range []string{"netbsd-amd64.json", "extra.json"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &data); err != nil { // adds to the map
			t.Fatal(err)
		}
	}
	return data.Structs
}

// noise fills size bytes so that neighbours differ and none is zero.
func noise(size int, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(1 + r.IntN(255))
	}
	return b
}

// TestLayouts decodes noise and looks for the bytes of each member, at the
// place where the data files have it, in the Go field of its name. Oracle: the
// measured data file, and extra.json for what it lacks.
func TestLayouts(t *testing.T) {
	structs := measured(t)
	for _, l := range layouts {
		t.Run(l.c, func(t *testing.T) {
			want := structs[l.c]
			if l.size != want.Size {
				t.Fatalf("size %d, want %d", l.size, want.Size)
			}
			b := noise(l.size, uint64(len(l.c)))
			v := l.make()
			if err := v.Decode(b); err != nil {
				t.Fatal(err)
			}
			compareFields(t, reflect.ValueOf(v).Elem(), want, b)
			checkPadding(t, v, want, b)
		})
	}
}

// compareFields checks each Go field against its member's bytes in b. Members
// without size and members of unnamed structures have no field, bit-fields of
// one byte share one.
func compareFields(t *testing.T, v reflect.Value, want cStruct, b []byte) {
	t.Helper()
	i := 0
	bits := -1
	for _, f := range want.Fields {
		if f.Size == 0 || strings.Contains(f.Name, ".") {
			continue
		}
		if f.Bits != "" {
			if bits == f.Off {
				continue
			}
			bits = f.Off
			if got := v.Field(i).Uint(); got != uint64(b[f.Off]) {
				t.Errorf("%s: bits %#x, want %#x", f.Name, got, b[f.Off])
			}
			i++
			continue
		}
		name := v.Type().Field(i).Name
		flat := strings.ReplaceAll(f.Name, "_", "")
		if !strings.HasSuffix(strings.ToLower(flat), strings.ToLower(name)) {
			t.Errorf("field %s stands for member %s", name, f.Name)
		}
		if got := raw(v.Field(i)); !sameBytes(got, b[f.Off:f.Off+f.Size], v.Field(i)) {
			t.Errorf("%s at %d: % x, want % x", f.Name, f.Off, got, b[f.Off:f.Off+f.Size])
		}
		i++
	}
	if i != v.NumField() {
		t.Errorf("%d fields, want %d", v.NumField(), i)
	}
}

// raw is the memory of a Go value on a little-endian machine, without the
// padding of nested structures, for which see sameBytes.
func raw(v reflect.Value) []byte {
	switch v.Kind() {
	case reflect.Array:
		var b []byte
		for i := range v.Len() {
			b = append(b, raw(v.Index(i))...)
		}
		return b
	case reflect.Struct:
		return v.Addr().Interface().(record).Append(nil)
	case reflect.Bool:
		if v.Bool() {
			return []byte{1}
		}
		return []byte{0}
	}
	var u uint64
	if v.CanInt() {
		u = uint64(v.Int())
	} else {
		u = v.Uint()
	}
	b := make([]byte, v.Type().Size())
	for i := range b {
		b[i] = byte(u >> (8 * i))
	}
	return b
}

// sameBytes compares; in a nested structure got has zeroes for padding, and
// that structure's own test finds values in wrong places.
func sameBytes(got, want []byte, v reflect.Value) bool {
	if len(got) != len(want) {
		return false
	}
	nested := v.Kind() == reflect.Struct || v.Kind() == reflect.Array && v.Type().Elem().Kind() == reflect.Struct
	for i := range got {
		if got[i] != want[i] && !(nested && got[i] == 0) {
			return false
		}
	}
	return true
}

// checkPadding encodes over a buffer of ones: members come back, padding is
// zero, and what follows the structure is untouched.
func checkPadding(t *testing.T, v record, want cStruct, in []byte) {
	t.Helper()
	out := bytes.Repeat([]byte{0xff}, want.Size+8)
	if err := v.Encode(out); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out[want.Size:], bytes.Repeat([]byte{0xff}, 8)) {
		t.Errorf("Encode wrote behind the structure")
	}
	covered := make([]bool, want.Size)
	for _, f := range want.Fields {
		size := f.Size
		if f.Bits != "" {
			size = 1
		}
		if !strings.Contains(f.Name, ".") {
			for i := range size {
				covered[f.Off+i] = true
			}
		}
	}
	for i, b := range out[:want.Size] {
		if b != 0 && (b != in[i] || !covered[i]) {
			t.Errorf("byte %d is %#x, want %#x, member %t", i, b, in[i], covered[i])
		}
	}
	again := reflect.New(reflect.TypeOf(v).Elem()).Interface().(record)
	if err := again.Decode(out); err != nil || !reflect.DeepEqual(v, again) {
		t.Errorf("Encode lost a member: %+v, want %+v, %v", again, v, err)
	}
	if got := v.Append([]byte("x")); !bytes.Equal(got[1:], out[:want.Size]) || got[0] != 'x' {
		t.Errorf("Append and Encode differ")
	}
}

// TestShortBuffers: every length below the size is refused, and an Encode that
// is refused writes nothing.
func TestShortBuffers(t *testing.T) {
	for _, l := range layouts {
		v := l.make()
		b := noise(l.size-1, 7)
		if err := v.Decode(b); !errors.Is(err, ErrShort) {
			t.Errorf("%s: Decode of %d bytes: %v", l.c, len(b), err)
		}
		if v.Decode(nil) == nil || v.Encode(nil) == nil {
			t.Errorf("%s: no error for nil", l.c)
		}
		before := bytes.Clone(b)
		if err := v.Encode(b); !errors.Is(err, ErrShort) {
			t.Errorf("%s: Encode to %d bytes: %v", l.c, len(b), err)
		}
		if !bytes.Equal(b, before) {
			t.Errorf("%s: refused Encode wrote", l.c)
		}
	}
}

// TestSelectionComplete: nothing that structs.txt asks for is missing.
func TestSelectionComplete(t *testing.T) {
	text, err := os.ReadFile("structs.txt")
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, l := range layouts {
		have[l.c] = true
	}
	for line := range strings.Lines(string(text)) {
		c, _, _ := strings.Cut(line, "#")
		c, _, _ = strings.Cut(c, "=")
		if c = strings.TrimSpace(c); c != "" && !have[c] {
			t.Errorf("%s is not generated", c)
		}
	}
}

// FuzzDecode decodes arbitrary bytes as any structure: what is decoded encodes
// to something that decodes to the same.
func FuzzDecode(f *testing.F) {
	for i, l := range layouts {
		f.Add(uint(i), noise(l.size, 3))
	}
	f.Fuzz(func(t *testing.T, which uint, b []byte) {
		l := layouts[which%uint(len(layouts))]
		v, w := l.make(), l.make()
		if err := v.Decode(b); err != nil {
			if len(b) >= l.size {
				t.Fatalf("%s: %v", l.c, err)
			}
			return
		}
		if err := w.Decode(v.Append(nil)); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(v, w) {
			t.Fatalf("%s: %+v, and after a round trip %+v", l.c, v, w)
		}
	})
}

func BenchmarkStat(b *testing.B) {
	var s Stat
	buf := noise(SizeofStat, 1)
	b.ReportAllocs()
	for b.Loop() {
		if s.Decode(buf) != nil || s.Encode(buf) != nil {
			b.Fatal("stat does not fit")
		}
	}
}
