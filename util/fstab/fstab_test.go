package fstab

import (
	"reflect"
	"testing"
)

// TestParse holds the reading of a table against fstab(5).
func TestParse(t *testing.T) {
	got := Parse(`# comment
/dev/wd0a  /  ffs  rw,log  1 1
/dev/wd0b	none	swap	sw,dp	0	0

/dev/cd0a /cd\ rom cd9660 ro,noauto
kernfs /kern kernfs rw
/dev/wd1a /old ffs xx 0 0
/dev/wd2a /bad ffs
/dev/wd3a /bad ffs noauto 0 0
`)
	want := &Table{
		Entries: []Entry{
			{Spec: "/dev/wd0a", File: "/", Type: "ffs", Options: "rw,log", Access: "rw", Freq: 1, Pass: 1},
			{Spec: "/dev/wd0b", File: "none", Type: "swap", Options: "sw,dp", Access: "sw"},
			{Spec: "/dev/cd0a", File: "/cd rom", Type: "cd9660", Options: "ro,noauto", Access: "ro"},
			{Spec: "kernfs", File: "/kern", Type: "kernfs", Options: "rw", Access: "rw"},
		},
		Bad: []int{8, 9},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if e := got.Find("/kern"); e == nil || e.Spec != "kernfs" {
		t.Errorf("/kern: %+v", e)
	}
	if e := got.Find("/dev/cd0a"); e == nil || e.File != "/cd rom" {
		t.Errorf("/dev/cd0a: %+v", e)
	}
	if got.FindFile("/dev/cd0a") != nil || got.Find("/nope") != nil {
		t.Error("found what is not there")
	}
	if got.Entries[1].Mountable() || !got.Entries[2].Mountable() {
		t.Error("swap is mountable, or a file system is not")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("/dev/wd0a / ffs rw 1 1\n")
	f.Add("a\\ b\\")
	f.Fuzz(func(t *testing.T, text string) {
		for _, e := range Parse(text).Entries {
			if e.Spec == "" || e.File == "" || e.Type == "" || e.Access == "" {
				t.Fatalf("%q has an entry with empty fields: %+v", text, e)
			}
		}
	})
}
