package shmif_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"sync"
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

// TestLargeConcurrent: several members write at once, without a lock, more than the ring holds. What a reader gets is whole and of who it says, or
// nothing.
func TestLargeConcurrent(t *testing.T) {
	const writers, frames = 4, 300
	dir := t.TempDir()
	type sent struct {
		shmif.Pointer
		writer, i int
	}
	size := func(w, i int) int { return 2000 + (w*7919+i*4801)%(shmif.MaxLargeFrame-2000) }
	pointers := make(chan sent, 64)
	var wg sync.WaitGroup
	for w := range writers {
		l, _ := large(t, dir)
		wg.Go(func() {
			for i := range frames {
				p := shmif.Pointer{}
				if !l.Put(&p, uint64(w), frame(w<<16|i, size(w, i))) {
					t.Errorf("frame %d of %d was not taken", i, w)
				}
				pointers <- sent{p, w, i}
			}
		})
	}
	go func() { wg.Wait(); close(pointers) }()
	reader, _ := large(t, dir)
	got := 0
	for p := range pointers {
		b := make([]byte, p.Len)
		if !reader.Get(&p.Pointer, uint64(p.writer), b) {
			continue // overwritten
		}
		if got++; !bytes.Equal(b, frame(p.writer<<16|p.i, size(p.writer, p.i))) {
			t.Fatalf("frame %d of %d is damaged", p.i, p.writer)
		}
	}
	if got < frames {
		t.Errorf("%d frames of %d were read", got, writers*frames)
	}
}

// TestSees: docs/shmif.md: who must be woken for a frame to the member in slot 1.
func TestSees(t *testing.T) {
	const awake, all = shmif.MemberAwake, shmif.MemberAll
	for _, c := range []struct {
		what   string
		states [3]uint32
		want   bool
	}{
		{"nobody says anything", [3]uint32{}, false},
		{"awake", [3]uint32{0, awake, 0}, true},
		{"another is awake", [3]uint32{awake, 0, 0}, false},
		{"another asleep wants all", [3]uint32{0, awake, all}, false},
		{"another awake wants all", [3]uint32{0, awake, all | awake}, true},
		{"asleep, wants all", [3]uint32{0, all, 0}, false},
	} {
		dir := t.TempDir()
		l, _ := large(t, dir)
		sender, _ := large(t, dir)
		for i, state := range c.states {
			l.SetMember(i, [6]byte{0xb2, 0xa0, 0, 0, 0, byte(i)})
			l.Declare(i, awake|all, 0)
			l.Declare(i, state, ^state)
		}
		if sender.Sees(1) != c.want {
			t.Errorf("%s: %v", c.what, !c.want)
		}
	}
	l, _ := large(t, t.TempDir())
	l.Declare(5, all, 0) // of a slot that nobody uses
	l.Declare(1, awake, 0)
	if !l.Sees(1) {
		t.Error("a member that is not there has to be woken")
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
			s.Word(8).Store(head)
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
