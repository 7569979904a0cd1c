// Package passwd knows the names of users and groups: those in the kernel's /etc/passwd and /etc/group,
// passwd(5) and group(5). The host's are not looked at.
//
// Start reading at [DB].
package passwd

import (
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
)

// maxSize is how much of a file is read.
const maxSize = 4 << 20

// DB has the names of users and groups. The files are read when they are first asked for; one that
// cannot be read has no names. It belongs to one goroutine.
type DB struct {
	sys                 *client.Sys
	userFile, groupFile string
	users, groups       *table
}

// New returns the names of the kernel that sys is on.
func New(sys *client.Sys) *DB { return &DB{sys: sys, userFile: "/etc/passwd", groupFile: "/etc/group"} }

// NewIn returns the names that the files master.passwd and group of a directory have. The error is that of reading them.
func NewIn(sys *client.Sys, dir string) (*DB, error) {
	db := &DB{sys: sys, userFile: dir + "/master.passwd", groupFile: dir + "/group"}
	var err error
	if db.users, err = db.read(db.userFile); err == nil {
		db.groups, err = db.read(db.groupFile)
	}
	return db, err
}

// table has one of the files: of several entries for a name or a number the first holds.
type table struct {
	names map[uint32]string
	ids   map[string]uint32
}

// UserName returns the name of a user, or the number in decimal.
func (db *DB) UserName(uid uint32) string { return db.user().name(uid) }

// GroupName returns the name of a group, or the number in decimal.
func (db *DB) GroupName(gid uint32) string { return db.group().name(gid) }

// HasUser tells whether a user has a name.
func (db *DB) HasUser(uid uint32) bool {
	_, ok := db.user().names[uid]
	return ok
}

// HasGroup tells whether a group has a name.
func (db *DB) HasGroup(gid uint32) bool {
	_, ok := db.group().names[gid]
	return ok
}

// UID returns the user that a name or, if there is no such name, a number stands for.
func (db *DB) UID(s string) (uid uint32, ok bool) { return db.user().id(s) }

// GID returns the group that a name or, if there is no such name, a number stands for.
func (db *DB) GID(s string) (gid uint32, ok bool) { return db.group().id(s) }

// ParseUID returns the user that an operand of chown(8) stands for: as UID, but "#5" is always a number.
func (db *DB) ParseUID(s string) (uid uint32, ok bool) { return parseID(s, db.UID) }

// ParseGID returns the group that an operand of chown(8) stands for: as GID, but "#5" is always a number.
func (db *DB) ParseGID(s string) (gid uint32, ok bool) { return parseID(s, db.GID) }

func parseID(s string, named func(string) (uint32, bool)) (uint32, bool) {
	if number, marked := strings.CutPrefix(s, "#"); marked {
		id, err := strconv.ParseUint(number, 10, 32)
		return uint32(id), err == nil
	}
	return named(s)
}

func (db *DB) user() *table {
	if db.users == nil {
		db.users, _ = db.read(db.userFile) // one that cannot be read has no names
	}
	return db.users
}

func (db *DB) group() *table {
	if db.groups == nil {
		db.groups, _ = db.read(db.groupFile)
	}
	return db.groups
}

func (t *table) name(id uint32) string {
	if name, ok := t.names[id]; ok {
		return name
	}
	return strconv.FormatUint(uint64(id), 10)
}

func (t *table) id(s string) (uint32, bool) {
	if id, ok := t.ids[s]; ok {
		return id, true
	}
	id, err := strconv.ParseUint(s, 10, 32)
	return uint32(id), err == nil
}

// read reads a file of the kernel, as far as it can be.
func (db *DB) read(path string) (*table, error) {
	fd, err := db.sys.Open(path, abi.O_RDONLY|abi.O_CLOEXEC, 0)
	if err != nil {
		return parse(""), err
	}
	defer db.sys.Close(fd)
	var text []byte
	buf := make([]byte, 64<<10)
	for len(text) < maxSize {
		n, err := db.sys.Read(fd, buf)
		if err != nil {
			return parse(string(text)), err
		}
		if n == 0 {
			break
		}
		text = append(text, buf[:n]...)
	}
	return parse(string(text)), nil
}

// parse reads lines of "name:password:id:...". Others are passed over.
func parse(text string) *table {
	t := &table{names: map[uint32]string{}, ids: map[string]uint32{}}
	for line := range strings.SplitSeq(text, "\n") {
		f := strings.SplitN(line, ":", 4)
		if len(f) < 4 || f[0] == "" || f[0][0] == '#' {
			continue
		}
		n, err := strconv.ParseUint(f[2], 10, 32)
		if err != nil {
			continue
		}
		if _, had := t.names[uint32(n)]; !had {
			t.names[uint32(n)] = f[0]
		}
		if _, had := t.ids[f[0]]; !had {
			t.ids[f[0]] = uint32(n)
		}
	}
	return t
}
