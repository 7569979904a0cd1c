package sysproxy

import (
	"bytes"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
)

// preforked asks for a prefork and returns its secret.
func (c *rawClient) preforked(reqno uint64) []byte {
	c.t.Helper()
	c.send(frame(classReq, typePrefork, reqno, 0, nil))
	h, auth := c.frame()
	if h.class != classResp || h.typ != typePrefork || h.reqno != reqno || len(auth) != 16 {
		c.t.Fatalf("%+v %x", h, auth)
	}
	return auth
}

func (c *rawClient) claim(auth []byte, cancel uint32) {
	c.send(frame(classReq, typeHandshake, 1, shakeFork, forkBody(auth, cancel)))
}

func TestPrefork(t *testing.T) {
	s := startServer(t, "", ServerConfig{})
	parent := rawProcess(t, s.url, "parent")
	auth := parent.preforked(2)
	if other := parent.preforked(3); bytes.Equal(auth, other) {
		t.Error("two preforks have one secret")
	}
	child := rawDial(t, s.url)
	child.claim(auth, 0)
	if h, b := child.frame(); h.class != classResp || !bytes.Equal(b, make([]byte, 4)) {
		t.Fatalf("%+v %x", h, b)
	}
	child.send(syscallFrame(2, sysGetpid))
	if pid, _ := child.result(2); pid != 2 {
		t.Errorf("child is %d", pid)
	}
	again := rawDial(t, s.url)
	again.claim(auth, 0)
	again.refused(1, errPrefork)
	again.dropped()

	// The one that nobody claimed dies with its parent, the child does not.
	if n := s.k.count(); n != 3 {
		t.Errorf("%d processes", n)
	}
	parent.conn.Close()
	await(t, "only the child is left", func() bool { return s.k.count() == 1 })
	child.send(syscallFrame(3, sysGetpid))
	child.result(3)
}

func TestPreforkCancel(t *testing.T) {
	s := startServer(t, "", ServerConfig{MaxPreforks: 2})
	parent := rawProcess(t, s.url, "parent")
	first, second := parent.preforked(2), parent.preforked(3)
	parent.send(frame(classReq, typePrefork, 4, 0, nil))
	parent.refused(4, errFork)

	// On another connection, as the C protocol has it.
	other := rawDial(t, s.url)
	other.claim(first, 1)
	other.dropped()
	await(t, "the first is gone", func() bool { return s.k.count() == 2 })

	// On the parent's own, and nobody else's.
	stranger := rawProcess(t, s.url, "stranger")
	stranger.send(frame(classReq, typeHandshake, 9, shakeFork, forkBody(second, 1)))
	stranger.refused(9, errPrefork)
	parent.send(frame(classReq, typeHandshake, 9, shakeFork, forkBody(second, 1)))
	if h, b := parent.frame(); h.class != classResp || h.reqno != 9 || !bytes.Equal(b, make([]byte, 4)) {
		t.Errorf("%+v %x", h, b)
	}
	if n := s.k.count(); n != 2 {
		t.Errorf("%d processes", n)
	}
	parent.preforked(10)
	parent.preforked(11)
}

// TestExecRefuses: while an exec waits, calls and a second exec are refused.
func TestExecRefuses(t *testing.T) {
	s := startServer(t, "", ServerConfig{})
	c := rawProcess(t, s.url, "old")
	p := s.k.find("old")
	c.send(syscallFrame(2, sysCopyIn, 0x1000, 8))
	asked, _ := c.frame() // it does not look at Done, but waits for its answer
	c.send(frame(classReq, typeHandshake, 3, shakeExec, nameBody("new")))
	c.send(frame(classReq, typeHandshake, 4, shakeExec, nameBody("newer")))
	c.send(syscallFrame(5, sysGetpid))
	c.send(frame(classReq, typePrefork, 6, 0, nil))
	for range 3 {
		if h, _ := c.frame(); h.class != classError || h.word != errInExec {
			t.Errorf("%+v", h)
		}
	}
	if p.nameNow() != "old" {
		t.Error("exec did not wait")
	}
	c.send(frame(classResp, typeCopyIn, asked.reqno, 0, make([]byte, 8)))
	if v, err := c.result(2); v != 8 || err != 0 {
		t.Errorf("%d, %v", v, err)
	}
	if h, b := c.frame(); h.class != classResp || h.typ != typeHandshake || h.reqno != 3 || !bytes.Equal(b, make([]byte, 4)) {
		t.Errorf("%+v %x", h, b)
	}
	if p.nameNow() != "new" {
		t.Errorf("name is %q", p.nameNow())
	}
}

// TestReboot: the answer comes although the call does not return, and Shutdown
// does not wait for it.
func TestReboot(t *testing.T) {
	s := startServer(t, "", ServerConfig{})
	c := dial(t, s)
	p := s.k.find(t.Name())
	if v, err := do(t, c, sysReboot); v != 0 || err != 0 {
		t.Errorf("reboot: %d, %v", v, err)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	close(p.release)
}

// TestRespondOnce: the return of a call that has responded sends nothing.
func TestRespondOnce(t *testing.T) {
	s := startServer(t, "", ServerConfig{})
	c := dial(t, s)
	p := s.k.find(t.Name())
	do(t, c, sysReboot)
	p.release <- struct{}{}
	for range 3 {
		if pid, err := do(t, c, sysGetpid); pid != 1 || err != 0 {
			t.Errorf("%d, %v", pid, err)
		}
	}
}

// TestRaise: signals arrive while a call is under way, once each.
func TestRaise(t *testing.T) {
	s := startServer(t, "", ServerConfig{})
	got := make(chan int, 10)
	c := dial(t, s, WithSignals(func(sig int) { got <- sig }))
	for _, sig := range []uint64{2, 15, 1, 63} {
		if _, err := do(t, c, sysRaise, sig); err != 0 {
			t.Fatal(err)
		}
		await(t, "the signal", func() bool {
			do(t, c, sysGetpid) // reads, though nobody waits for a signal
			return len(got) > 0
		})
		if g := <-got; g != int(sig) {
			t.Errorf("signal %d, want %d", g, sig)
		}
	}
	do(t, c, sysRaise, 0)
	do(t, c, sysRaise, 1<<20) // not a signal
	do(t, c, sysGetpid)
	if err := s.Raise(&toyProcess{}, 1); err != abi.ESRCH {
		t.Errorf("signal to nobody: %v", err)
	}
}
