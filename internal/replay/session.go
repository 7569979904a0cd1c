// Package replay plays recorded sysproxy sessions of the C utilities against our server, and says where it answers
// differently. The recordings are the oracle of the wire, of the system calls and of the layouts in one.
//
// Start with Session (what was recorded), then Player (one client of the recording), then Mask (which bytes may differ). The sessions and
// their order are data: testdata/plan.txt.
package replay

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"

	"github.com/rumpctrl/rumpctrl/abi"
)

// Frame is a recorded frame.
type Frame struct {
	Conn  int    `json:"conn"`
	From  string `json:"from"` // client or server
	Kind  string `json:"kind"` // banner, req, resp, error
	Type  string `json:"type"`
	Reqno uint64 `json:"reqno"`
	Word  int32  `json:"word"`
	Body  string `json:"body"` // hex; the banner as text
}

func (f *Frame) bytes() ([]byte, error) { return hex.DecodeString(f.Body) }

// Chunk is a piece of the client's memory.
type Chunk struct {
	Addr uint64
	Data []byte
	// Asked is how much a COPYIN or COPYINSTR asked for; Str tells the latter.
	Asked uint64
	Str   bool
}

// Call is a recorded system call with everything that was moved for it.
type Call struct {
	Num   int
	Args  []byte
	In    []Chunk // what the client answered to COPYIN and COPYINSTR
	Out   []Chunk // what the server copied out
	Errno abi.Errno
	Ret   uint64
	// Done is false when the recording has no response.
	Done bool
}

// Arg is argument i, 0 where there is none.
func (c *Call) Arg(i int) uint64 {
	if len(c.Args) < 8*i+8 {
		return 0
	}
	return binary.LittleEndian.Uint64(c.Args[8*i:])
}

// Name is the system call's name.
func (c *Call) Name() string {
	if s := abi.SyscallByNum(c.Num); s != nil {
		return s.Name
	}
	return fmt.Sprintf("#%d", c.Num)
}

// Session is one connection of a recorded program: its calls in the order of their requests.
type Session struct {
	Name    string
	Program string // the name of the GUEST handshake
	Calls   []*Call
}

// Load reads a recording, JSON lines under gzip. It refuses what it does not understand, so that no call
// is left out silently.
func Load(name, path string) (*Session, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	l := loader{session: &Session{Name: name}, calls: map[uint64]*Call{}, asked: map[uint64]asked{}}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 4<<20)
	for n := 1; lines.Scan(); n++ {
		var fr Frame
		if err := json.Unmarshal(lines.Bytes(), &fr); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		if err := l.frame(&fr); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
	}
	return l.session, lines.Err()
}

// loader attributes frames to calls. The recorded programs have one call in flight at a time, but for
// ping, whose receiver is a thread of its own: then the server's requests belong to the newest call.
type loader struct {
	session *Session
	calls   map[uint64]*Call // in flight, by reqno
	newest  *Call
	asked   map[uint64]asked // COPYINs in flight, by reqno
}

type asked struct {
	call  *Call
	chunk Chunk
}

func (l *loader) frame(f *Frame) error {
	if f.Kind == "banner" {
		return nil
	}
	body, err := f.bytes()
	if err != nil {
		return err
	}
	switch f.From + " " + f.Kind + " " + f.Type {
	case "client req handshake":
		l.session.Program = abi.CString(body)
	case "server resp handshake":
	case "client req syscall":
		l.newest = &Call{Num: int(f.Word), Args: body}
		l.calls[f.Reqno] = l.newest
		l.session.Calls = append(l.session.Calls, l.newest)
	case "server resp syscall":
		return l.response(f.Reqno, body)
	case "server req copyin", "server req copyinstr":
		if len(body) != 16 {
			return fmt.Errorf("a COPYIN of %d bytes", len(body))
		}
		l.asked[f.Reqno] = asked{l.newest, Chunk{Addr: binary.LittleEndian.Uint64(body[8:]),
			Asked: binary.LittleEndian.Uint64(body), Str: f.Type == "copyinstr"}}
	case "client resp copyin":
		a, ok := l.asked[f.Reqno]
		if !ok {
			return fmt.Errorf("an answer to no question: reqno %d", f.Reqno)
		}
		a.chunk.Data = body
		a.call.In = append(a.call.In, a.chunk)
		delete(l.asked, f.Reqno)
	case "server req copyout", "server req copyoutstr":
		l.newest.Out = append(l.newest.Out, Chunk{Addr: binary.LittleEndian.Uint64(body[8:]), Data: body[16:]})
	case "server req anonmmap", "client resp anonmmap":
	default:
		return fmt.Errorf("unknown frame: %s %s %s", f.From, f.Kind, f.Type)
	}
	return nil
}

func (l *loader) response(reqno uint64, body []byte) error {
	c := l.calls[reqno]
	if c == nil || len(body) < 16 {
		return fmt.Errorf("a response to no call: reqno %d", reqno)
	}
	c.Done = true
	c.Errno = abi.Errno(binary.LittleEndian.Uint32(body))
	c.Ret = binary.LittleEndian.Uint64(body[8:])
	delete(l.calls, reqno)
	return nil
}
