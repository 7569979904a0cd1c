package modstat_test

import (
	"context"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/sysproxy"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/modstat"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

const head = "NAME             CLASS    SOURCE   FLAG REFS  SIZE    REQUIRES \n"

// TestModstat has the form of modstat-allserver.txt, a listing of the C kernel, and the options of modstat(8).
func TestModstat(t *testing.T) {
	k := utiltest.New(t, "rumpfs_tmpfs")
	row := "tmpfs            vfs      builtin  -    0     -       -\n"
	address := "NAME             CLASS    SOURCE   FLAG REFS  ADDRESS          SIZE    REQUIRES \n" +
		"tmpfs            vfs      builtin  -    0     0                -       -\n"
	k.Check([]utiltest.Step{
		{Cmd: "modstat tmpfs", Out: head + row},
		{Cmd: "modstat -n tmpfs", Out: head + row},
		{Cmd: "modstat -k tmpfs", Out: address},
		{Cmd: "modstat nosuch", Out: head},
		{Cmd: "modstat a b", Out: "Usage: modstat [-Aaekn] [name]\n", Status: 1},
		{Cmd: "modstat -n a b", Out: "Usage: modstat [-Aaekn] [name]\n", Status: 1},
		{Cmd: "modstat -z", Out: "modstat: unknown option -- z\nUsage: modstat [-Aaekn] [name]\n", Status: 1},
	})
	out, status := k.Run("", "modstat")
	if !strings.HasPrefix(out, head) || !strings.Contains(out, row) || status != 0 {
		t.Errorf("status %d\n%s", status, out)
	}
}

// loader is a kernel that only tells whether modules can be loaded.
type loader struct {
	sysproxy.Transport // nil: the methods that no test needs
	space              sysproxy.AddressSpace
	auto, own          abi.Errno
}

func (l *loader) NewCall(num int) *sysproxy.Call { return l.space.NewCall(num) }

func (l *loader) Do(c *sysproxy.Call) error {
	c.Err = abi.ENOENT // to sysctl
	if c.Num == abi.SYS_modctl {
		c.Err = l.own
		if c.Arguments()[1] == 1 {
			c.Err = l.auto
		}
	}
	return nil
}

// TestLoadable has the answers of modstat(8) to -a, -A and -e.
func TestLoadable(t *testing.T) {
	for _, tt := range []struct {
		arg       string
		auto, own abi.Errno
		want      string
		status    int
	}{
		{"-e", abi.EPERM, 0, "modstat: You can load modules.\n", 0},
		{"-e", 0, abi.EPERM, "modstat: You are not allowed to load modules right now.\n", 1},
		{"-e", 0, abi.ENOSYS, "modstat: The kernel was compiled without options MODULAR.\n", 1},
		{"-a", 0, abi.EPERM, "modstat: Modules can be autoloaded.\n", 0},
		{"-a", abi.EPERM, 0, "modstat: Modules can not be autoloaded right now.\n", 1},
		{"-A", abi.EIO, 0, "modstat: modctl_exists for autoload: Input/output error\n", 1},
		{"-A", 0, 0, "modstat: sysctl kern.module.autoload failed.: No such file or directory\n", 1},
	} {
		var out strings.Builder
		status := util.Run(context.Background(), &modstat.Utility, &util.Env{
			Args: []string{"modstat", tt.arg}, Stdout: &out, Stderr: &out,
			Proc: client.New(&loader{auto: tt.auto, own: tt.own}),
		})
		if out.String() != tt.want || status != tt.status {
			t.Errorf("%s, %v, %v: %q, status %d", tt.arg, tt.auto, tt.own, out.String(), status)
		}
	}
}
