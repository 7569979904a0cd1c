package memfs

import (
	"slices"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// maxXattr is the longest value of an extended attribute, in bytes.
const maxXattr = 64 << 10

// xattrKey names an extended attribute; ns is one of abi.EXTATTR_NAMESPACE_*.
type xattrKey struct {
	ns   int
	name string
}

// cost is what an attribute with that value is charged.
func (k xattrKey) cost(value []byte) int64 {
	return direntCost + nameCost(k.name) + roundUp(int64(len(value)), nameQuantum)
}

// xattrCost is the charge of all attributes; called with in.mu.
func (in *inode) xattrCost() int64 {
	var sum int64
	for k, v := range in.xattrs {
		sum += k.cost(v)
	}
	return sum
}

// GetExtAttr is the value of an attribute. Errors: ENODATA.
func (in *inode) GetExtAttr(_ *kern.Thread, ns int, name string) ([]byte, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	v, ok := in.xattrs[xattrKey{ns, name}]
	if !ok {
		return nil, abi.ENODATA
	}
	return slices.Clone(v), nil
}

// SetExtAttr gives an attribute a value, of at most 64 KiB. Errors: E2BIG, ENOSPC.
func (in *inode) SetExtAttr(_ *kern.Thread, ns int, name string, value []byte) error {
	if len(value) > maxXattr {
		return abi.E2BIG
	}
	key := xattrKey{ns, name}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.gone {
		return abi.ESTALE
	}
	old, had := in.xattrs[key]
	if err := in.fs.space.take(key.cost(value)); err != nil {
		return err
	}
	if had {
		in.fs.space.give(key.cost(old))
	}
	if in.xattrs == nil {
		in.xattrs = map[xattrKey][]byte{}
	}
	in.xattrs[key] = slices.Clone(value)
	return nil
}

// DeleteExtAttr removes an attribute. Errors: ENODATA.
func (in *inode) DeleteExtAttr(_ *kern.Thread, ns int, name string) error {
	key := xattrKey{ns, name}
	in.mu.Lock()
	defer in.mu.Unlock()
	old, ok := in.xattrs[key]
	if !ok {
		return abi.ENODATA
	}
	delete(in.xattrs, key)
	in.fs.space.give(key.cost(old))
	return nil
}

// ListExtAttr are the names of a namespace's attributes, sorted.
func (in *inode) ListExtAttr(_ *kern.Thread, ns int) ([]string, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	names := []string{}
	for k := range in.xattrs {
		if k.ns == ns {
			names = append(names, k.name)
		}
	}
	slices.Sort(names)
	return names, nil
}
