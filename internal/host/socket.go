package host

import (
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// BindSocket runs bind, which makes a unix socket at path and listens there. When the address is in use by nobody
// (the socket is there and is ours, but its server is dead: connecting is refused) the old socket is removed
// and bind runs again. A lock on the directory keeps two servers from taking the place at once.
//
// Errors: those of bind; EADDRINUSE stands when somebody answers, or when what is there is not a socket of
// this user.
func BindSocket(path string, bind func() error) error {
	unlock, locked := lockDir(filepath.Dir(path))
	defer unlock()
	err := bind()
	if Errno(err) != abi.EADDRINUSE || !locked || !deadSocket(path) {
		return err
	}
	if removed := os.Remove(path); removed != nil {
		return err
	}
	return bind()
}

// deadSocket says that there is a socket of this user that nobody listens to.
func deadSocket(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&fs.ModeSocket == 0 || !ownFile(info) {
		return false
	}
	c, err := net.Dial("unix", path)
	if err == nil {
		c.Close()
	}
	return Errno(err) == abi.ECONNREFUSED
}

// lockPatience is how long another server may take to bind in the same directory. Whoever can read a directory
// can lock it for as long as he likes, so that there must be an end.
const lockPatience = time.Second

// lockDir locks a directory until unlock is called. It is false when there is no lock to be had.
func lockDir(dir string) (unlock func(), ok bool) {
	f, err := os.Open(dir)
	if err != nil {
		return func() {}, false
	}
	locked, given := make(chan error, 1), make(chan struct{})
	unlock = sync.OnceFunc(func() { close(given) })
	go func() {
		locked <- waitLock(f)
		<-given
		f.Close()
	}()
	patience := time.NewTimer(lockPatience)
	defer patience.Stop()
	select {
	case err = <-locked:
		return unlock, err == nil
	case <-patience.C:
		return unlock, false
	}
}
