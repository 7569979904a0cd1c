package client

import "github.com/rumpctrl/rumpctrl/abi"

// Modstat returns what is known of the kernel's modules: modctl(2) with MODCTL_STAT.
func (s *Sys) Modstat() ([]abi.Modstat, error) {
	// The kernel says how long the whole list is. It may have grown by the next call.
	for room := 64; ; {
		b := make([]byte, room*abi.SizeofModstat)
		size, err := s.modstat(b)
		if err != nil {
			return nil, err
		}
		if size > len(b) {
			room = size/abi.SizeofModstat + 1
			continue
		}
		list := make([]abi.Modstat, size/abi.SizeofModstat)
		for i := range list {
			if err := list[i].Decode(b[i*abi.SizeofModstat:]); err != nil {
				return nil, err
			}
		}
		return list, nil
	}
}

// maxModstat limits the list of modules, in bytes.
const maxModstat = 16 << 20

func (s *Sys) modstat(b []byte) (int, error) {
	r := s.request(abi.SYS_modctl)
	r.int(abi.MODCTL_STAT)
	iov := abi.Iovec{Base: r.c.Out(b), Len: uint64(len(b))}
	raw := iov.Append(nil)
	r.inout(raw)
	if err := r.do(); err != nil {
		return 0, err
	}
	if err := iov.Decode(raw); err != nil {
		return 0, err
	}
	if iov.Len > maxModstat {
		return 0, errCount
	}
	return int(iov.Len), nil
}

// Modload loads a module: modctl(2) with MODCTL_LOAD. Flags are abi.MODCTL_NO_PROP and
// MODCTL_LOAD_FORCE, props is a property list in XML or empty.
func (s *Sys) Modload(name string, flags int, props string) error {
	r := s.request(abi.SYS_modctl)
	r.int(abi.MODCTL_LOAD)
	ml := abi.ModctlLoad{Filename: r.c.InString(name), Flags: int32(flags)}
	if props != "" {
		ml.Props, ml.Propslen = r.c.InString(props), uint64(len(props)+1)
	}
	r.src(ml.Append(nil))
	return r.do()
}

// Modunload unloads a module: modctl(2) with MODCTL_UNLOAD.
func (s *Sys) Modunload(name string) error {
	r := s.request(abi.SYS_modctl)
	r.int(abi.MODCTL_UNLOAD)
	r.path(name)
	return r.do()
}

// Modexists tells by its error whether the caller may load modules now, or whether the kernel may by
// itself: modctl(2) with MODCTL_EXISTS. Errors: ENOSYS, EPERM.
func (s *Sys) Modexists(auto bool) error {
	r := s.request(abi.SYS_modctl)
	r.int(abi.MODCTL_EXISTS)
	var how uint64
	if auto {
		how = 1
	}
	r.word(how)
	return r.do()
}
