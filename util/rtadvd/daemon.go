package rtadvd

import (
	"context"
	"os"
	"os/signal"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/ping/echo"
	"github.com/rumpctrl/rumpctrl/util/routing"
)

const (
	// packetSize is as much of a packet as is read, controlSize room for its control messages.
	packetSize  = 4096
	controlSize = 256
)

// run advertises until it is interrupted, and then once more that there is no router.
func (d *daemon) run(ctx context.Context) {
	done := make(chan struct{})
	defer close(done)
	packets := echo.Receive(d.proc.Sys(), d.fd, packetSize, controlSize, done)
	defer d.proc.Sys().Shutdown(d.fd, abi.SHUT_RD) //nolint:errcheck // it only ends the receiver
	changes := d.watch(done)
	signals := make(chan os.Signal, 1)
	if d.env.Stdin == os.Stdin { // the program's signals are ours
		signal.Notify(signals, daemonSignals()...)
		defer signal.Stop(signals)
	}
	for d.env.Flush() == nil {
		timer := time.NewTimer(time.Until(d.advertise(time.Now())))
		select {
		case p, ok := <-packets:
			switch {
			case !ok:
				return // the kernel is gone
			case p.Err != nil:
				d.log(levelError, "recvmsg: %s", util.ErrorText(p.Err))
			default:
				d.input(&p)
			}
		case <-timer.C:
		case <-changes:
			d.update(time.Now())
		case sig := <-signals:
			if !d.signal(sig) {
				d.leave()
				return
			}
		case <-ctx.Done():
			d.leave()
			return
		}
		timer.Stop()
	}
}

// watch reports on the channel that an interface, or an address of one, has changed. Without the routing socket nothing does.
func (d *daemon) watch(done <-chan struct{}) <-chan struct{} {
	changes := make(chan struct{}, 1)
	if d.static {
		return changes
	}
	s, err := routing.Open(d.proc)
	if err != nil {
		d.log(levelError, "routing socket: %s", util.ErrorText(err))
		return changes
	}
	go func() {
		defer s.Close() //nolint:errcheck // nothing was written
		for {
			b, err := s.Receive()
			if err != nil || len(b) == 0 {
				return
			}
			select {
			case changes <- struct{}{}:
			case <-done:
				return
			default: // one is on its way
			}
		}
	}()
	return changes
}

// update takes over what interfaces are like now. Prefixes that have come or gone are told soon.
func (d *daemon) update(now time.Time) {
	list, err := d.proc.Interfaces()
	if err != nil {
		d.log(levelError, "can't get interface addresses: %s", util.ErrorText(err))
		return
	}
	for _, r := range d.routers {
		ifp := findInterface(list, r.ifp.Name)
		if ifp == nil {
			gone := *r.ifp
			gone.Flags &^= abi.IFF_UP
			ifp = &gone
		}
		if r.update(ifp, now) {
			d.log(levelDebug, "the prefixes of %s have changed", ifp.Name)
			r.solicit(now)
		}
	}
}

// advertise sends what is due, and says when there is more to do.
func (d *daemon) advertise(now time.Time) time.Time {
	next := now.Add(time.Hour)
	for _, r := range d.routers {
		if !r.up() {
			continue
		}
		if !now.Before(r.next) {
			r.forget(now)
			d.output(r, r.conf, now)
			r.advertised(now)
		}
		if r.next.Before(next) {
			next = r.next
		}
	}
	return next
}

// output sends one advertisement.
func (d *daemon) output(r *router, c *config, now time.Time) {
	d.log(levelDebug, "send RA on %s, # of waitings = %d", r.ifp.Name, r.waiting)
	if err := d.send(r.ifp, c.advertisement(r.ifp.LinkAddr, now)); err != nil {
		d.log(levelError, "sendmsg on %s: %s", r.ifp.Name, util.ErrorText(err))
	}
}

// leave tells that the router ceases to be one.
func (d *daemon) leave() {
	now := time.Now()
	for _, r := range d.routers {
		if r.up() {
			d.output(r, r.conf.final(), now)
		}
	}
	d.log(levelInfo, "gracefully terminated")
}

// reload reads the configuration again. An interface whose configuration is wrong keeps the old one; the others' old one is told to be over.
func (d *daemon) reload(now time.Time) {
	d.log(levelInfo, "reloading config on SIGHUP")
	text, err := d.readConfFile()
	if err != nil {
		d.log(levelError, "%s", util.ErrorText(err))
		return
	}
	for _, r := range d.routers {
		conf, err := d.configure(text, r.ifp, now)
		if err != nil {
			d.log(levelError, "%s", util.ErrorText(err))
			continue
		}
		if r.up() {
			d.output(r, r.conf.final(), now)
		}
		r.conf, r.initial, r.lastSent = conf, 0, now
		r.next = now.Add(minDelay)
	}
}
