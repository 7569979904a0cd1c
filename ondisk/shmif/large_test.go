package shmif_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"testing"

	"github.com/rumpctrl/rumpctrl/internal/host"
	"github.com/rumpctrl/rumpctrl/ondisk/shmif"
)

func large(t testing.TB, dir string) (*shmif.Large, *host.Shared) {
	t.Helper()
	s, err := host.OpenShared(filepath.Join(dir, "bus"+shmif.LargeSuffix), shmif.LargeFileSize)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("files cannot be mapped here")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	l, err := shmif.NewLarge(s)
	if err != nil {
		t.Fatal(err)
	}
	return l, s
}

// TestLarge passes frames of all sizes around the ring several times; docs/shmif.md describes the file.
func TestLarge(t *testing.T) {
	dir := t.TempDir()
	a, _ := large(t, dir)
	b, _ := large(t, dir)
	old := shmif.Pointer{}
	for i := range 500 {
		want := frame(i, 1515+i*131%(shmif.MaxLargeFrame-1515+1))
		p := shmif.Pointer{Flags: 1, Size: 1448, HeaderLen: 20}
		if !a.Put(&p, 7, want[:i], want[i:]) {
			t.Fatalf("frame %d of %d bytes was not taken", i, len(want))
		}
		small := p.Frame(want[:12])
		q, ok := shmif.ParsePointer(small)
		got := make([]byte, q.Len)
		if !ok || q != p || len(small) != 60 || !bytes.Equal(small[:12], want[:12]) || !b.Get(&q, 7, got[:i], got[i:]) || !bytes.Equal(got, want) {
			t.Fatalf("frame %d: pointer %+v became %+v, %v", i, p, q, ok)
		}
		if b.Get(&q, 8, got) {
			t.Fatal("another sender's pointer was believed")
		}
		if i == 0 {
			old = q
		}
	}
	if b.Get(&old, 7, make([]byte, old.Len)) {
		t.Error("a frame that was overwritten was read")
	}
	if a.Put(&shmif.Pointer{}, 7, make([]byte, shmif.MaxLargeFrame+1)) {
		t.Error("a frame that is too large was taken")
	}
}

func TestMembers(t *testing.T) {
	dir := t.TempDir()
	a, _ := large(t, dir)
	b, _ := large(t, dir)
	one, two := [6]byte{0xb2, 0xa0, 1, 2, 3, 4}, [6]byte{}
	a.SetMember(0, one)
	b.SetMember(shmif.Slots-1, two)
	for mac, want := range map[[6]byte]int{one: 0, two: shmif.Slots - 1} {
		if slot, ok := b.Member(mac); !ok || slot != want {
			t.Errorf("%x is in slot %d, %v", mac, slot, ok)
		}
	}
	a.ClearMember(shmif.Slots - 1)
	if _, ok := a.Member(two); ok {
		t.Error("a member that left is there")
	}
}

func TestNotLarge(t *testing.T) {
	_, s := large(t, t.TempDir())
	s.Word(4).Store(9)
	if _, err := shmif.NewLarge(s); !errors.Is(err, shmif.VersionError(9)) {
		t.Errorf("version 9: %v", err)
	}
	s.Word(0).Store(1)
	if _, err := shmif.NewLarge(s); !errors.Is(err, shmif.ErrNotBus) {
		t.Errorf("another file: %v", err)
	}
}

// FuzzPointer: whatever a frame of the right type says, reading what it points to stays within the file.
func FuzzPointer(f *testing.F) {
	l, s := large(f, f.TempDir())
	p := shmif.Pointer{}
	l.Put(&p, 7, make([]byte, 5000))
	f.Add(p.Frame(make([]byte, 12)), uint32(0))
	f.Fuzz(func(t *testing.T, b []byte, head uint32) {
		if head != 0 {
			s.Word(12).Store(head)
		}
		q, ok := shmif.ParsePointer(b)
		if !ok {
			return
		}
		if got := make([]byte, q.Len); l.Get(&q, 7, got) && bytes.ContainsFunc(got, func(r rune) bool { return r != 0 }) {
			t.Errorf("%+v gave what nobody put there", q)
		}
	})
}
