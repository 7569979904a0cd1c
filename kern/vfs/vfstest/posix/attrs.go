package posix

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// statCall is a system call of the stat family: stat PATH ATTRIBUTE,ATTRIBUTE... gives the values with commas between.
func statCall(num int, form string) call {
	return func(p *process, a []string) (string, abi.Errno, error) {
		if len(a) != 2 {
			return "", 0, fmt.Errorf("stat has a file and attributes")
		}
		args, err := p.arguments(form, a[:1])
		if err != nil {
			return "", 0, err
		}
		b := make([]byte, abi.SizeofStat)
		if _, errno := p.Call(num, args[0], b); errno != 0 {
			return "", errno, nil
		}
		var st abi.Stat
		if err := st.Decode(b); err != nil {
			return "", 0, err
		}
		values := strings.Split(a[1], ",")
		for i, name := range values {
			if values[i], err = attribute(&st, name); err != nil {
				return "", 0, err
			}
		}
		return strings.Join(values, ","), 0, nil
	}
}

// attribute is one attribute as the tables write it. Times are in seconds, what is below a second has names of its own.
func attribute(st *abi.Stat, name string) (string, error) {
	switch name {
	case "type":
		return typeName(st.Mode), nil
	case "mode":
		return "0" + strconv.FormatUint(uint64(st.Mode&^abi.S_IFMT), 8), nil
	case "flags":
		return flagsText(int64(st.Flags)), nil
	}
	numbers := map[string]int64{
		"inode": int64(st.Ino), "nlink": int64(st.Nlink), "uid": int64(st.Uid), "gid": int64(st.Gid), "size": st.Size,
		"major": int64(kern.Major(st.Rdev)), "minor": int64(kern.Minor(st.Rdev)),
		"atime": st.Atim.Sec, "mtime": st.Mtim.Sec, "ctime": st.Ctim.Sec, "birthtime": st.Birthtim.Sec,
		"atime_ns": st.Atim.Nsec, "mtime_ns": st.Mtim.Nsec, "ctime_ns": st.Ctim.Nsec, "birthtime_ns": st.Birthtim.Nsec,
	}
	n, ok := numbers[name]
	if !ok {
		return "", fmt.Errorf("no attribute %s", name)
	}
	return strconv.FormatInt(n, 10), nil
}

func typeName(mode uint32) string {
	switch mode & abi.S_IFMT {
	case abi.S_IFREG:
		return "regular"
	case abi.S_IFDIR:
		return "dir"
	case abi.S_IFIFO:
		return "fifo"
	case abi.S_IFBLK:
		return "block"
	case abi.S_IFCHR:
		return "char"
	case abi.S_IFSOCK:
		return "socket"
	case abi.S_IFLNK:
		return "symlink"
	}
	return "unknown"
}

// flagsText are the names of flags that chflags(2) sets.
func flagsText(bits int64) string {
	var names []string
	for _, f := range flagNames() {
		if isFileFlag(f.name) && bits&f.bits != 0 {
			names = append(names, f.name)
			bits &^= f.bits
		}
	}
	if bits != 0 {
		names = append(names, fmt.Sprintf("%#x", bits))
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ",")
}

func isFileFlag(name string) bool {
	return strings.HasPrefix(name, "UF_") || strings.HasPrefix(name, "SF_")
}
