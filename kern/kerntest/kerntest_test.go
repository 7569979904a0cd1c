package kerntest_test

import (
	"errors"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// Oracle: the contract of kern.Memory: what is not lent is EFAULT, a string without an end in time ENAMETOOLONG.
func TestMemory(t *testing.T) {
	var m kerntest.Memory
	a, b := m.Map([]byte("hello\x00rest")), m.Map(make([]byte, 4096))
	if b < a+10 {
		t.Fatalf("ranges at %#x and %#x", a, b)
	}
	buf := make([]byte, 5)
	for _, c := range []struct {
		err  error
		want error
	}{
		{m.CopyIn(a, buf), nil},
		{m.CopyIn(a+6, buf), abi.EFAULT},
		{m.CopyIn(a-1, buf), abi.EFAULT},
		{m.CopyIn(0, buf), abi.EFAULT},
		{m.CopyIn(^uint64(0), buf), abi.EFAULT},
		{m.CopyIn(b+4096, nil), nil},
		{m.CopyOut(b+4095, buf[:1]), nil},
		{m.CopyOut(b+4096, buf[:1]), abi.EFAULT},
		{m.Commit(b, buf), nil},
		{m.Commit(b+4094, buf), abi.EFAULT},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%v, want %v", c.err, c.want)
		}
	}
	for _, c := range []struct {
		addr uint64
		max  int
		want string
		err  error
	}{
		{a, 6, "hello", nil}, {a, 100, "hello", nil}, {a, 5, "", abi.ENAMETOOLONG}, {a + 6, 100, "", abi.EFAULT}, {1, 1, "", abi.EFAULT},
	} {
		s, err := m.CopyInStr(c.addr, c.max)
		if string(s) != c.want || err != c.err {
			t.Errorf("CopyInStr(%#x, %d) = %q, %v", c.addr, c.max, s, err)
		}
	}
	if p, err := m.Lend(a, 5); err != nil || string(p) != "hello" {
		t.Errorf("Lend %q, %v", p, err)
	}
	if _, err := m.Reserve(a, 11); err != abi.EFAULT {
		t.Errorf("Reserve: %v", err)
	}
	anon, err := m.Anon(3)
	if err != nil || len(m.Bytes(anon, 3)) != 3 || m.Bytes(anon, 4) != nil {
		t.Errorf("Anon: %v", err)
	}
	if _, err := m.Anon(1 << 40); err != abi.ENOMEM {
		t.Errorf("Anon: %v", err)
	}
}

// Arguments are lent to their call alone.
func TestCallLendsForTheCall(t *testing.T) {
	p := kerntest.Proc(t, kerntest.New(t))
	name := p.Mem.Map([]byte("kept\x00"))
	p.Must(abi.SYS___setlogin, "lent")
	p.Must(abi.SYS___setlogin, name)
	b := make([]byte, 16)
	p.Must(abi.SYS___getlogin, b, 16)
	if abi.CString(b) != "kept" {
		t.Errorf("login %q", b)
	}
	if p.Mem.Bytes(name, 5) == nil {
		t.Error("mapped memory is gone")
	}
}
