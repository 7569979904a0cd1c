// Package mknod is mknod(8): it makes devices and fifos in the kernel's file systems.
//
// Start reading at run; format.go has the device numbers of other systems.
package mknod

import (
	"context"
	"errors"
	"strconv"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/passwd"
)

// Utility is mknod.
var Utility = util.Utility{
	Name:    "mknod",
	Section: 8,
	Doc:     "make device special file",
	Usage: []string{
		"usage: mknod [-rR] [-F format] [-m mode] [-u user] [-g group]",
		"                   [ name [b | c] [major | driver] minor",
		"                   | name [b | c] major unit subunit",
		"                   | name [b | c] number",
		"                   | name p ]",
		"       mknod -l [driver] ...",
	},
	Options: []util.Option{
		{Letter: 'F', Arg: "format", Doc: "Pack the numbers as another system does: 386bsd, 4bsd, bsdos, freebsd, hpux, " +
			"isc, linux, native, netbsd, osf1, sco, solaris, sunos, svr3, svr4, ultrix."},
		{Letter: 'g', Arg: "group", Doc: "The group: a name or a number, which # marks as one."},
		{Letter: 'l', Doc: "List the kernel's drivers with their major numbers."},
		{Letter: 'm', Arg: "mode", Doc: "The permissions: octal or symbolic."},
		{Letter: 'R', Doc: "Replace a file of another type, and correct the permissions, the user and the group."},
		{Letter: 'r', Doc: "Replace a file of another type."},
		{Letter: 'u', Arg: "user", Doc: "The user: a name or a number, which # marks as one."},
	},
	Operands: []util.Operand{
		{Name: "name", Doc: "The file to make."},
		{Name: "b | c | p", Doc: "A block device, a character device or a fifo."},
		{Name: "major | driver", Doc: "The driver's number, or its name."},
		{Name: "minor", Doc: "Which of the driver's devices."},
		{Name: "unit subunit", Doc: "The same in two parts, for bsdos."},
		{Name: "number", Doc: "The device number as it is stored."},
	},
	Main: run,
}

// defaultMode are the permissions before the umask.
const defaultMode = 0o666

// maker is a run of mknod.
type maker struct {
	env       *util.Env
	sys       *client.Sys
	pack      packer
	formatted bool // -F
	replace   bool // -r, -R
	correct   bool // -R
	uid, gid  int  // -1: as they come
	modeText  string
	mode      uint32
	dev       uint64
}

func run(_ context.Context, env *util.Env) int {
	m := &maker{env: env, sys: env.Proc.Sys(), pack: packNetBSD, uid: -1, gid: -1}
	list := false
	g := env.Getopt()
	for g.Next() {
		var err error
		switch g.Letter {
		case 'l':
			list = true
		case 'r':
			m.replace, m.correct = true, false
		case 'R':
			m.replace, m.correct = true, true
		case 'F', 'g', 'm', 'u':
			err = m.setOption(g.Letter, g.Arg)
		default:
			return env.UsageError()
		}
		if err != nil {
			return env.Errx("%s", err)
		}
	}
	if list {
		return listDrivers(env, g.Args())
	}
	return m.run(g.Args())
}

// setOption sets an option that has an argument. The error is the text of a message.
func (m *maker) setOption(letter byte, arg string) error {
	switch letter {
	case 'F':
		if m.pack, m.formatted = formatOf(arg), true; m.pack == nil {
			return util.Messagef("invalid format: %s", arg)
		}
	case 'm':
		if _, ok := util.SetMode(arg, 0); !ok {
			return util.Messagef("Cannot set file mode `%s': %s", arg, abi.EINVAL)
		}
		m.modeText = arg
	case 'g':
		gid, ok := passwd.New(m.sys).ParseGID(arg)
		if !ok {
			return util.Messagef("%s: invalid group name", arg)
		}
		m.gid = int(int32(gid))
	case 'u':
		uid, ok := passwd.New(m.sys).ParseUID(arg)
		if !ok {
			return util.Messagef("%s: invalid user name", arg)
		}
		m.uid = int(int32(uid))
	}
	return nil
}

// run makes the file that the operands describe.
func (m *maker) run(args []string) int {
	if len(args) < 2 || len(args) > 5 {
		return m.env.UsageError()
	}
	types := map[string]uint32{"b": abi.S_IFBLK, "c": abi.S_IFCHR, "p": abi.S_IFIFO}
	typ, numbers := types[args[1]], args[2:]
	switch {
	case typ == 0:
		return m.env.Errx("node type must be 'b', 'c' or 'p'.")
	case typ == abi.S_IFIFO && m.formatted:
		return m.env.Errx("format is meaningless for fifos")
	case (typ == abi.S_IFIFO) != (len(numbers) == 0):
		return m.env.UsageError()
	}
	if err := m.number(numbers, typ); err != nil {
		return m.env.Errx("%s", err)
	}
	restore, err := m.permissions()
	if err != nil {
		return m.env.Err(err, "umask")
	}
	defer restore()
	m.mode |= typ
	if err := m.make(args[0]); err != nil {
		return m.env.Err(err, "%s", args[0])
	}
	if m.uid == -1 && m.gid == -1 {
		return util.ExitOK
	}
	if err := m.sys.Chown(args[0], m.uid, m.gid); err != nil {
		m.env.Warn(err, "%s: uid/gid not changed", args[0])
	}
	return util.ExitOK
}

// number sets the device's number.
func (m *maker) number(args []string, typ uint32) error {
	n := make([]uint64, len(args))
	for i, arg := range args {
		v, err := strconv.ParseUint(arg, 0, 64)
		switch {
		case err == nil:
			n[i] = v
		case i == 0 && len(args) == 2 && !errors.Is(err, strconv.ErrRange) && (arg == "" || arg[0] < '0' || arg[0] > '9'):
			list, err := drivers(m.env.Proc)
			if err != nil {
				return util.Messagef("kern.drivers: %s", err)
			}
			major := majorOf(list, arg, typ)
			if major == -1 {
				return util.Messagef("unknown driver: %s", arg)
			}
			n[i] = uint64(major)
		default:
			return util.Messagef("invalid number: %s", arg)
		}
	}
	var err error
	switch len(n) {
	case 0:
	case 1:
		m.dev = n[0]
	default:
		m.dev, err = m.pack(n)
	}
	return err
}

// permissions sets the permissions. Those that -m gives hold whatever the umask, which is 0 until restore is called.
func (m *maker) permissions() (restore func(), err error) {
	m.mode = defaultMode
	if m.modeText == "" && !m.correct {
		return func() {}, nil // the kernel applies the umask
	}
	mask, err := m.sys.Umask(0)
	if err != nil {
		return nil, err
	}
	m.mode &^= mask
	if m.modeText != "" {
		mode, _ := util.SetMode(m.modeText, mask)
		m.mode = mode.Apply(m.mode)
	}
	return func() { _, _ = m.sys.Umask(mask) }, nil
}

// make makes the file, and sees to one that is there already.
func (m *maker) make(name string) error {
	err := m.node(name)
	if err != abi.EEXIST || !m.replace {
		return err
	}
	var st abi.Stat
	same := m.sys.Lstat(name, &st) == nil && st.Mode&abi.S_IFMT == m.mode&abi.S_IFMT &&
		(m.mode&abi.S_IFMT == abi.S_IFIFO || st.Rdev == m.dev)
	switch {
	case same && !m.correct:
		m.uid, m.gid = -1, -1
		return nil
	case same && st.Mode == m.mode:
		return nil
	case same:
		return m.sys.Chmod(name, m.mode&0o7777)
	}
	if err := m.sys.Unlink(name); err != nil {
		return err
	}
	return m.node(name)
}

// node is mknod(2) or mkfifo(2).
func (m *maker) node(name string) error {
	if m.mode&abi.S_IFMT == abi.S_IFIFO {
		return m.sys.Mkfifo(name, m.mode&0o7777)
	}
	return m.sys.Mknod(name, m.mode, m.dev)
}
