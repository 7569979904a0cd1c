package halt_test

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/sysproxy"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/all"
)

// dying is a kernel that notes what reboot(2) was called with, and is gone after that.
type dying struct {
	sysproxy.Transport // nil: the methods that no test needs
	space              sysproxy.AddressSpace
	refuse             abi.Errno
	calls              []string
	howto              uint64
	boot               string
	gone               bool
}

func (d *dying) NewCall(num int) *sysproxy.Call { return d.space.NewCall(num) }

func (d *dying) Do(c *sysproxy.Call) error {
	if d.gone {
		return io.EOF
	}
	d.calls = append(d.calls, abi.SyscallByNum(c.Num).Name)
	if c.Num != abi.SYS_reboot {
		c.Err = abi.ENOSYS // as a kernel without file systems says to sync
		return nil
	}
	args := c.Arguments()
	d.howto = args[0]
	if args[1] != 0 {
		b, err := c.CopyInStr(args[1], 64)
		if err != nil {
			return err
		}
		d.boot = abi.CString(b)
	}
	c.Err = d.refuse
	d.gone = d.refuse == 0
	return nil
}

func (d *dying) run(args string) (string, int) {
	words := strings.Fields(args)
	var out strings.Builder
	status := util.Run(context.Background(), all.Lookup(words[0]), &util.Env{
		Args: words, Stdout: &out, Stderr: &out, Proc: client.New(d), Getenv: func(string) string { return "" },
	})
	return out.String(), status
}

// TestHowto has the flags of reboot(8)'s options, and of the wire session halt: none for halt.
func TestHowto(t *testing.T) {
	sync := []string{"sync", "reboot"}
	for _, tt := range []struct {
		args  string
		howto uint64
		boot  string
		calls []string
	}{
		{"halt", 0, "", sync},
		{"reboot", 0, "", sync},
		{"poweroff", 0x800, "", sync},
		{"halt -p", 0x800, "", sync},
		{"halt -d", abi.RB_DUMP, "", sync},
		{"halt -l", 0, "", sync},
		{"halt -n", abi.RB_NOSYNC, "", []string{"reboot"}},
		{"halt -q", 0, "", []string{"reboot"}},
		{"reboot -vxz", abi.AB_VERBOSE | abi.AB_DEBUG | abi.AB_SILENT, "", sync},
		{"reboot -n netbsd -s", abi.RB_NOSYNC | abi.RB_STRING, "netbsd -s", []string{"reboot"}},
	} {
		d := new(dying)
		out, status := d.run(tt.args)
		if out != "" || status != 0 {
			t.Errorf("%s: %q, status %d", tt.args, out, status)
		}
		if d.howto != tt.howto || d.boot != tt.boot || !slices.Equal(d.calls, tt.calls) {
			t.Errorf("%s: %q with %#x %q", tt.args, d.calls, d.howto, d.boot)
		}
	}
}

// TestRefused: what is wrong is said, and the kernel lives.
func TestRefused(t *testing.T) {
	for _, tt := range []struct {
		args, want string
		refuse     abi.Errno
	}{
		{"halt", "halt: reboot: Operation not permitted\n", abi.EPERM},
		{"halt now", "usage: halt [-dlnpqvxz]\n", 0},
		{"reboot -p", "reboot: unknown option -- p\nusage: reboot [-dlnqvxz] [arg ...]\n", 0},
		{"poweroff x", "usage: poweroff [-dlnqvxz]\n", 0},
	} {
		d := &dying{refuse: tt.refuse}
		if out, status := d.run(tt.args); out != tt.want || status != 1 || d.gone {
			t.Errorf("%s: %q, status %d, gone %v", tt.args, out, status, d.gone)
		}
	}
}
