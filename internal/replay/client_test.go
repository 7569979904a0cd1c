package replay

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/sysproxy"
)

// region is memory that a recorded call lent: at an argument, as far as anything was moved there.
type region struct {
	arg      int
	addr     uint64
	size     int
	in, out  bool
	buf      []byte
	lentAddr uint64
}

// regions gives each chunk of a call to the nearest argument below it; false when one is farther than a buffer could be: memory
// that only a structure points to.
func regions(c *Call) ([]*region, bool) {
	byArg := map[int]*region{}
	place := func(ch *Chunk, n int, out bool) bool {
		best := -1
		for i := range len(c.Args) / 8 {
			if a := c.Arg(i); a != 0 && a <= ch.Addr && (best < 0 || a > c.Arg(best)) {
				best = i
			}
		}
		if best < 0 || ch.Addr-c.Arg(best) > 1<<16 {
			return false
		}
		r := byArg[best]
		if r == nil {
			r = &region{arg: best, addr: c.Arg(best)}
			byArg[best] = r
		}
		r.size = max(r.size, int(ch.Addr-r.addr)+n)
		r.in, r.out = r.in || !out, r.out || out
		return true
	}
	ok := true
	for i := range c.In {
		ok = place(&c.In[i], len(c.In[i].Data), false) && ok
	}
	for i := range c.Out {
		ok = place(&c.Out[i], len(c.Out[i].Data), true) && ok
	}
	var list []*region
	for i := range len(c.Args) / 8 {
		if r := byArg[i]; r != nil {
			r.buf = make([]byte, r.size)
			list = append(list, r)
		}
	}
	for _, ch := range c.In {
		for _, r := range list {
			if ch.Addr >= r.addr && ch.Addr < r.addr+uint64(r.size) {
				copy(r.buf[ch.Addr-r.addr:], ch.Data)
			}
		}
	}
	return list, ok
}

// fakeServer answers as the recorded C server did, with the recorded addresses turned into those that our client lent.
type fakeServer struct {
	Player
	reqno uint64
}

func (s *fakeServer) answer(class, typ uint16, reqno uint64, word uint32, body []byte) error {
	return s.write(header{reqno: reqno, class: class, typ: typ, word: word}, body)
}

// greet sends the C server's banner and takes the handshake.
func (s *fakeServer) greet(program string) error {
	if _, err := io.WriteString(s.conn, "RUMPSP-0.4-NetBSD-7.99.34/amd64\n"); err != nil {
		return err
	}
	h, body, err := s.receive()
	if err != nil {
		return err
	}
	if h.class != classReq || h.typ != typeHandshake || h.word != 0 || abi.CString(body) != program || body[len(body)-1] != 0 {
		return fmt.Errorf("handshake %+v %q", h, body)
	}
	return s.answer(classResp, typeHandshake, h.reqno, 0, make([]byte, 4))
}

// serve takes one call and plays the recorded server's part; the client must answer each question as the recorded client did.
func (s *fakeServer) serve(rec *Call, translate func(uint64) uint64) error {
	h, body, err := s.receive()
	if err != nil {
		return err
	}
	if h.class != classReq || h.typ != typeSyscall || int(h.word) != rec.Num || len(body) != len(rec.Args) {
		return fmt.Errorf("%s arrived as %+v with %d bytes of arguments, recorded %d", rec.Name(), h, len(body), len(rec.Args))
	}
	for _, in := range rec.In {
		if err := s.ask(in, translate(in.Addr)); err != nil {
			return err
		}
	}
	for _, out := range rec.Out {
		b := binary.LittleEndian.AppendUint64(nil, uint64(len(out.Data)))
		b = binary.LittleEndian.AppendUint64(b, translate(out.Addr))
		if err := s.answer(classReq, typeCopyout, s.next(), 0, append(b, out.Data...)); err != nil {
			return err
		}
	}
	b := binary.LittleEndian.AppendUint64(nil, uint64(rec.Errno))
	b = binary.LittleEndian.AppendUint64(b, rec.Ret)
	return s.answer(classResp, typeSyscall, h.reqno, 0, append(b, make([]byte, 8)...))
}

func (s *fakeServer) next() uint64 { s.reqno++; return s.reqno - 1 }

func (s *fakeServer) ask(in Chunk, addr uint64) error {
	typ := uint16(typeCopyin)
	if in.Str {
		typ = typeCopyinstr
	}
	b := binary.LittleEndian.AppendUint64(nil, in.Asked)
	b = binary.LittleEndian.AppendUint64(b, addr)
	reqno := s.next()
	if err := s.answer(classReq, typ, reqno, 0, b); err != nil {
		return err
	}
	h, body, err := s.receive()
	if err != nil {
		return err
	}
	if h.class != classResp || h.typ != typeCopyin || h.reqno != reqno || !bytes.Equal(body, in.Data) {
		return fmt.Errorf("answered %+v %q, recorded %q", h, body, in.Data)
	}
	return nil
}

// TestClientReplay has our client make the recorded calls against the recorded server's frames; the oracle is what
// the C client answered and received. A call whose memory hangs on pointers within structures is left out, and counted.
func TestClientReplay(t *testing.T) {
	files, err := filepath.Glob("testdata/*.jsonl.gz")
	if err != nil || len(files) == 0 {
		t.Fatal("no recordings", err)
	}
	calls, left := 0, 0
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".jsonl.gz")
		t.Run(name, func(t *testing.T) {
			session, err := Load(name, f)
			if err != nil {
				t.Fatal(err)
			}
			made, skipped := clientReplay(t, session)
			calls, left = calls+made, left+skipped
		})
	}
	t.Logf("%d calls of %d sessions agree; %d left out", calls, len(files), left)
	if calls < 10*left {
		t.Errorf("%d calls made and %d left out: the comparison has lost its subject", calls, left)
	}
}

func clientReplay(t *testing.T, session *Session) (made, skipped int) {
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	greeted := make(chan *fakeServer, 1)
	failed := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			failed <- err
			return
		}
		s := &fakeServer{Player: Player{conn: conn, r: bufio.NewReader(conn)}}
		failed <- s.greet(session.Program)
		greeted <- s
	}()
	c, err := sysproxy.Dial(context.Background(), "unix://"+l.Addr().String(), session.Program)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	server := <-greeted
	defer server.conn.Close()
	for i, rec := range session.Calls {
		lent, ok := regions(rec)
		if !ok || !rec.Done {
			skipped++
			continue
		}
		made++
		if err := oneCall(c, server, rec, lent); err != nil {
			t.Fatalf("call %d, %s: %v", i, rec.Name(), err)
		}
	}
	return made, skipped
}

// oneCall makes a recorded call with buffers of ours in the place of the recorded client's.
func oneCall(c *sysproxy.Conn, server *fakeServer, rec *Call, lent []*region) error {
	call := c.NewCall(rec.Num)
	defer call.Free()
	args := make([]uint64, len(rec.Args)/8)
	for i := range args {
		args[i] = rec.Arg(i)
	}
	for _, r := range lent {
		switch {
		case r.in && r.out:
			r.lentAddr = call.InOut(r.buf)
		case r.in:
			r.lentAddr = call.In(r.buf)
		default:
			r.lentAddr = call.Out(r.buf)
		}
		args[r.arg] = r.lentAddr
	}
	call.Args(args...)
	translate := func(addr uint64) uint64 {
		for _, r := range lent {
			if addr >= r.addr && addr < r.addr+uint64(r.size) {
				return r.lentAddr + addr - r.addr
			}
		}
		return addr
	}
	served := make(chan error, 1)
	go func() { served <- server.serve(rec, translate) }()
	if err := c.Do(call); err != nil {
		return err
	}
	if err := <-served; err != nil {
		return err
	}
	if call.Err != rec.Errno || call.Ret[0] != rec.Ret {
		return fmt.Errorf("got %d, errno %v; recorded %d, errno %v", call.Ret[0], call.Err, rec.Ret, rec.Errno)
	}
	got := make([]Chunk, 0, len(lent))
	for _, r := range lent {
		got = append(got, Chunk{Addr: r.addr, Data: r.buf})
	}
	have, want := newImage(got), newImage(rec.Out)
	for addr, b := range want {
		if have[addr] != b {
			return fmt.Errorf("memory at %#x is %#x, recorded %#x", addr, have[addr], b)
		}
	}
	return nil
}
