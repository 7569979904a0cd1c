package find

import (
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util/fts"
)

// remove is -delete, which follows no symbolic links.
func (p *parser) remove(string) (test, error) {
	p.after, p.delete, p.walk.Follow = true, true, false
	return p.finder.delete, nil
}

// delete removes a file, or a directory if it is empty. It is always true.
func (f *finder) delete(e *fts.Entry) bool {
	if e.Rel == "." || e.Rel == ".." {
		return true
	}
	if strings.Contains(e.Rel, "/") {
		f.status = f.env.Errx("-delete: %s: relative path potentially not safe", e.Path)
		return true
	}
	f.unprotect(e)
	call, flags := "unlink", 0
	if e.IsDir() {
		call, flags = "rmdir", abi.AT_REMOVEDIR
	}
	if err := f.sys.Unlinkat(f.cursor.FD(), e.Rel, flags); err != nil && (flags == 0 || err != abi.ENOTEMPTY) {
		f.env.Warn(err, "-delete: %s(%s)", call, e.Path)
	}
	return true
}

// Flags of a file that keep it from being removed.
const (
	userFlags  = abi.UF_APPEND | abi.UF_IMMUTABLE
	superFlags = abi.SF_APPEND | abi.SF_IMMUTABLE
)

// unprotect clears the flags by which an owner keeps a file from being removed, for the super-user.
func (f *finder) unprotect(e *fts.Entry) {
	if e.Stat.Flags&userFlags == 0 || e.Stat.Flags&superFlags != 0 {
		return
	}
	if uid, err := f.sys.Geteuid(); err != nil || uid != 0 {
		return
	}
	fd, err := f.sys.Openat(f.cursor.FD(), e.Rel, abi.O_RDONLY|abi.O_NONBLOCK|abi.O_NOFOLLOW|abi.O_CLOEXEC, 0)
	if err != nil {
		return // removing it will say why
	}
	defer f.sys.Close(fd)
	f.sys.Fchflags(fd, e.Stat.Flags&^userFlags) //nolint:errcheck // removing it will say why
}
