// Package all is the list of the utilities. A utility becomes part of every program by one
// line here.
package all

import (
	"slices"

	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/arp"
	"github.com/rumpctrl/rumpctrl/util/brconfig"
	"github.com/rumpctrl/rumpctrl/util/cat"
	"github.com/rumpctrl/rumpctrl/util/chmod"
	"github.com/rumpctrl/rumpctrl/util/chown"
	"github.com/rumpctrl/rumpctrl/util/cmp"
	"github.com/rumpctrl/rumpctrl/util/cp"
	"github.com/rumpctrl/rumpctrl/util/date"
	"github.com/rumpctrl/rumpctrl/util/dd"
	"github.com/rumpctrl/rumpctrl/util/df"
	"github.com/rumpctrl/rumpctrl/util/dmesg"
	"github.com/rumpctrl/rumpctrl/util/du"
	"github.com/rumpctrl/rumpctrl/util/echo"
	"github.com/rumpctrl/rumpctrl/util/ed"
	"github.com/rumpctrl/rumpctrl/util/env"
	"github.com/rumpctrl/rumpctrl/util/find"
	"github.com/rumpctrl/rumpctrl/util/halt"
	"github.com/rumpctrl/rumpctrl/util/head"
	"github.com/rumpctrl/rumpctrl/util/hexdump"
	"github.com/rumpctrl/rumpctrl/util/hostname"
	"github.com/rumpctrl/rumpctrl/util/ifconfig"
	"github.com/rumpctrl/rumpctrl/util/kdump"
	"github.com/rumpctrl/rumpctrl/util/ktrace"
	"github.com/rumpctrl/rumpctrl/util/ln"
	"github.com/rumpctrl/rumpctrl/util/ls"
	"github.com/rumpctrl/rumpctrl/util/mkdir"
	"github.com/rumpctrl/rumpctrl/util/mkfifo"
	"github.com/rumpctrl/rumpctrl/util/mknod"
	"github.com/rumpctrl/rumpctrl/util/modstat"
	"github.com/rumpctrl/rumpctrl/util/mount"
	"github.com/rumpctrl/rumpctrl/util/mount_fdesc"
	"github.com/rumpctrl/rumpctrl/util/mount_kernfs"
	"github.com/rumpctrl/rumpctrl/util/mount_null"
	"github.com/rumpctrl/rumpctrl/util/mount_overlay"
	"github.com/rumpctrl/rumpctrl/util/mount_ptyfs"
	"github.com/rumpctrl/rumpctrl/util/mount_tmpfs"
	"github.com/rumpctrl/rumpctrl/util/mount_umap"
	"github.com/rumpctrl/rumpctrl/util/mount_union"
	"github.com/rumpctrl/rumpctrl/util/mv"
	"github.com/rumpctrl/rumpctrl/util/ndp"
	"github.com/rumpctrl/rumpctrl/util/netstat"
	"github.com/rumpctrl/rumpctrl/util/pax"
	"github.com/rumpctrl/rumpctrl/util/ping"
	"github.com/rumpctrl/rumpctrl/util/ping6"
	"github.com/rumpctrl/rumpctrl/util/printf"
	"github.com/rumpctrl/rumpctrl/util/pwd"
	"github.com/rumpctrl/rumpctrl/util/rm"
	"github.com/rumpctrl/rumpctrl/util/rmdir"
	"github.com/rumpctrl/rumpctrl/util/route"
	"github.com/rumpctrl/rumpctrl/util/rtadvd"
	"github.com/rumpctrl/rumpctrl/util/sh"
	"github.com/rumpctrl/rumpctrl/util/shmif_dumpbus"
	"github.com/rumpctrl/rumpctrl/util/sleep"
	"github.com/rumpctrl/rumpctrl/util/sockstat"
	"github.com/rumpctrl/rumpctrl/util/stat"
	"github.com/rumpctrl/rumpctrl/util/sync"
	"github.com/rumpctrl/rumpctrl/util/sysctl"
	"github.com/rumpctrl/rumpctrl/util/tail"
	"github.com/rumpctrl/rumpctrl/util/tcpdump"
	"github.com/rumpctrl/rumpctrl/util/test"
	"github.com/rumpctrl/rumpctrl/util/touch"
	"github.com/rumpctrl/rumpctrl/util/traceroute"
	"github.com/rumpctrl/rumpctrl/util/truth"
	"github.com/rumpctrl/rumpctrl/util/umount"
	"github.com/rumpctrl/rumpctrl/util/uname"
	"github.com/rumpctrl/rumpctrl/util/wc"
)

// table has the utilities in alphabetical order.
var table = [...]*util.Utility{
	&test.Bracket,
	&arp.Utility,
	&brconfig.Utility,
	&cat.Utility,
	&chown.Chgrp,
	&chmod.Utility,
	&chown.Utility,
	&cmp.Utility,
	&cp.Utility,
	&pax.Cpio,
	&date.Utility,
	&dd.Utility,
	&df.Utility,
	&dmesg.Utility,
	&du.Utility,
	&echo.Utility,
	&ed.Utility,
	&env.Utility,
	&truth.False,
	&find.Utility,
	&halt.Utility,
	&head.Utility,
	&hexdump.Utility,
	&hostname.Utility,
	&ifconfig.Utility,
	&kdump.Utility,
	&ktrace.Utility,
	&ln.Utility,
	&ls.Utility,
	&mkdir.Utility,
	&mkfifo.Utility,
	&mknod.Utility,
	&modstat.Utility,
	&mount.Utility,
	&mount_fdesc.Utility,
	&mount_kernfs.Utility,
	&mount_null.Utility,
	&mount_overlay.Utility,
	&mount_ptyfs.Utility,
	&mount_tmpfs.Utility,
	&mount_umap.Utility,
	&mount_union.Utility,
	&mv.Utility,
	&ndp.Utility,
	&netstat.Utility,
	&pax.Utility,
	&ping.Utility,
	&ping6.Utility,
	&halt.Poweroff,
	&printf.Utility,
	&pwd.Utility,
	&stat.Readlink,
	&halt.Reboot,
	&rm.Utility,
	&rmdir.Utility,
	&route.Utility,
	&rtadvd.Utility,
	&sh.Utility,
	&shmif_dumpbus.Utility,
	&sleep.Utility,
	&sockstat.Utility,
	&stat.Utility,
	&sync.Utility,
	&sysctl.Utility,
	&tail.Utility,
	&pax.Tar,
	&tcpdump.Utility,
	&test.Utility,
	&touch.Utility,
	&traceroute.Utility,
	&traceroute.Utility6,
	&truth.True,
	&umount.Utility,
	&uname.Utility,
	&wc.Utility,
}

// Utilities returns all utilities in alphabetical order.
func Utilities() []*util.Utility { return slices.Clone(table[:]) }

// Lookup returns the utility of a name, which may be one of its other names, or nil.
func Lookup(name string) *util.Utility {
	for _, u := range table {
		if u.Called(name) {
			return u
		}
	}
	return nil
}

// Set is the set of all utilities.
type Set struct{}

// Lookup is the function Lookup.
func (Set) Lookup(name string) *util.Utility { return Lookup(name) }

// Utilities is the function Utilities, for a shell that completes names.
func (Set) Utilities() []*util.Utility { return Utilities() }
