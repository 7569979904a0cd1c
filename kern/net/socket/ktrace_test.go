package socket_test

import (
	"bytes"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/component/net/local"
	"github.com/rumpctrl/rumpctrl/component/net/rumpnet"
	"github.com/rumpctrl/rumpctrl/component/rumpvfs"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// What is sent, looked at and received stands in the trace, with its descriptor and direction: KTR_GENIO of ktrace(2).
func TestKtrace(t *testing.T) {
	p := kerntest.Proc(t, kerntest.New(t, rumpvfs.Component(), rumpnet.Component(), local.Component()))
	n := net{P: p}
	fds := make([]byte, 8)
	n.Must(abi.SYS_socketpair, abi.PF_LOCAL, abi.SOCK_STREAM, 0, fds)
	a, b := int(kerntest.Int(fds)), int(kerntest.Int(fds[4:]))
	trace := int(n.Must(abi.SYS_open, "/tmp/trace", abi.O_CREAT|abi.O_RDWR, 0o600))
	n.Must(abi.SYS_fktrace, trace, abi.KTROP_SET, 1<<abi.KTR_GENIO, n.PID)
	n.send(a, "traced", 0)
	n.recv(b, 10, abi.MSG_PEEK)
	n.recv(b, 10, 0)
	n.Must(abi.SYS_ktrace, nil, abi.KTROP_CLEAR, 1<<abi.KTR_GENIO, n.PID)
	raw := make([]byte, 4096)
	raw = raw[:n.Must(abi.SYS_pread, trace, raw, len(raw), 0, 0)]
	var got []abi.KtrGenio
	for at := 0; ; {
		i := bytes.Index(raw[at:], []byte("traced"))
		if i < 0 {
			break
		}
		var io abi.KtrGenio
		if err := io.Decode(raw[at+i-abi.SizeofKtrGenio:]); err != nil {
			t.Fatal(err)
		}
		got = append(got, io)
		at += i + len("traced")
	}
	if len(got) != 3 || got[0] != (abi.KtrGenio{Fd: int32(a), Rw: abi.UIO_WRITE}) || got[2] != (abi.KtrGenio{Fd: int32(b), Rw: abi.UIO_READ}) {
		t.Errorf("%+v in a trace of %d bytes", got, len(raw))
	}
}
