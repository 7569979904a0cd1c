package sysctl

import (
	"errors"
	"fmt"
	"io"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
)

// tool is sysctl at work.
type tool struct {
	env  *util.Env
	tree *client.Sysctl
	warn io.Writer // where messages go

	all      bool // -A
	list     bool // -a
	describe bool // -d
	mib      bool // -M
	quiet    bool // -q
	raw      bool // -r
	write    bool // -w
	bare     int  // -n
	hex      int  // -x
	eq       string
	file     string // -f
	line     int    // of the file

	asked  bool // the node was asked for by name: nothing is left out in silence
	errors int
}

var (
	errRequest = errors.New("request failed")       // has been said; the next line of a file goes on
	errFatal   = errors.New("request cannot go on") // has been said; nothing goes on
)

func (t *tool) printf(format string, args ...any) { fmt.Fprintf(t.env.Stdout, format, args...) }

// complain prints a message and counts it.
func (t *tool) complain(format string, args ...any) {
	where := ""
	if t.file != "" {
		where = fmt.Sprintf("%s#%d: ", t.file, t.line)
	}
	fmt.Fprintf(t.warn, "%s: %s%s\n", t.env.Name(), where, fmt.Sprintf(format, args...))
	t.errors++
}

// fail is complain that ends the request.
func (t *tool) fail(format string, args ...any) error {
	t.complain(format, args...)
	return errRequest
}

// status returns the exit status.
func (t *tool) status() int {
	if t.errors > 0 {
		return util.ExitFailure
	}
	return util.ExitOK
}

// curious tells whether to say why something is not printed.
func (t *tool) curious() bool { return t.all || t.asked }

// unavailable has the errors of values that are just not there.
var unavailable = [...]abi.Errno{
	abi.ENOENT, abi.ENOPROTOOPT, abi.ENOTDIR, abi.EINVAL, abi.EOPNOTSUPP, abi.EPROTONOSUPPORT,
}

// unreadable says why a value is not printed.
func (t *tool) unreadable(path string, err error) {
	if !t.curious() {
		return
	}
	for _, e := range unavailable {
		if errors.Is(err, e) {
			t.complain("%s: the value is not available (%s)", path, util.ErrorText(err))
			return
		}
	}
	t.complain("%s: %s", path, util.ErrorText(err))
}

// unwritable says why a value was not set.
func (t *tool) unwritable(path string, err error) error {
	if t.curious() {
		t.complain("%s: %s", path, util.ErrorText(err))
	}
	return errRequest
}

// lookup finds a node, or says that there is none.
func (t *tool) lookup(name string) (*client.SysctlNode, error) {
	n, err := t.tree.Lookup(name)
	if err == nil {
		return n, nil
	}
	return nil, t.badName(err)
}

// badName says that a name is wrong.
func (t *tool) badName(err error) error {
	if t.quiet {
		t.errors++
		return errRequest
	}
	return t.fail("%s", err)
}
