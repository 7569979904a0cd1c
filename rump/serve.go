package rump

import (
	"context"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/internal/host"
	"github.com/rumpctrl/rumpctrl/sysproxy"
)

// answerTime is how long clients of a halted kernel may take to read their last answers.
const answerTime = 2 * time.Second

// Listen has the kernel serve clients at a URL, in the background, until it halts: unix://PATH, tcp://HOST:PORT,
// tls://HOST:PORT. Before Boot clients can connect already; they are served when the kernel runs. The result is the URL
// for clients, with the port where the system chose it.
//
// A unix socket that a dead server of the same user left behind is replaced; one that somebody listens to is not.
//
// Errors: *sysproxy.URLError, *sysproxy.ListenError, *sysproxy.TLSError; ENXIO for a kernel that has halted.
func (k *Kernel) Listen(url string, opts ...sysproxy.ListenOption) (string, error) {
	l, err := bind(url, opts)
	if err != nil {
		return "", err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		l.Close()
		return "", abi.ENXIO
	}
	k.listeners = append(k.listeners, l)
	if k.booted {
		go k.accept(l)
	}
	return l.URL(), nil
}

// accept serves a listener's clients until it is closed.
func (k *Kernel) accept(l sysproxy.Listener) {
	err := k.remote.server.Serve(l)
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.closed {
		k.kernel.Logf("rump_sp: no more clients at %s: %v\n", l.URL(), err)
	}
}

func bind(url string, opts []sysproxy.ListenOption) (l sysproxy.Listener, err error) {
	at, err := sysproxy.ParseURL(url, true)
	if err != nil {
		return nil, err
	}
	listen := func() error {
		l, err = sysproxy.Listen(url, opts...)
		return err
	}
	if at.Scheme == "unix" {
		err = host.BindSocket(at.Path, listen)
	} else {
		err = listen()
	}
	return l, err
}

// Serve listens at a URL and serves clients of a booted kernel until the kernel has halted, or ctx ends, which halts it.
//
// Errors: as Listen; what ended ctx.
func (k *Kernel) Serve(ctx context.Context, url string, opts ...sysproxy.ListenOption) error {
	if _, err := k.Listen(url, opts...); err != nil {
		return err
	}
	select {
	case <-k.gone:
		return nil
	case <-ctx.Done():
		k.Halt()
		return context.Cause(ctx)
	}
}

// stopListening closes the listeners, whose sockets are removed so, and has the connections closed when the kernel has
// halted. Who halted the kernel by reboot(2) gets his answer in between.
func (k *Kernel) stopListening() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return
	}
	k.closed = true
	for _, l := range k.listeners {
		l.Close()
	}
	k.listeners = nil
	go k.finish()
}

// finish ends the connections once the kernel has halted.
func (k *Kernel) finish() {
	<-k.kernel.Done()
	ctx, cancel := context.WithTimeout(context.Background(), answerTime)
	defer cancel()
	k.remote.server.Shutdown(ctx)
	close(k.gone)
}
