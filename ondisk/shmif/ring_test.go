package shmif_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rumpctrl/rumpctrl/internal/host"
	"github.com/rumpctrl/rumpctrl/ondisk/shmif"
	"github.com/rumpctrl/rumpctrl/ondisk/shmif/shmiftest"
)

// bus maps the bus in a directory once more, as another kernel does.
func bus(t testing.TB, dir string) *host.Shared {
	t.Helper()
	s, err := host.OpenShared(filepath.Join(dir, "bus"), shmif.FileSize)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("files cannot be mapped here")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func ring(t testing.TB, s *host.Shared, token uint32) *shmif.Ring {
	t.Helper()
	r, err := shmif.NewRing(s, token, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// frame is one that tells its number and length in every byte.
func frame(i, size int) []byte {
	b := make([]byte, size)
	for j := range b {
		b[j] = byte(i + j)
	}
	binary.NativeEndian.PutUint32(b, uint32(i))
	return b
}

func send(r *shmif.Ring, frames ...[]byte) {
	r.Lock()
	defer r.Unlock()
	for i, f := range frames {
		cut := i % len(f)
		r.Send(1, 0, f[:cut], f[cut:])
	}
}

// receive reads all there is.
func receive(r *shmif.Ring, c *shmif.Cursor) (frames [][]byte, lost bool) {
	r.Lock()
	defer r.Unlock()
	_, lost = r.Receive(c, func(v *shmif.View) bool {
		b := make([]byte, v.Len)
		v.Copy(b, 0)
		frames = append(frames, b)
		return false
	})
	return frames, lost
}

// size is the length of frame i: all lengths from the shortest to the longest, so that headers and frames wrap everywhere.
func size(i int) int { return 14 + i*37%1501 }

// TestBothDirections exchanges frames with a member written from the description alone, for several rounds of the ring.
func TestBothDirections(t *testing.T) {
	dir := t.TempDir()
	ours := ring(t, bus(t, dir), 99)
	theirs := shmiftest.Join(bus(t, dir), 2, func() {})
	ours.Lock()
	c := ours.Now()
	ours.Unlock()
	for i := range 5000 {
		want := frame(i, size(i))
		send(ours, want)
		if got, skipped := theirs.Receive(); !bytes.Equal(got, want) || skipped {
			t.Fatalf("frame %d: they got %d bytes, skipped %v", i, len(got), skipped)
		}
		receive(ours, &c) // what we sent ourselves: the sender tells
		want = frame(^i, size(i+7))
		theirs.Send(want)
		if got, lost := receive(ours, &c); len(got) != 1 || !bytes.Equal(got[0], want) || lost {
			t.Fatalf("frame %d: we got %d frames, lost %v", i, len(got), lost)
		}
	}
	ours.Lock()
	defer ours.Unlock()
	if h := ours.Header(); h.Gen < 3 || h.Lock != 1 || h.Version != 0 {
		t.Errorf("after all: %+v", h)
	}
}

// TestExactEnd has a frame end exactly at the ring's end, which counts as a wrap: gen += 1.
func TestExactEnd(t *testing.T) {
	for _, oursWrites := range []bool{true, false} {
		dir := t.TempDir()
		ours := ring(t, bus(t, dir), 99)
		theirs := shmiftest.Join(bus(t, dir), 2, func() {})
		ours.Lock()
		c := ours.Now()
		ours.Unlock()
		put := theirs.Send
		if oursWrites {
			put = func(f []byte) { send(ours, f) }
		}
		total := shmif.FrameHeaderSize
		for n := 0; ; n++ {
			left := shmif.DataSize - total
			f := frame(n, min(1000, left-shmif.FrameHeaderSize))
			if rest := left - len(f) - 24; rest > 0 && rest < 100 {
				f = f[:len(f)-100]
			}
			put(f)
			total += len(f) + shmif.FrameHeaderSize
			if got, _ := receive(ours, &c); len(got) != 1 || !bytes.Equal(got[0], f) {
				t.Fatalf("ours %v: frame %d did not arrive", oursWrites, n)
			}
			if total == shmif.DataSize {
				break
			}
		}
		for i := range 3 {
			put(frame(i, 64))
			if got, lost := receive(ours, &c); len(got) != 1 || lost || !bytes.Equal(got[0], frame(i, 64)) {
				t.Errorf("ours %v: frame %d after the wrap did not arrive", oursWrites, i)
			}
		}
		if h := ours.Header(); h.Gen != 1 || h.Last != 176 {
			t.Errorf("ours %v: header %+v", oursWrites, h)
		}
	}
}

// TestOvertaken: a reader that was overtaken goes on from the oldest frame; what it then sees is whole and in order.
func TestOvertaken(t *testing.T) {
	dir := t.TempDir()
	ours := ring(t, bus(t, dir), 99)
	theirs := shmiftest.Join(bus(t, dir), 2, func() {})
	ours.Lock()
	c := ours.Now()
	ours.Unlock()
	for _, n := range []int{900, 3000, 700, 5000} {
		for i := range n {
			theirs.Send(frame(i, size(i)))
		}
		checkTail(t, ours, &c, n, n*770 > shmif.DataSize)
	}
	for i := range 3000 {
		send(ours, frame(i, size(i)))
	}
	for i, skipped := 0, true; ; {
		got, s := theirs.Receive()
		if got == nil {
			if i != 2999 {
				t.Errorf("they read up to %d", i)
			}
			break
		}
		next := int(binary.NativeEndian.Uint32(got))
		if s != skipped || !s && next != i+1 {
			t.Fatalf("they got %d after %d, skipped %v", next, i, s)
		}
		i, skipped = next, false
	}
}

// checkTail reads what is there: the last frames of n, in order.
func checkTail(t *testing.T, r *shmif.Ring, c *shmif.Cursor, n int, wantLost bool) {
	t.Helper()
	frames, lost := receive(r, c)
	if lost != wantLost || len(frames) == 0 {
		t.Fatalf("of %d frames there are %d, lost %v", n, len(frames), lost)
	}
	for j, f := range frames {
		i := n - len(frames) + j
		if !bytes.Equal(f, frame(i, size(i))) {
			t.Fatalf("frame %d of %d is damaged", i, n)
		}
	}
	if !wantLost && len(frames) != n {
		t.Errorf("of %d frames there are %d", n, len(frames))
	}
}

// TestEnough: who has enough for now goes on later where he was.
func TestEnough(t *testing.T) {
	r := ring(t, bus(t, t.TempDir()), 99)
	c := r.Now()
	for i := range 10 {
		send(r, frame(i, 100))
	}
	for i := range 10 {
		more, lost := r.Receive(&c, func(v *shmif.View) bool {
			b := make([]byte, 4)
			if v.Copy(b, 0); int(binary.NativeEndian.Uint32(b)) != i {
				t.Errorf("frame %x in place of %d", b, i)
			}
			return true
		})
		if !more || lost {
			t.Errorf("after frame %d: more %v, lost %v", i, more, lost)
		}
	}
	if more, lost := r.Receive(&c, func(*shmif.View) bool { t.Error("one more"); return false }); more || lost {
		t.Errorf("at the end: more %v, lost %v", more, lost)
	}
}

// TestNewest: each frame changes what Newest says, and nothing else does, over many laps of the ring.
func TestNewest(t *testing.T) {
	r := ring(t, bus(t, t.TempDir()), 1)
	frame := make([]byte, 1000)
	seen := map[uint64]bool{}
	for i := range 5 * shmif.DataSize / len(frame) {
		newest := r.Newest()
		if seen[newest] || r.Newest() != newest {
			t.Fatalf("frame %d: %#x again, or it changes by itself", i, newest)
		}
		seen[newest] = true
		r.Lock()
		r.Send(1, 0, frame)
		r.Unlock()
	}
}

func TestTooLong(t *testing.T) {
	r := ring(t, bus(t, t.TempDir()), 99)
	r.Lock()
	defer r.Unlock()
	if r.Send(1, 0, make([]byte, shmif.MaxFrame), make([]byte, 1)) || !r.Send(1, 0, make([]byte, shmif.MaxFrame)) {
		t.Error("sent a frame that the C code can not take, or not one that it can")
	}
}

// TestDeadHolder: a member that dies with the lock stops the C code for good; ours takes over, and only one of them.
func TestDeadHolder(t *testing.T) {
	dir := t.TempDir()
	theirs := shmiftest.Join(bus(t, dir), 2, func() {})
	theirs.Send(frame(1, 100))
	var rings []*shmif.Ring
	for i := range 4 {
		r, err := shmif.NewRing(bus(t, dir), uint32(i+1), 20*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		rings = append(rings, r)
	}
	theirs.Lock() // and dies
	var wg sync.WaitGroup
	held := make(chan int, 4)
	for i, r := range rings {
		wg.Go(func() {
			r.Lock()
			held <- i
			r.Send(uint64(i+100), 0, frame(i, 100))
			r.Unlock()
		})
	}
	wg.Wait()
	var sum int
	for _, r := range rings {
		sum += r.TakenOver()
	}
	if sum != 1 || len(held) != 4 {
		t.Errorf("%d took over, %d had the lock", sum, len(held))
	}
	for range 4 {
		if got, _ := theirs.Receive(); len(got) != 100 {
			t.Errorf("what was sent after the takeover has not arrived")
		}
	}
}

// TestSlowHolder: a member that was taken for dead does not free what is another's now.
func TestSlowHolder(t *testing.T) {
	dir := t.TempDir()
	slow := ring(t, bus(t, dir), 1)
	other, err := shmif.NewRing(bus(t, dir), 2, 0)
	if err != nil {
		t.Fatal(err)
	}
	slow.Lock()
	other.Lock()
	slow.Unlock()
	if h := other.Header(); h.Lock != 1 || h.Owner != 2 {
		t.Errorf("the slow holder freed the lock: %+v", h)
	}
	other.Unlock()
	if h := other.Header(); h.Lock != 0 || h.Owner != 0 {
		t.Errorf("the lock is not free: %+v", h)
	}
}

// TestConcurrent has members of both kinds send at once from mappings of their own; each frame arrives whole or not at all.
func TestConcurrent(t *testing.T) {
	dir := t.TempDir()
	const senders, frames = 4, 2000
	watcher := ring(t, bus(t, dir), 99)
	watcher.Lock()
	c := watcher.Now()
	watcher.Unlock()
	var wg sync.WaitGroup
	for s := range senders {
		ours, theirs := ring(t, bus(t, dir), uint32(s+1)), shmiftest.Join(bus(t, dir), uint64(s), func() {})
		wg.Go(func() {
			for i := range frames {
				f := frame(s<<16|i, size(i))
				if s%2 == 0 {
					send(ours, f)
				} else {
					theirs.Send(f)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	next := [senders]int{}
	for over := false; !over; {
		select {
		case <-done:
			over = true
		default:
		}
		got, _ := receive(watcher, &c)
		for _, f := range got {
			n := int(binary.NativeEndian.Uint32(f))
			s, i := n>>16, n&0xffff
			if s >= senders || i < next[s] || !bytes.Equal(f, frame(n, size(i))) {
				t.Fatalf("frame %#x after %d is damaged", n, next[s])
			}
			next[s] = i + 1
		}
	}
	if !slices.Contains(next[:], frames) { // others may have been overwritten before they were read
		t.Errorf("the newest frame is missing: %v", next)
	}
}

// TestTruncated: a bus that is cut short while it is used is an error and not the end of the program.
func TestTruncated(t *testing.T) {
	dir := t.TempDir()
	s := bus(t, dir)
	r := ring(t, s, 1)
	if err := os.Truncate(filepath.Join(dir, "bus"), 0); err != nil {
		t.Fatal(err)
	}
	if err := s.Guard(func() { send(r, frame(1, 100)) }); !errors.Is(err, host.ErrFileGone) {
		t.Errorf("sending on a bus that is gone: %v", err)
	}
}

func TestNotBus(t *testing.T) {
	s := bus(t, t.TempDir())
	copy(s.Bytes(), "#!/bin/sh")
	if _, err := shmif.NewRing(s, 1, time.Hour); !errors.Is(err, shmif.ErrNotBus) {
		t.Errorf("a script as a bus: %v", err)
	}
	clear(s.Bytes()[:32])
	s.Word(4).Store(2)
	if _, err := shmif.NewRing(s, 1, time.Hour); !errors.Is(err, shmif.VersionError(2)) {
		t.Errorf("version 2: %v", err)
	}
}

// FuzzRing: whatever another member leaves in the header and the ring, sending and receiving end, stay within the ring, and work
// again afterwards.
func FuzzRing(f *testing.F) {
	f.Add(uint64(0), uint32(shmif.DataSize), uint32(24), uint32(24), []byte{42, 0, 0, 0})
	f.Add(uint64(1<<63), uint32(0xffffffff), uint32(0xfffffff0), uint32(100), bytes.Repeat([]byte{0xff}, 64))
	f.Add(uint64(1), uint32(50), uint32(shmif.DataSize-10), uint32(shmif.DataSize-30), bytes.Repeat([]byte{1, 0, 0, 0}, 30))
	s := bus(f, f.TempDir())
	f.Fuzz(func(t *testing.T, gen uint64, first, last, at uint32, junk []byte) {
		clear(s.Bytes())
		r := ring(t, s, 1)
		r.Lock()
		c := r.Now()
		binary.NativeEndian.PutUint64(s.Bytes()[8:], gen)
		s.Word(16).Store(first)
		s.Word(20).Store(last)
		copy(s.Bytes()[32+at%(shmif.DataSize-4096):][:4096], junk)
		r.Unlock()
		frames, _ := receive(r, &c)
		total := 0
		for _, f := range frames {
			total += len(f)
		}
		if total > shmif.DataSize {
			t.Errorf("%d bytes came out of a ring of %d", total, shmif.DataSize)
		}
		for i := range 3 {
			want := frame(i, 600)
			send(r, want)
			if got, lost := receive(r, &c); len(got) != 1 || lost || !bytes.Equal(got[0], want) {
				t.Errorf("after the damage frame %d gave %d frames, lost %v", i, len(got), lost)
			}
		}
	})
}

func BenchmarkSendReceive(b *testing.B) {
	r := ring(b, bus(b, b.TempDir()), 1)
	c, f, buf := r.Now(), frame(1, shmif.MaxFrame), make([]byte, shmif.MaxFrame)
	b.SetBytes(shmif.MaxFrame)
	for b.Loop() {
		send(r, f)
		r.Lock()
		r.Receive(&c, func(v *shmif.View) bool { v.Copy(buf, 0); return false })
		r.Unlock()
	}
}
