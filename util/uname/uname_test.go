package uname_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

const usage = "usage: uname [-amnprsv]\n"

// TestUname holds uname against uname(1); what the kernel is called is that of recorded sysctl output of the original.
func TestUname(t *testing.T) {
	utiltest.New(t).Check([]utiltest.Step{
		{Cmd: "hostname here"},
		{Cmd: "uname", Out: "NetBSD\n"},
		{Cmd: "uname -a", Out: "NetBSD here 7.99.34 NetBSD 7.99.34 (RUMP-ROAST) amd64\n"},
		{Cmd: "uname -p", Out: "x86_64\n"},
		{Cmd: "uname -pm -n", Out: "here amd64 x86_64\n"},
		{Cmd: "uname -rs", Out: "NetBSD 7.99.34\n"},
		{Cmd: "uname -v", Out: "NetBSD 7.99.34 (RUMP-ROAST)\n"},
		{Cmd: "uname x", Out: usage, Status: 1},
		{Cmd: "uname -x", Out: "uname: unknown option -- x\n" + usage, Status: 1},
	})
}
