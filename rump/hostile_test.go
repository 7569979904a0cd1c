package rump

import (
	"encoding/binary"
	"io"
	"net"
	"slices"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
)

// frame is a frame of docs/protocol.md, with a length of its own when length is not 0.
func frame(length uint64, class, typ uint16, word uint32, body string) string {
	if length == 0 {
		length = 24 + uint64(len(body))
	}
	b := binary.LittleEndian.AppendUint64(nil, length)
	b = binary.LittleEndian.AppendUint64(b, 0)
	b = binary.LittleEndian.AppendUint16(b, class)
	b = binary.LittleEndian.AppendUint16(b, typ)
	b = binary.LittleEndian.AppendUint32(b, word)
	return string(b) + body
}

// TestHostileClients: each loses its connection, and nothing of it stays: the traps that sysproxy.md lists, against a
// whole kernel.
func TestHostileClients(t *testing.T) {
	k := boot(t, Config{})
	url, sock := listen(t, k)
	before := k.Kernel().Procs()
	guest := frame(0, 0, 0, 0, "evil\x00")
	for name, bytes := range map[string]string{
		"nothing":                  "",
		"text":                     "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"half a header":            guest[:11],
		"half a body":              guest[:26],
		"length 0":                 string(make([]byte, 24)),
		"length of less":           frame(23, 0, 0, 0, ""),
		"length of all":            frame(1<<64-1, 0, 0, 0, "x"),
		"guest without a name":     frame(0, 0, 0, 0, ""),
		"guest without a NUL":      frame(0, 0, 0, 0, "evil"),
		"authentication":           frame(0, 0, 0, 1, "evil\x00"),
		"fork of nobody":           frame(0, 0, 0, 2, string(make([]byte, 20))),
		"exec of nobody":           frame(0, 0, 0, 3, "evil\x00"),
		"a call too early":         frame(0, 0, 1, abi.SYS_getpid, ""),
		"an answer to nothing":     guest + frame(0, 1, 2, 0, "data"),
		"a class that is not":      guest + frame(0, 7, 1, 0, ""),
		"a type that is not":       guest + frame(0, 0, 99, 0, ""),
		"a second handshake":       guest + guest,
		"a call that is huge":      guest + frame(1<<40, 0, 1, abi.SYS_getpid, ""),
		"half an argument":         guest + frame(0, 0, 1, abi.SYS_close, "1234567"),
		"a copyin of its own":      guest + frame(0, 0, 2, 0, string(make([]byte, 16))),
		"a prefork and good night": guest + frame(0, 0, 7, 0, ""),
	} {
		c, err := net.Dial("unix", sock)
		if err != nil {
			t.Fatalf("%s: nobody listens: %v", name, err)
		}
		c.Write([]byte(bytes)) // the server may close before it has all
		c.(*net.UnixConn).CloseWrite()
		io.Copy(io.Discard, c) // until the server has closed
		c.Close()
	}
	if err := dial(t, url).WriteFile("/well", nil, 0o600); err != nil {
		t.Errorf("a good client afterwards: %v", err)
	}
	for _, p := range k.Kernel().Procs() {
		if !slices.Contains(before, p) && p.Name() != t.Name() {
			waitExit(k, p)
		}
	}
	if now := k.Stats(); now.Violations == 0 || now.Refused != 0 {
		t.Errorf("counts: %+v", now)
	}
}
