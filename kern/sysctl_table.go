package kern

import "github.com/rumpctrl/rumpctrl/abi"

// procTableNodes are the tables of processes and open files. kern.proc, kern.proc2 and kern.file have structures that
// the kernel's ABI file does not describe: they are there and answer that they are not supported.
func procTableNodes() []SysctlNode {
	node := &SysctlValue{Type: abi.CTLTYPE_NODE, Size: abi.SizeofSysctlnode}
	return []SysctlNode{
		{Path: "kern.proc", Num: abi.KERN_PROC, Value: node, Handler: unsupportedTable},
		{Path: "kern.proc2", Num: abi.KERN_PROC2, Value: node, Handler: unsupportedTable},
		{Path: "kern.proc_args", Num: abi.KERN_PROC_ARGS, Value: node, Handler: procArgs},
		{Path: "kern.file", Num: abi.KERN_FILE, Value: SysctlStruct(0, nil), Handler: unsupportedTable},
		{Path: "kern.file2", Num: abi.KERN_FILE2, Value: SysctlStruct(0, nil), Handler: fileTable},
	}
}

func unsupportedTable(*SysctlRequest) error { return abi.EOPNOTSUPP }

// procArgs is kern.proc_args.<pid>.<what>: of a process's arguments the kernel knows the first, its name.
func procArgs(r *SysctlRequest) error {
	if len(r.Name) != 2 || r.HasNew() {
		return abi.EINVAL
	}
	p := r.T.K.Proc(int(r.Name[0]))
	if p == nil {
		return abi.ESRCH
	}
	switch r.Name[1] {
	case abi.KERN_PROC_NARGV:
		return r.Reply(le.AppendUint32(nil, 1))
	case abi.KERN_PROC_ARGV:
		return r.Reply(append([]byte(p.Name()), 0))
	case abi.KERN_PROC_NENV, abi.KERN_PROC_ENV, abi.KERN_PROC_PATHNAME:
		return abi.EOPNOTSUPP
	}
	return abi.EINVAL
}

// fileTable is kern.file2.<by>.<which>.<size>.<count>: a structure kinfo_file, cut to size bytes, for each of at most count
// open files. By file each is told once, and which is 0; by process each descriptor, and which is a pid, or 0 or -1 for all.
func fileTable(r *SysctlRequest) error {
	if len(r.Name) != 4 {
		return abi.EINVAL
	}
	by, which, size, count := r.Name[0], r.Name[1], int(r.Name[2]), int(r.Name[3])
	switch {
	case r.HasNew():
		return abi.EPERM
	case size < 1 || size > abi.SizeofKinfoFile || count < 0:
		return abi.EINVAL
	}
	var files []abi.KinfoFile
	switch by {
	case abi.KERN_FILE_BYFILE:
		if which != 0 {
			return abi.EINVAL
		}
		files = r.T.K.filesByFile()
	case abi.KERN_FILE_BYPID:
		if which < -1 {
			return abi.EINVAL
		}
		files = r.T.K.filesByPID(int(which))
	default:
		return abi.EINVAL
	}
	var b []byte
	for i := range files {
		if r.old != 0 && i >= count {
			break
		}
		b = append(b, files[i].Append(nil)[:size]...)
	}
	return r.Reply(b)
}

// filesByPID lists the descriptors of a process, or of all for 0 and -1.
func (k *Kernel) filesByPID(pid int) []abi.KinfoFile {
	var files []abi.KinfoFile
	for _, p := range k.Procs() {
		if pid > 0 && p.PID != pid {
			continue
		}
		for fd := range p.Desc.last() + 1 {
			f, err := p.Desc.Get(fd)
			if err != nil {
				continue
			}
			ki := f.kinfo()
			ki.Pid, ki.Fd = uint32(p.PID), int32(fd)
			if on, err := p.Desc.Cloexec(fd); err == nil && on {
				ki.Ofileflags = abi.FD_CLOEXEC
			}
			files = append(files, ki)
			f.Release(p.internalThread())
		}
	}
	return files
}

// filesByFile lists the open files, each once.
func (k *Kernel) filesByFile() []abi.KinfoFile {
	var files []abi.KinfoFile
	seen := map[*File]bool{}
	for _, p := range k.Procs() {
		for fd := range p.Desc.last() + 1 {
			f, err := p.Desc.Get(fd)
			if err != nil {
				continue
			}
			if !seen[f] {
				seen[f] = true
				files = append(files, f.kinfo())
			}
			f.Release(p.internalThread())
		}
	}
	return files
}

// kinfo describes the file without its descriptor; the reference that the caller holds is not counted.
func (f *File) kinfo() abi.KinfoFile {
	f.OffMu.Lock()
	off := f.Offset
	f.OffMu.Unlock()
	refs := uint32(f.refs.Load() - 1)
	ki := abi.KinfoFile{Flag: f.Flags(), Ftype: uint32(f.Type), Count: refs, Usecount: refs, Foffset: uint64(off)}
	if n, ok := f.Ops.(Numbered); ok {
		ki.Fdata = n.Number()
	}
	if o, ok := f.Ops.(Owned); ok {
		ki.Fuid = o.Owner()
	}
	return ki
}

// Numbered is implemented by files that other tables list too, by the same number: sockets, whose ki_sockaddr in a pcblist is their
// ki_fdata here (sockstat(1)).
type Numbered interface {
	Number() uint64
}

// Owned is implemented by files that know whose they are: sockets. It is ki_fuid of kern.file2; of others that is 0.
type Owned interface {
	Owner() uint32
}
