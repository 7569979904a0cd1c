// Package rtadvd is rtadvd(8), the router advertisement daemon: it tells hosts on a link of their router and of the prefixes that their
// addresses begin with, again and again and when they ask.
//
// It runs until it is interrupted, with -f or without: what a program does on a kernel ends with the program. Its work is done by a process of
// its own on the kernel, so that after an interrupt it can still say that the router goes.
//
// Start reading at daemon.run. router.go is an interface and its timers, config.go and capfile.go the configuration file, packet.go what is
// sent and received, input.go what follows from it, prefix.go which prefixes an interface has.
package rtadvd

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
)

// Utility is rtadvd(8).
var Utility = util.Utility{
	Name:    "rtadvd",
	Section: 8,
	Doc:     "router advertisement daemon",
	Usage:   []string{"usage: rtadvd [-DdfRs] [-c conffile] [-M ifname] interface ..."},
	Options: []util.Option{
		{Letter: 'c', Arg: "configfile", Doc: "The kernel's file to read in place of /etc/rtadvd.conf."},
		{Letter: 'D', Doc: "Tell of everything."},
		{Letter: 'd', Doc: "Tell more than errors."},
		{Letter: 'f', Doc: "Stay in the foreground, which it does in any case: & is the shell's."},
		{Letter: 'M', Arg: "ifname", Doc: "The interface for router renumbering; of no effect, as -R."},
		{Letter: 'R', Doc: "Accept router renumbering: not supported, and ignored with a warning."},
		{Letter: 's', Doc: "Do not follow changes of interfaces and their addresses."},
	},
	Operands: []util.Operand{{Name: "interface", Doc: "Where to advertise."}},
	SumsUp:   true,
	Main:     run,
}

// confFile is where the configuration is, in the kernel's file system.
const confFile = "/etc/rtadvd.conf"

// options are what the command line says.
type options struct {
	conf       string
	debug      int // 0 tells of errors, 1 of more, 2 of everything
	static     bool
	interfaces []string
}

func run(ctx context.Context, env *util.Env) int {
	o := &options{conf: confFile}
	g := env.Getopt()
	for g.Next() {
		switch g.Letter {
		case '?':
			return env.UsageError()
		case 'c':
			o.conf = g.Arg
		case 'd':
			o.debug = max(o.debug, 1)
		case 'D':
			o.debug = 2
		case 'R':
			env.Warnx("the -R option is currently ignored.")
		case 's':
			o.static = true
		}
	}
	if o.interfaces = g.Args(); len(o.interfaces) == 0 {
		return env.UsageError()
	}
	proc, err := env.Proc.Fork()
	if err != nil {
		return env.Err(err, "fork")
	}
	defer proc.Close()
	d := &daemon{env: env, proc: proc, options: o}
	if err := d.start(); err != nil {
		return env.Errx("%s", util.ErrorText(err))
	}
	d.run(ctx)
	return util.ExitOK
}

// daemon is one run.
type daemon struct {
	env  *util.Env
	proc *client.Process
	*options
	fd      int
	routers []*router
}

// The levels of messages.
const (
	levelError = iota
	levelInfo
	levelDebug
)

// log tells of something to standard error, if it is important enough.
func (d *daemon) log(level int, format string, args ...any) {
	if level <= d.debug {
		d.env.Warnx(format, args...)
	}
}

// start reads the configuration and opens the socket.
func (d *daemon) start() error {
	text, err := d.readConfFile()
	if err != nil {
		return err
	}
	list, err := d.proc.Interfaces()
	if err != nil {
		return err
	}
	now := time.Now()
	for _, name := range d.interfaces {
		ifp := findInterface(list, name)
		if ifp == nil {
			d.log(levelInfo, "interface %s not found, ignoring", name)
			continue
		}
		conf, err := d.configure(text, ifp, now)
		if err != nil {
			return err
		}
		d.routers = append(d.routers, newRouter(ifp, conf, now))
	}
	return d.open()
}

// readConfFile is the configuration file's text; a file that is not there is an empty one.
func (d *daemon) readConfFile() (string, error) {
	b, err := d.proc.ReadFile(d.conf)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !noFiles(err) {
		return "", util.Messagef("%s: %s", d.conf, err)
	}
	return string(b), nil
}

// configure is an interface's configuration, with the prefixes of its addresses if there are to be such. The kernel's own idea of the link
// becomes what is advertised.
func (d *daemon) configure(text string, ifp *client.Interface, now time.Time) (*config, error) {
	caps, err := lookupEntry(text, ifp.Name)
	if err != nil {
		return nil, err
	}
	if caps == nil {
		d.log(levelInfo, "%s isn't defined in the configuration file or the configuration file doesn't exist. Treat it as default", ifp.Name)
	}
	forwarding, err := d.proc.Sysctl().Int("net.inet6.ip6.forwarding")
	if err != nil {
		return nil, err
	}
	r := reader{capabilities: caps, ifname: ifp.Name, mtu: uint32(ifp.Data.Mtu), warn: d.env.Warnx}
	conf, err := r.readConfig(forwarding != 0, now)
	if err != nil {
		return nil, err
	}
	if conf.fromInterface {
		for _, p := range interfacePrefixes(ifp) {
			conf.prefixes = append(conf.prefixes, kernelPrefix(p, "KERNEL"))
		}
	}
	if err := d.reflect(ifp.Name, conf); err != nil {
		d.log(levelInfo, "ioctl:SIOCSIFINFO_IN6 at %s: %s", ifp.Name, util.ErrorText(err))
	}
	return conf, nil
}
