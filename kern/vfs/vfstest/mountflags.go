package vfstest

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
)

// runMountFlags mounts the file system anew with other flags. Oracle: mount(2), and EROFS in the pages of each call.
func runMountFlags(t *testing.T, c *Config) {
	if c.Remount == nil {
		t.Skip("cannot be mounted anew")
	}
	t.Run("read-only", func(t *testing.T) { mountReadOnly(t, c) })
	t.Run("noatime", func(t *testing.T) { mountNoAtime(t, c) })
	t.Run("nodev", func(t *testing.T) { mountNoDev(t, c) })
}

// readOnlyTable is what a read-only file system with a file f and a directory d answers.
const readOnlyTable = `
oracle: EROFS in open(2), mkdir(2), rmdir(2), unlink(2), rename(2), link(2), symlink(2), truncate(2), chmod(2), chown(2), utimes(2)
== read-only
cat f -> data
ls d -> ""
open f O_RDWR -> EROFS
open f O_WRONLY -> EROFS
open f O_RDONLY|O_TRUNC -> EROFS
open new O_RDWR|O_CREAT 644 -> EROFS
open f O_RDONLY|O_CREAT 644
open none O_RDONLY -> ENOENT
mkdir new 755 -> EROFS
mkdir d 755 -> EEXIST
rmdir d -> EROFS
unlink f -> EROFS
rename f g -> EROFS
rename d e -> EROFS
truncate f 0 -> EROFS
utimes f 1 1 -> EROFS
access f W_OK -> EROFS
access f R_OK
stat f size -> 4
== read-only: links [hardlinks]
link f g -> EROFS
== read-only: symbolic links [symlinks]
symlink f g -> EROFS
== read-only: special files [special]
mkfifo p 644 -> EROFS
mknod c S_IFCHR|600 0x202 -> EROFS
== read-only: owners [owners]
chmod f 600 -> EROFS
chown f 1 1 -> EROFS
== read-only: flags [flags]
chflags f UF_NODUMP -> EROFS
== read-only: reading changes no times [times]
mark f
cat f -> data
changed f -> -
`

func mountReadOnly(t *testing.T, c *Config) {
	k, dir := c.Boot(t)
	p := newProc(t, k, dir)
	if e := p.writeFile("f", []byte("data")); e != 0 {
		t.Fatal(e)
	}
	if e := p.mkdir("d"); e != 0 {
		t.Fatal(e)
	}
	c.Remount(t, k, dir, abi.MNT_RDONLY)
	runInlineTable(t, c, k, dir, readOnlyTable)
	c.Remount(t, k, dir, 0)
	if e := p.writeFile("f", []byte("again")); e != 0 {
		t.Errorf("writing after the file system is writable again: %v", e)
	}
}

func mountNoAtime(t *testing.T, c *Config) {
	if c.lacks(Times) {
		t.Skip("lacks access times")
	}
	k, dir := c.Boot(t)
	c.Remount(t, k, dir, abi.MNT_NOATIME)
	runInlineTable(t, c, k, dir, `
oracle: mount(8): noatime
== reading changes no times
create f data
mkdir d 755
mark f d
cat f -> data
ls d -> ""
changed f -> -
changed d -> -
== writing does
create f data
f := open f O_RDWR
mark f
write $f x -> 1
changed f -> mc
`)
}

func mountNoDev(t *testing.T, c *Config) {
	if c.lacks(Special) {
		t.Skip("lacks special files")
	}
	k, dir := c.Boot(t)
	c.Remount(t, k, dir, abi.MNT_NODEV)
	runInlineTable(t, c, k, dir, `
oracle: mount(8): nodev; open(2): ENXIO
== devices do not open
mknod null S_IFCHR|666 0x202
open null O_RDONLY -> ENXIO
mkfifo p 644
open p O_RDONLY|O_NONBLOCK
`)
}
