package sysproxy

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
)

// recorded is a frame of a session between C programs (testdata/wire).
type recorded struct {
	From, Kind, Type string
	Reqno            uint64
	Word             uint32
	Body             string
}

func readRecording(t testing.TB, name string) []recorded {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "wire", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []recorded
	for sc := bufio.NewScanner(f); sc.Scan(); {
		var r recorded
		if err := json.Unmarshal(sc.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

var typeNames = map[string]uint16{
	"handshake": typeHandshake, "syscall": typeSyscall, "copyin": typeCopyIn, "copyinstr": typeCopyInStr,
	"copyout": typeCopyOut, "anonmmap": typeAnon, "prefork": typePrefork, "raise": typeRaise,
}

// TestRecordedFrames: what we would put on the wire for the fields of a
// recorded frame is what the C programs put there.
func TestRecordedFrames(t *testing.T) {
	for _, name := range []string{"cat.jsonl", "mount-tmpfs.jsonl"} {
		for i, r := range readRecording(t, name) {
			body, _ := hex.DecodeString(r.Body)
			var ours []byte
			u64 := func(at int) uint64 { return binary.LittleEndian.Uint64(body[at:]) }
			switch {
			case r.Kind == "banner":
				b, err := ParseBanner(r.Body)
				if err != nil || b.String()+"\n" != r.Body {
					t.Errorf("%s: banner %v, %v", name, b, err)
				}
				continue
			case r.Kind == "req" && (r.Type == "copyin" || r.Type == "copyinstr"):
				ours = appendCopy(nil, typeNames[r.Type], r.Reqno, u64(8), u64(0), 0)
			case r.Kind == "req" && r.Type == "copyout":
				data := body[copySize:]
				ours = append(appendCopy(nil, typeCopyOut, r.Reqno, u64(8), u64(0), len(data)), data...)
			case r.Kind == "resp" && r.Type == "syscall":
				clear(body[4:8]) // what the C server leaves uninitialised
				ours = appendSysResp(nil, r.Reqno, [2]uint64{u64(8), u64(16)}, abi.Errno(binary.LittleEndian.Uint32(body)))
			case r.Kind == "req" && r.Type == "handshake":
				ours = frame(classReq, typeHandshake, r.Reqno, shakeGuest, nameBody(nameOf(body)))
			default:
				class := uint16(classReq)
				if r.Kind == "resp" {
					class = classResp
				}
				ours = frame(class, typeNames[r.Type], r.Reqno, r.Word, body)
			}
			h, err := decodeHeader(ours, 1<<20)
			if err != nil || h.typ != typeNames[r.Type] || h.reqno != r.Reqno || h.word != r.Word {
				t.Errorf("%s:%d: %+v, %v", name, i+1, h, err)
			}
			if !bytes.Equal(ours[headerSize:], body) || h.body() != uint64(len(body)) {
				t.Errorf("%s:%d: body %x, want %x", name, i+1, ours[headerSize:], body)
			}
		}
	}
}

// TestErrorWords has the table of the protocol's description.
func TestErrorWords(t *testing.T) {
	want := []abi.Errno{abi.EINVAL, abi.EAGAIN, abi.EPERM, abi.ESRCH, abi.EIO, abi.EBUSY, abi.ENOMEM, abi.EINVAL, abi.EINVAL}
	for word, errno := range want {
		if got := errnoOf(uint32(word)); got != errno {
			t.Errorf("word %d is %v, want %v", word, got, errno)
		}
	}
}

// encodeCall returns the request that a client sends for a call.
func encodeCall(c *Call, prefetch bool) []byte {
	l := &link{prefetch: prefetch}
	c.req.no = 7
	l.putCall(c)
	return bytes.Join(c.req.out.seal(), nil)
}

// TestPrefetchSection checks the bytes that docs/protocol.md gives as example,
// and which ranges come along.
func TestPrefetchSection(t *testing.T) {
	var space AddressSpace
	c := space.NewCall(5)
	c.Args(c.InString("/tmp/file"), 0, 0)
	got := encodeCall(c, true)
	want := bytes.Join([][]byte{
		words(24+24+32+16, 7, 5<<32|typeSyscall<<16),
		words(1<<32, 0, 0),
		words(1<<32, 10), []byte("/tmp/file\x00"), make([]byte, 6),
		{24, 0, 0, 0, 1, 0, 0, 0}, []byte("RMPMEM_1"),
	}, nil)
	if !bytes.Equal(got, want) {
		t.Errorf("%x\nwant %x", got, want)
	}
	c.req.out.reset()
	if got := encodeCall(c, false); !bytes.Equal(got[8:], want[8:48]) || got[0] != 48 {
		t.Errorf("without prefetch: %x", got)
	}

	c = space.NewCall(5)
	big := make([]byte, maxPrefetch-10)
	c.In(nil)
	c.Out(make([]byte, 5))
	c.In(big)
	c.In(make([]byte, 11)) // does not fit any more
	last := c.InOut([]byte("0123456789"))
	c.Args(1, 2)
	req := encodeCall(c, true)
	if len(req) > MaxRequest {
		t.Errorf("request of %d bytes", len(req))
	}
	args, spans, err := splitPrefetch(req[headerSize:], nil)
	if err != nil || !bytes.Equal(args, words(1, 2)) || len(spans) != 2 {
		t.Fatalf("%x, %d ranges, %v", args, len(spans), err)
	}
	if len(spans[0].b) != len(big) || spans[1].addr != last || string(spans[1].b) != "0123456789" {
		t.Errorf("ranges of %d and %d bytes", len(spans[0].b), len(spans[1].b))
	}
	c = space.NewCall(5)
	for range 100 {
		c.In(make([]byte, 1))
	}
	if _, spans, err = splitPrefetch(encodeCall(c, true)[headerSize:], nil); err != nil || len(spans) != maxPrefetched {
		t.Errorf("%d ranges, %v", len(spans), err)
	}
}

func FuzzFrame(f *testing.F) {
	var space AddressSpace
	for _, n := range []int{0, 1, 8, 100} {
		c := space.NewCall(3)
		c.Args(1, c.In(make([]byte, n)), c.InString("name"))
		f.Add(encodeCall(c, true))
	}
	f.Add(syscallFrame(1, 2, 3, 4))
	f.Add(appendSysResp(nil, 9, [2]uint64{1, 2}, 3))
	f.Add(words(24, 0, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < headerSize {
			return
		}
		h, err := decodeHeader(b, 1<<20)
		if err != nil {
			var pe *ProtocolError
			if !errors.As(err, &pe) {
				t.Fatal(err)
			}
			return
		}
		if again := appendHeader(nil, h.class, h.typ, h.reqno, h.word, int(h.body())); !bytes.Equal(again, b[:headerSize]) {
			t.Fatalf("%x becomes %x", b[:headerSize], again)
		}
		body := b[headerSize:]
		args, spans, err := splitPrefetch(body, nil)
		if err != nil {
			return
		}
		if len(spans) == 0 {
			if len(args) != len(body) {
				t.Fatal("arguments are lost")
			}
			return
		}
		var out batch
		out.buf = append(out.buf, args...)
		putPrefetch(&out, spans, len(args))
		// What the section says must come out again, but for its padding.
		args2, spans2, err := splitPrefetch(bytes.Join(out.seal(), nil), nil)
		if err != nil || !bytes.Equal(args, args2) || len(spans) != len(spans2) {
			t.Fatalf("%v", err)
		}
		for i := range spans {
			if spans[i].addr != spans2[i].addr || !bytes.Equal(spans[i].b, spans2[i].b) {
				t.Fatalf("range %d differs", i)
			}
		}
	})
}
