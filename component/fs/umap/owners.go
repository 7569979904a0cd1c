package umap

import (
	"encoding/binary"
	"math"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/component/vfs/layerfs"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

// entrySize is the size of an entry of a map in mount(2)'s arguments: two longs, the id that the layer shows and the id below.
const entrySize = 16

// entry is a pair of ids.
type entry struct{ up, down uint32 }

// idmap is a map of users or groups, searched in order: where an id stands twice, its first entry holds.
type idmap struct {
	entries []entry
	none    uint32 // what stands for ids that are in no entry, in both directions
}

// decode reads a map as mount(2) has it. An entry with a number that is no id maps nothing.
func decode(b []byte, none uint32) idmap {
	m := idmap{none: none}
	for ; len(b) >= entrySize; b = b[entrySize:] {
		up, down := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
		if up >= math.MaxUint32 || down >= math.MaxUint32 {
			up, down = noID, noID
		}
		m.entries = append(m.entries, entry{uint32(up), uint32(down)})
	}
	return m
}

// noID is nobody's id: calls take it for "unchanged".
const noID = math.MaxUint32

// down is the id below of one that the layer shows; ok is false for one in no entry.
func (m *idmap) down(id uint32) (_ uint32, ok bool) {
	for _, e := range m.entries {
		if e.up == id {
			return e.down, true
		}
	}
	return m.none, false
}

// up is the id that the layer shows of one below.
func (m *idmap) up(id uint32) uint32 {
	for _, e := range m.entries {
		if e.down == id {
			return e.up
		}
	}
	return m.none
}

// owners are both maps.
type owners struct{ users, groups idmap }

var _ layerfs.Owners = (*owners)(nil)

// Cred are somebody's credentials below: one whose user is in no entry is NOBODY, the superuser too, and groups in no entry are
// NULLGROUP.
func (o *owners) Cred(c *kern.Cred) *kern.Cred {
	uid := func(id uint32) uint32 { id, _ = o.users.down(id); return id }
	gid := func(id uint32) uint32 { id, _ = o.groups.down(id); return id }
	below := &kern.Cred{Ruid: uid(c.Ruid), Euid: uid(c.Euid), Svuid: uid(c.Svuid),
		Rgid: gid(c.Rgid), Egid: gid(c.Egid), Svgid: gid(c.Svgid), Groups: make([]uint32, len(c.Groups))}
	for i, g := range c.Groups {
		below.Groups[i] = gid(g)
	}
	return below
}

// Up are the owners of a file as the layer shows them.
func (o *owners) Up(uid, gid uint32) (uint32, uint32) { return o.users.up(uid), o.groups.up(gid) }

// Down turns the new owners of a file into those below. The original hands the numbers down as they are, so that a file given
// to somebody becomes a stranger's. Errors: EINVAL for an id in no entry: there is nobody below whom the file could be given to.
func (o *owners) Down(s *vfs.SetAttr) error {
	for _, c := range []struct {
		bit vfs.AttrMask
		id  *uint32
		m   *idmap
	}{{vfs.SetUID, &s.UID, &o.users}, {vfs.SetGID, &s.GID, &o.groups}} {
		if s.Valid&c.bit == 0 {
			continue
		}
		id, ok := c.m.down(*c.id)
		if !ok {
			return abi.EINVAL
		}
		*c.id = id
	}
	return nil
}
