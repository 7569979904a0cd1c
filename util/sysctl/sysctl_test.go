package sysctl_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// TestTranscript holds sysctl against transcript core-05-sysctl, with what that leaves out of sysctl(8).
func TestTranscript(t *testing.T) {
	k := utiltest.New(t)
	k.Check([]utiltest.Step{
		{Cmd: "sysctl kern.ostype kern.osrelease kern.maxproc", Status: 1, Out: "kern.ostype = NetBSD\nkern.osrelease = 7.99.34\n" +
			"sysctl: second level name 'maxproc' in 'kern.maxproc' is invalid\n"},
		{Cmd: "sysctl -n kern.ostype", Out: "NetBSD\n"},
		{Cmd: "sysctl hw.pagesize hw.ncpu", Out: "hw.pagesize = 4096\nhw.ncpu = 2\n"},
		{Cmd: "sysctl -w kern.ostype=Plan9", Out: "sysctl: kern.ostype: Operation not permitted\n", Status: 1},
		{Cmd: "sysctl -w kern.domainname=example.org", Out: "kern.domainname:  -> example.org\n"},
		{Cmd: "sysctl kern.domainname", Out: "kern.domainname = example.org\n"},
		{Cmd: "sysctl kern.hostname=short", Out: "sysctl: Must specify -w to set variables\n", Status: 1},
		{Cmd: "sysctl -x hw.pagesize", Out: "hw.pagesize = 0x00001000\n"},
		{Cmd: "sysctl -q kern.nosuch", Status: 1},
		{Cmd: "sysctl -q hw.machine"},
		{Cmd: "sysctl /hw/machine 6.1", Out: "/hw/machine = amd64\nhw.machine = amd64\n"},
		{Cmd: "sysctl hw.pagesize=7 nosuch", Out: "sysctl: Must specify -w to set variables\n", Status: 1},
	})
}

const usage = `usage:	sysctl [-dneq] [-x[x]|-r] variable ...
	sysctl [-ne] [-q] -w variable=value ...
	sysctl [-dne] -a
	sysctl [-dne] -A
	sysctl [-ne] -M
	sysctl [-dne] [-q] -f file
`

// TestUsage refuses what does not go together.
func TestUsage(t *testing.T) {
	k := utiltest.New(t)
	k.Check([]utiltest.Step{
		{Cmd: "sysctl", Out: usage, Status: 1},
		{Cmd: "sysctl -rx hw.ncpu", Out: usage, Status: 1},
		{Cmd: "sysctl -aq", Out: usage, Status: 1},
		{Cmd: "sysctl -Z", Out: "sysctl: unknown option -- Z\n" + usage, Status: 1},
		{Cmd: "sysctl -f", Out: "sysctl: option requires an argument -- f\n" + usage, Status: 1},
	})
}

// TestNodes makes nodes, describes and removes them: sysctl(8), CREATION AND DELETION.
func TestNodes(t *testing.T) {
	k := utiltest.New(t)
	k.Check([]utiltest.Step{
		{Cmd: "sysctl //create=top", Out: "sysctl: Must specify -w to create nodes\n", Status: 1},
		{Cmd: "sysctl -w //create=top", Out: "top(NODE): (created)\n"},
		{Cmd: "sysctl -w //create=top", Out: "sysctl: top: CTL_CREATE failed: File exists\n", Status: 1},
		{Cmd: "sysctl top", Out: "top: no children\n"},
		{Cmd: "sysctl -w //create=top.int,type=int,value=-5 //create/top.quad,type=quad,flags=x,value=255", Out: "top.int(INT): (created)\ntop.quad(QUAD): (created)\n"},
		{Cmd: "sysctl -w //create=top.own,type=int,flags=o,value=9 //create=top.bool,type=bool,value=1", Out: "top.own(INT): (created)\ntop.bool(BOOL): (created)\n"},
		{Cmd: "sysctl -w '//create=top.text,type=string,size=20,value=a, b=c'", Out: "top.text(STRING): (created)\n"},
		{Cmd: "sysctl -qw //create=top.ro,type=int,flags=r,value=1"},
		{Cmd: "sysctl -w ..create=/top/hidden,type=int,flags=h,value=3", Out: "/top/hidden(INT): (created)\n"},
		{Cmd: "sysctl top", Out: "top.int = -5\ntop.quad = 0xff\ntop.own = 9\ntop.bool = 1\ntop.text = a, b=c\ntop.ro = 1\n"},
		{Cmd: "sysctl -A top.hidden", Out: "top.hidden = 3\n"},
		{Cmd: "sysctl -w top.own=10 top.ro=2", Out: "top.own: 9 -> 10\nsysctl: top.ro: Operation not permitted\n", Status: 1},
		{Cmd: "sysctl '//describe=top.int=an int'", Out: "sysctl: Must specify -w to set descriptions\n", Status: 1},
		{Cmd: "sysctl -w '//describe=top.int=an int'", Out: "top.int: an int\n"},
		{Cmd: "sysctl -w '//describe=top.int=another'", Out: "sysctl: top.int: CTL_DESCRIBE failed: Operation not permitted\n", Status: 1},
		{Cmd: "sysctl //describe=top.int", Out: "top.int: an int\n"},
		{Cmd: "sysctl -d top.int top.own", Out: "top.int: an int\ntop.own: (no description)\n"},
		{Cmd: "sysctl -dn top", Out: "an int\n"},
		{Cmd: "sysctl -w //destroy=top", Out: "sysctl: top: CTL_DESTROY failed: Directory not empty\n", Status: 1},
		{Cmd: "sysctl //destroy=top.int", Out: "sysctl: Must specify -w to destroy nodes\n", Status: 1},
		{Cmd: "sysctl -w //destroy=top.int", Out: "top.int(INT): (destroyed)\n"},
		{Cmd: "sysctl -w //destroy=top.int", Out: "sysctl: second level name 'int' in 'top.int' is invalid\n", Status: 1},
		{Cmd: "sysctl //bogus=x", Out: "sysctl: unable to parse '//bogus=x'\n", Status: 1},
	})
}

// TestBadNodes has what cannot be made, and what is said of it.
func TestBadNodes(t *testing.T) {
	k := utiltest.New(t)
	var steps []utiltest.Step
	for text, message := range map[string]string{
		"x,type=float":                  "x: 'float' is not a valid type",
		"x,type":                        "x: missing value",
		"x,colour=red":                  "x: unrecognized keyword 'colour'",
		"x,size=big":                    "x: 'big' is not a valid size",
		"x,n=99999999999":               "x: '99999999999' is not a valid mib number",
		"x,flags=q":                     "x: 'q' is not a valid flag",
		"x,addr=here":                   "x: 'here' is not a valid address",
		"x,addr=1,symbol=y":             "x: already have addr for new node",
		"x,symbol=y,addr=1":             "x: already have symbol for new node",
		"x,type=int,addr=1,value=1":     "x: cannot specify both value and address",
		"x,type=int,value=one":          "x: 'one' is not a valid integer",
		"x,type=bool,value=2":           "x: '2' is not a valid bool",
		"x,type=quad,value=":            "x: '' is not a valid quad",
		"x,type=struct,size=4,value=1":  "x: struct not initializable",
		"x,type=struct":                 "x: need a size or a starting value",
		"x,type=string":                 "x: need a size or a starting value",
		"x,type=string,flags=i,value=v": "x: cannot make an immediate string",
		"x,type=int,size=8,value=1":     "x: wrong size for type",
		"x,size=8":                      "x: wrong size for type",
		"x,value=1":                     "x: nodes do not have data",
		"nosuch.x,type=int,value=1":     "top level name 'nosuch' in 'nosuch' is invalid",
		"x,type=int,symbol=nosuch":      "x: CTL_CREATE failed: Operation not supported",
	} {
		steps = append(steps, utiltest.Step{Cmd: "sysctl -w //create=" + text, Out: "sysctl: " + message + "\n", Status: 1})
	}
	k.Check(steps)
}

// TestFile takes settings from a file of the kernel, and goes on behind a line that fails: sysctl(8), -f.
func TestFile(t *testing.T) {
	k := utiltest.New(t)
	k.Check([]utiltest.Step{
		{Cmd: "dd of=/conf msgfmt=quiet", In: `# comment
kern.hostname=from a file # comment

kern.nosuch=1
kern.domainname = x
kern.domainname=	two\
words
kern.ostype
kern.nosuch?=1
//create=local,type=node
`},
		{Cmd: "sysctl -f /conf", Status: 1, Out: "kern.hostname: " + hostname(t, k) + " -> from a file \n" +
			"sysctl: /conf#4: second level name 'nosuch' in 'kern.nosuch' is invalid\n" +
			"sysctl: /conf#5: second level name 'domainname ' in 'kern.domainname ' is invalid\n" +
			"kern.domainname:  -> twowords\nkern.ostype = NetBSD\nlocal(NODE): (created)\n"},
		{Cmd: "sysctl -f /nope", Out: "sysctl: /nope: No such file or directory\n", Status: 1},
	})
}

func hostname(t *testing.T, k *utiltest.Kernel) string {
	t.Helper()
	name, err := k.Process().Sysctl().String("kern.hostname")
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// TestAll: -a and a lone separator list the same; what has no name of its own is in neither.
func TestAll(t *testing.T) {
	k := utiltest.New(t)
	all, status := k.Run("", "sysctl", "-a")
	if status != 0 || len(all) < 1000 {
		t.Errorf("status %d, %d bytes", status, len(all))
	}
	for _, args := range [][]string{{"sysctl", "-A"}, {"sysctl", "-M"}, {"sysctl", "-dA"}} {
		if got, status := k.Run("", args...); status != 0 || len(got) < 1000 {
			t.Errorf("%q: status %d, %d bytes", args, status, len(got))
		}
	}
}
