package replay

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
)

// The wire's numbers, written down here a second time on purpose: this is the C client's side.
const (
	headerSize = 24

	classReq, classResp, classError = 0, 1, 2

	typeHandshake, typeSyscall                             = 0, 1
	typeCopyin, typeCopyinstr, typeCopyout, typeCopyoutstr = 2, 3, 4, 5
	typeAnonmmap, typeRaise                                = 6, 8
	maxFrame                                               = 16 << 20
)

// header is a frame's first 24 bytes.
type header struct {
	length, reqno uint64
	class, typ    uint16
	word          uint32
}

func (h *header) encode() []byte {
	b := make([]byte, headerSize)
	binary.LittleEndian.PutUint64(b, h.length)
	binary.LittleEndian.PutUint64(b[8:], h.reqno)
	binary.LittleEndian.PutUint16(b[16:], h.class)
	binary.LittleEndian.PutUint16(b[18:], h.typ)
	binary.LittleEndian.PutUint32(b[20:], h.word)
	return b
}

// Player is a client that makes a recording's calls with the recording's arguments, and answers
// what the server asks of its memory from what the recorded client answered.
type Player struct {
	conn  net.Conn
	r     *bufio.Reader
	reqno uint64
	anon  uint64
	// pid is what getpid(2) says, recorded what it said to the recorded client.
	pid, recorded uint64
}

// NewPlayer takes the banner and greets as a GUEST of the given name.
func NewPlayer(conn net.Conn, program string) (*Player, error) {
	p := &Player{conn: conn, r: bufio.NewReader(conn), anon: 0x7000_0000_0000}
	banner, err := p.r.ReadString('\n')
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(banner, "RUMPSP-0.") {
		return nil, fmt.Errorf("banner %q", banner)
	}
	if err := p.send(classReq, typeHandshake, 0, append([]byte(program), 0)); err != nil {
		return nil, err
	}
	h, body, err := p.receive()
	if err != nil {
		return nil, err
	}
	if h.class != classResp || h.typ != typeHandshake || len(body) != 4 || binary.LittleEndian.Uint32(body) != 0 {
		return nil, fmt.Errorf("handshake refused: %+v %x", h, body)
	}
	return p, nil
}

func (p *Player) send(class, typ uint16, word uint32, body []byte) error {
	p.reqno++
	return p.write(header{reqno: p.reqno, class: class, typ: typ, word: word}, body)
}

func (p *Player) write(h header, body []byte) error {
	h.length = uint64(headerSize + len(body))
	_, err := p.conn.Write(append(h.encode(), body...))
	return err
}

func (p *Player) receive() (h header, body []byte, err error) {
	var b [headerSize]byte
	if _, err := io.ReadFull(p.r, b[:]); err != nil {
		return h, nil, err
	}
	h = header{binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint16(b[16:]),
		binary.LittleEndian.Uint16(b[18:]), binary.LittleEndian.Uint32(b[20:])}
	if h.length < headerSize || h.length > maxFrame {
		return h, nil, fmt.Errorf("a frame of %d bytes", h.length)
	}
	body = make([]byte, h.length-headerSize)
	_, err = io.ReadFull(p.r, body)
	return h, body, err
}

// Play makes one recorded call and returns what our server made of it, in the form of a recording.
func (p *Player) Play(rec *Call) (*Call, error) {
	got := &Call{Num: rec.Num, Args: rec.Args}
	if err := p.send(classReq, typeSyscall, uint32(rec.Num), p.own(rec)); err != nil {
		return nil, err
	}
	memory := newImage(rec.In)
	for !got.Done {
		h, body, err := p.receive()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", rec.Name(), err)
		}
		if err := p.serve(&h, body, memory, got); err != nil {
			return nil, fmt.Errorf("%s: %w", rec.Name(), err)
		}
	}
	if rec.Num == abi.SYS_getpid {
		p.pid, p.recorded = got.Ret, rec.Ret
	}
	return got, nil
}

// own is a call's arguments with our pid in place of the recorded client's, which it had from getpid(2).
func (p *Player) own(rec *Call) []byte {
	const pid = 3 * 8 // of ktrace(2)
	if rec.Num != abi.SYS_ktrace || len(rec.Args) < pid+8 || binary.LittleEndian.Uint64(rec.Args[pid:]) != p.recorded {
		return rec.Args
	}
	args := bytes.Clone(rec.Args)
	binary.LittleEndian.PutUint64(args[pid:], p.pid)
	return args
}

// serve handles one frame of the server's.
func (p *Player) serve(h *header, body []byte, memory image, got *Call) error {
	switch {
	case h.class == classResp && h.typ == typeSyscall && h.reqno == p.reqno && len(body) == 24:
		got.Done = true
		got.Errno = abi.Errno(binary.LittleEndian.Uint32(body))
		got.Ret = binary.LittleEndian.Uint64(body[8:])
		return nil
	case h.class != classReq:
		return fmt.Errorf("unexpected frame %+v", *h)
	}
	switch h.typ {
	case typeCopyin, typeCopyinstr:
		if len(body) != 16 {
			return errors.New("short COPYIN")
		}
		n, addr := binary.LittleEndian.Uint64(body), binary.LittleEndian.Uint64(body[8:])
		answer := memory.read(addr, int(min(n, maxFrame)), h.typ == typeCopyinstr)
		got.In = append(got.In, Chunk{Addr: addr, Data: answer})
		return p.write(header{reqno: h.reqno, class: classResp, typ: typeCopyin}, answer)
	case typeCopyout, typeCopyoutstr:
		if len(body) < 16 {
			return errors.New("short COPYOUT")
		}
		got.Out = append(got.Out, Chunk{Addr: binary.LittleEndian.Uint64(body[8:]), Data: body[16:]})
		return nil
	case typeAnonmmap:
		n := binary.LittleEndian.Uint64(body)
		addr := binary.LittleEndian.AppendUint64(nil, p.anon)
		p.anon += (n + 0xffff) &^ 0xffff
		return p.write(header{reqno: h.reqno, class: classResp, typ: typeAnonmmap}, addr)
	case typeRaise:
		return nil
	}
	return fmt.Errorf("unexpected frame %+v", *h)
}

// Close ends the session.
func (p *Player) Close() error { return p.conn.Close() }

// image is memory as far as it is known.
type image map[uint64]byte

func newImage(chunks []Chunk) image {
	m := image{}
	for _, c := range chunks {
		for i, b := range c.Data {
			m[c.Addr+uint64(i)] = b
		}
	}
	return m
}

// read gives n bytes at addr, unknown ones as zero; a string ends after its NUL.
func (m image) read(addr uint64, n int, str bool) []byte {
	var p []byte
	for i := range n {
		b := m[addr+uint64(i)]
		p = append(p, b)
		if str && b == 0 {
			break
		}
	}
	return p
}
