package kern_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/kern"
)

// TestThreadAs: a thread acts with other credentials without changing its process's or its call's.
func TestThreadAs(t *testing.T) {
	k, err := kern.New(kern.Config{})
	if err != nil {
		t.Fatal(err)
	}
	thread := k.KernelThread()
	own, other := thread.Cred(), &kern.Cred{Euid: 7}
	as := thread.As(other)
	if as.Cred() != other || as.Proc != thread.Proc || thread.Cred() != own || thread.Proc.Cred() != own {
		t.Errorf("%+v, %+v", as.Cred(), thread.Cred())
	}
	if again := as.As(own); again.Cred() != own {
		t.Errorf("back: %+v", again.Cred())
	}
}
