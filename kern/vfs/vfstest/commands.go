package vfstest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// command is a word of the tables: what it does with its arguments, and its result as text.
type command func(r *runner, p *proc, a []string) (string, abi.Errno)

// errUsage is what a command says of arguments that it cannot read; no system call gives it.
const errUsage abi.Errno = 1 << 16

// directCalls are the words that are a system call each: the arguments are read as the call table says what they are.
func directCalls() map[string]int {
	return map[string]int{
		"open": abi.SYS_open, "openat": abi.SYS_openat, "close": abi.SYS_close,
		"mkdir": abi.SYS_mkdir, "mkdirat": abi.SYS_mkdirat, "rmdir": abi.SYS_rmdir,
		"unlink": abi.SYS_unlink, "unlinkat": abi.SYS_unlinkat,
		"link": abi.SYS_link, "linkat": abi.SYS_linkat,
		"symlink": abi.SYS_symlink, "symlinkat": abi.SYS_symlinkat,
		"rename": abi.SYS_rename, "renameat": abi.SYS_renameat, "__posix_rename": abi.SYS___posix_rename,
		"mkfifo": abi.SYS_mkfifo, "mkfifoat": abi.SYS_mkfifoat,
		"mknod": abi.SYS___mknod50, "mknodat": abi.SYS_mknodat,
		"chmod": abi.SYS_chmod, "lchmod": abi.SYS_lchmod, "fchmod": abi.SYS_fchmod, "fchmodat": abi.SYS_fchmodat,
		"chown": abi.SYS_chown, "lchown": abi.SYS_lchown, "fchown": abi.SYS_fchown, "fchownat": abi.SYS_fchownat,
		"chflags": abi.SYS_chflags, "lchflags": abi.SYS_lchflags, "fchflags": abi.SYS_fchflags,
		"truncate": abi.SYS_truncate, "ftruncate": abi.SYS_ftruncate, "lseek": abi.SYS_lseek,
		"access": abi.SYS_access, "faccessat": abi.SYS_faccessat,
		"chdir": abi.SYS_chdir, "fchdir": abi.SYS_fchdir, "umask": abi.SYS_umask,
		"fsync": abi.SYS_fsync, "fdatasync": abi.SYS_fdatasync, "pathconf": abi.SYS_pathconf,
		"posix_fallocate": abi.SYS_posix_fallocate, "fdiscard": abi.SYS_fdiscard,
		"seteuid": abi.SYS_seteuid, "undelete": abi.SYS_undelete,
	}
}

// callDirect makes a system call of words.
func (r *runner) callDirect(p *proc, num int, a []string) (string, abi.Errno) {
	var args []any
	for _, arg := range abi.SyscallByNum(num).Args {
		if arg.Kind == abi.ArgPad {
			args = append(args, 0)
			continue
		}
		if len(a) == 0 {
			break
		}
		v, ok := r.argument(arg.Kind, a[0])
		if !ok {
			return "", errUsage
		}
		args, a = append(args, v), a[1:]
	}
	if len(a) > 0 {
		return "", errUsage
	}
	v, e := p.Call(num, args...)
	return strconv.FormatInt(v, 10), e
}

// argument reads a word as an argument of a kind.
func (r *runner) argument(kind abi.ArgKind, word string) (any, bool) {
	switch kind {
	case abi.ArgString:
		return word, true
	case abi.ArgMode, abi.ArgRest:
		return r.number(word, 8)
	}
	return r.number(word, 0)
}

// number reads numbers and names of constants joined with "|".
func (r *runner) number(word string, base int) (int64, bool) {
	var sum int64
	for _, part := range strings.Split(word, "|") {
		v, named := constants()[part]
		if !named {
			var err error
			if v, err = strconv.ParseInt(part, base, 64); err != nil {
				return 0, false
			}
		}
		sum |= v
	}
	return sum, true
}

// constants are the names that the tables use.
func constants() map[string]int64 {
	return map[string]int64{
		"O_RDONLY": abi.O_RDONLY, "O_WRONLY": abi.O_WRONLY, "O_RDWR": abi.O_RDWR, "O_CREAT": abi.O_CREAT,
		"O_EXCL": abi.O_EXCL, "O_TRUNC": abi.O_TRUNC, "O_APPEND": abi.O_APPEND, "O_NONBLOCK": abi.O_NONBLOCK,
		"O_DIRECTORY": abi.O_DIRECTORY, "O_NOFOLLOW": abi.O_NOFOLLOW,
		"SEEK_SET": abi.SEEK_SET, "SEEK_CUR": abi.SEEK_CUR, "SEEK_END": abi.SEEK_END,
		"F_OK": abi.F_OK, "R_OK": abi.R_OK, "W_OK": abi.W_OK, "X_OK": abi.X_OK,
		"S_IFCHR": abi.S_IFCHR, "S_IFBLK": abi.S_IFBLK, "S_IFIFO": abi.S_IFIFO, "S_IFWHT": abi.S_IFWHT, "UF_OPAQUE": abi.UF_OPAQUE,
		"AT_FDCWD": abi.AT_FDCWD, "AT_REMOVEDIR": abi.AT_REMOVEDIR, "AT_EACCESS": abi.AT_EACCESS,
		"AT_SYMLINK_FOLLOW": abi.AT_SYMLINK_FOLLOW, "AT_SYMLINK_NOFOLLOW": abi.AT_SYMLINK_NOFOLLOW,
		"UF_NODUMP": abi.UF_NODUMP, "UF_IMMUTABLE": abi.UF_IMMUTABLE, "UF_APPEND": abi.UF_APPEND,
		"SF_ARCHIVED": abi.SF_ARCHIVED, "SF_IMMUTABLE": abi.SF_IMMUTABLE,
		"_PC_NAME_MAX": abi.PC_NAME_MAX, "_PC_PATH_MAX": abi.PC_PATH_MAX, "_PC_PIPE_BUF": abi.PC_PIPE_BUF,
		"_PC_NO_TRUNC": abi.PC_NO_TRUNC,
		"user":         abi.EXTATTR_NAMESPACE_USER, "system": abi.EXTATTR_NAMESPACE_SYSTEM,
	}
}

// composed are the words that are more than one call, or whose result is not the call's value.
func composed() map[string]command {
	return map[string]command{
		"create": cmdCreate, "cat": cmdCat, "make": cmdMake, "drop": cmdDrop, "fill": cmdFill,
		"read": cmdRead, "pread": cmdRead, "write": cmdWrite, "pwrite": cmdWrite,
		"stat": cmdStat, "lstat": cmdStat, "fstat": cmdFstat, "fstatat": cmdFstatat,
		"type": cmdType, "same": cmdSame, "blocksbelow": cmdBlocksBelow,
		"readlink": cmdReadlink, "readlinkat": cmdReadlinkat, "ls": cmdLs, "whiteouts": cmdWhiteouts, "getcwd": cmdGetcwd, "chain": cmdChain,
		"utimes": cmdUtimes, "lutimes": cmdUtimes, "futimes": cmdFutimes,
		"mark": cmdMark, "lmark": cmdMark, "changed": cmdChanged, "lchanged": cmdChanged,
		"clock": cmdClock, "recent": cmdRecent, "extattr": cmdExtattr,
	}
}

// arg is argument i, empty when it is not there.
func arg(a []string, i int) string {
	if i < len(a) {
		return a[i]
	}
	return ""
}

// cmdCreate: create PATH [DATA]. A file that is there is written anew.
func cmdCreate(_ *runner, p *proc, a []string) (string, abi.Errno) {
	return "", p.writeFile(arg(a, 0), []byte(arg(a, 1)))
}

// cmdCat: cat PATH gives the contents.
func cmdCat(_ *runner, p *proc, a []string) (string, abi.Errno) {
	b, e := p.readFile(arg(a, 0))
	return string(b), e
}

// cmdMake: make KIND PATH makes a file of any kind, of mode 0644.
func cmdMake(r *runner, p *proc, a []string) (string, abi.Errno) {
	path := arg(a, 1)
	var e abi.Errno
	switch arg(a, 0) {
	case "reg":
		e = p.writeFile(path, nil)
	case "dir":
		e = p.do(abi.SYS_mkdir, path, 0o755)
	case "fifo":
		e = p.do(abi.SYS_mkfifo, path, 0o644)
	case "chr":
		e = p.do(abi.SYS___mknod50, path, abi.S_IFCHR|0o644, 0x202)
	case "blk":
		e = p.do(abi.SYS___mknod50, path, abi.S_IFBLK|0o644, 0x202)
	case "lnk":
		return "", p.do(abi.SYS_symlink, "target", path)
	default:
		return "", errUsage
	}
	if e == 0 && !r.cfg.lacks(Owners) {
		e = p.do(abi.SYS_chmod, path, 0o644)
	}
	return "", e
}

// cmdDrop: drop PATH removes a file of any kind.
func cmdDrop(_ *runner, p *proc, a []string) (string, abi.Errno) {
	st, e := p.lstat(arg(a, 0))
	if e == 0 && st.Mode&abi.S_IFMT == abi.S_IFDIR {
		return "", p.rmdir(arg(a, 0))
	}
	return "", p.unlink(arg(a, 0))
}

// cmdFill: fill FD N writes N bytes.
func cmdFill(r *runner, p *proc, a []string) (string, abi.Errno) {
	fd, _ := r.number(arg(a, 0), 0)
	n, ok := r.number(arg(a, 1), 0)
	if !ok {
		return "", errUsage
	}
	got, e := p.write(int(fd), []byte(strings.Repeat("x", int(n))))
	if e == 0 && got < int(n) {
		e = abi.ENOSPC
	}
	return "", e
}

// cmdRead: read FD N, pread FD N OFFSET; gives the data.
func cmdRead(r *runner, p *proc, a []string) (string, abi.Errno) {
	fd, _ := r.number(arg(a, 0), 0)
	n, ok := r.number(arg(a, 1), 0)
	if !ok {
		return "", errUsage
	}
	var b []byte
	var e abi.Errno
	if len(a) == 3 {
		off, _ := r.number(a[2], 0)
		b, e = p.pread(int(fd), int(n), off)
	} else {
		b, e = p.read(int(fd), int(n))
	}
	return string(b), e
}

// cmdWrite: write FD DATA, pwrite FD DATA OFFSET; gives the count.
func cmdWrite(r *runner, p *proc, a []string) (string, abi.Errno) {
	fd, ok := r.number(arg(a, 0), 0)
	if !ok || len(a) < 2 {
		return "", errUsage
	}
	var n int
	var e abi.Errno
	if len(a) == 3 {
		off, _ := r.number(a[2], 0)
		n, e = p.pwrite(int(fd), []byte(a[1]), off)
	} else {
		n, e = p.write(int(fd), []byte(a[1]))
	}
	return strconv.Itoa(n), e
}

// field is a field of a stat structure, as the tables write it.
func field(st *abi.Stat, name string) (string, abi.Errno) {
	numbers := map[string]int64{"nlink": int64(st.Nlink), "uid": int64(st.Uid), "gid": int64(st.Gid), "size": st.Size,
		"blocks": st.Blocks, "ino": int64(st.Ino), "flags": int64(st.Flags),
		"atime": st.Atim.Sec, "mtime": st.Mtim.Sec, "ctime": st.Ctim.Sec, "btime": st.Birthtim.Sec}
	switch name {
	case "type":
		return typeName(st.Mode), 0
	case "mode":
		return strconv.FormatInt(int64(st.Mode&abi.ALLPERMS), 8), 0
	case "rdev":
		return fmt.Sprintf("%#x", st.Rdev), 0
	}
	v, ok := numbers[name]
	if !ok {
		return "", errUsage
	}
	return strconv.FormatInt(v, 10), 0
}

// cmdStat: stat PATH FIELD, lstat PATH FIELD.
func cmdStat(r *runner, p *proc, a []string) (string, abi.Errno) {
	call := p.stat
	if r.word == "lstat" {
		call = p.lstat
	}
	st, e := call(arg(a, 0))
	if e != 0 {
		return "", e
	}
	return field(&st, arg(a, 1))
}

// cmdFstat: fstat FD FIELD.
func cmdFstat(r *runner, p *proc, a []string) (string, abi.Errno) {
	fd, _ := r.number(arg(a, 0), 0)
	st, e := p.fstat(int(fd))
	if e != 0 {
		return "", e
	}
	return field(&st, arg(a, 1))
}

// cmdFstatat: fstatat FD PATH FIELD FLAGS.
func cmdFstatat(r *runner, p *proc, a []string) (string, abi.Errno) {
	fd, _ := r.number(arg(a, 0), 0)
	flags, _ := r.number(arg(a, 3), 0)
	st, e := p.statBy(abi.SYS_fstatat, fd, arg(a, 1), flags)
	if e != 0 {
		return "", e
	}
	return field(&st, arg(a, 2))
}

// cmdType: type PATH gives the kind of file, not followed; "none" when nothing is there.
func cmdType(_ *runner, p *proc, a []string) (string, abi.Errno) {
	st, e := p.lstat(arg(a, 0))
	if e == abi.ENOENT {
		return "none", 0
	}
	return typeName(st.Mode), e
}

// cmdSame: same PATH PATH says whether both are the same file, not followed.
func cmdSame(_ *runner, p *proc, a []string) (string, abi.Errno) {
	x, e := p.lstat(arg(a, 0))
	if e != 0 {
		return "", e
	}
	y, e := p.lstat(arg(a, 1))
	return yesNo(x.Ino == y.Ino && x.Dev == y.Dev), e
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

// cmdBlocksBelow: blocksbelow PATH N says whether the file holds less than N blocks of 512 bytes.
func cmdBlocksBelow(r *runner, p *proc, a []string) (string, abi.Errno) {
	st, e := p.stat(arg(a, 0))
	n, ok := r.number(arg(a, 1), 0)
	if !ok {
		return "", errUsage
	}
	return yesNo(st.Blocks < n), e
}

// cmdReadlink: readlink PATH [N].
func cmdReadlink(r *runner, p *proc, a []string) (string, abi.Errno) {
	n := int64(abi.PATH_MAX)
	if len(a) > 1 {
		n, _ = r.number(a[1], 0)
	}
	return p.readlink(arg(a, 0), int(n))
}

// cmdReadlinkat: readlinkat FD PATH.
func cmdReadlinkat(r *runner, p *proc, a []string) (string, abi.Errno) {
	fd, _ := r.number(arg(a, 0), 0)
	b := make([]byte, abi.PATH_MAX)
	n, e := p.Call(abi.SYS_readlinkat, fd, arg(a, 1), b, len(b))
	return string(b[:max(n, 0)]), e
}

// cmdLs: ls PATH gives the names, sorted.
func cmdLs(_ *runner, p *proc, a []string) (string, abi.Errno) {
	list, e := p.readdir(arg(a, 0))
	slices.SortFunc(list, func(x, y entry) int { return strings.Compare(x.name, y.name) })
	return names(list), e
}

// cmdWhiteouts: whiteouts PATH gives the names of whiteouts, sorted.
func cmdWhiteouts(_ *runner, p *proc, a []string) (string, abi.Errno) {
	list, e := p.entries(arg(a, 0))
	list = slices.DeleteFunc(list, func(d entry) bool { return d.typ != abi.DT_WHT })
	slices.SortFunc(list, func(x, y entry) int { return strings.Compare(x.name, y.name) })
	return names(list), e
}

func cmdGetcwd(_ *runner, p *proc, _ []string) (string, abi.Errno) { return p.getcwd() }

// cmdChain: chain NAME N makes symbolic links NAME1 to NAME0, NAME2 to NAME1 and so on.
func cmdChain(r *runner, p *proc, a []string) (string, abi.Errno) {
	n, ok := r.number(arg(a, 1), 0)
	if !ok {
		return "", errUsage
	}
	for i := int64(1); i <= n; i++ {
		if e := p.do(abi.SYS_symlink, fmt.Sprint(a[0], i-1), fmt.Sprint(a[0], i)); e != 0 {
			return "", e
		}
	}
	return "", 0
}

// timespecs reads two times: seconds, "now" or "omit". Both "now" is a null pointer, as the older calls have it.
func (r *runner) timespecs(a []string) (buf any, ok bool) {
	if len(a) != 2 || a[0] == "now" && a[1] == "now" {
		return 0, len(a) == 2
	}
	b := make([]byte, 2*abi.SizeofTimespec)
	for i, word := range a {
		ts := abi.Timespec{}
		switch word {
		case "now":
			ts.Nsec = abi.UTIME_NOW
		case "omit":
			ts.Nsec = abi.UTIME_OMIT
		default:
			if ts.Sec, ok = r.number(word, 0); !ok {
				return nil, false
			}
		}
		if err := ts.Encode(b[i*abi.SizeofTimespec:]); err != nil {
			return nil, false
		}
	}
	return b, true
}

// cmdUtimes: utimes PATH ATIME MTIME, lutimes PATH ATIME MTIME.
func cmdUtimes(r *runner, p *proc, a []string) (string, abi.Errno) {
	times, ok := r.timespecs(a[min(1, len(a)):])
	if !ok {
		return "", errUsage
	}
	flags := 0
	if r.word == "lutimes" {
		flags = abi.AT_SYMLINK_NOFOLLOW
	}
	return "", p.do(abi.SYS_utimensat, abi.AT_FDCWD, a[0], times, flags)
}

// cmdFutimes: futimes FD ATIME MTIME.
func cmdFutimes(r *runner, p *proc, a []string) (string, abi.Errno) {
	times, ok := r.timespecs(a[min(1, len(a)):])
	fd, isNum := r.number(arg(a, 0), 0)
	if !ok || !isNum {
		return "", errUsage
	}
	return "", p.do(abi.SYS_futimens, int(fd), times)
}

// stamps are the three times of a file.
type stamps [3]time.Time

func stampsOf(st *abi.Stat) stamps {
	at := func(ts abi.Timespec) time.Time { return time.Unix(ts.Sec, ts.Nsec) }
	return stamps{at(st.Atim), at(st.Mtim), at(st.Ctim)}
}

// statFor is stat or lstat, as the command's word begins.
func (r *runner) statFor(p *proc, path string) (abi.Stat, abi.Errno) {
	if strings.HasPrefix(r.word, "l") {
		return p.lstat(path)
	}
	return p.stat(path)
}

// cmdMark: mark PATH... notes times and lets the kernel's clock go on by more than the file system can tell apart.
func cmdMark(r *runner, p *proc, a []string) (string, abi.Errno) {
	for _, path := range a {
		st, e := r.statFor(p, path)
		if e != 0 {
			return "", e
		}
		r.marks[path] = stampsOf(&st)
	}
	r.k.SetTime(r.k.Now().Add(10*time.Second + 2*r.cfg.granularity()))
	return "", 0
}

// cmdChanged: changed PATH says which times have moved since mark: letters of "amc", or "-". A file system without such times
// shows only the m.
func cmdChanged(r *runner, p *proc, a []string) (string, abi.Errno) {
	st, e := r.statFor(p, arg(a, 0))
	before, marked := r.marks[arg(a, 0)]
	if e != 0 || !marked {
		return "", e
	}
	changed := ""
	for i, now := range stampsOf(&st) {
		if !now.Equal(before[i]) {
			changed += "amc"[i : i+1]
		}
	}
	if changed == "" {
		return "-", 0
	}
	if r.cfg.lacks(Times) && strings.Contains(changed, "m") {
		return "mc", 0
	}
	return changed, 0
}

// cmdClock: clock gives the kernel's time in seconds.
func cmdClock(r *runner, _ *proc, _ []string) (string, abi.Errno) {
	return strconv.FormatInt(r.k.Now().Unix(), 10), 0
}

// cmdRecent: recent PATH TIME says whether the file was modified since then, as far as the file system can tell, and not in the future.
func cmdRecent(r *runner, p *proc, a []string) (string, abi.Errno) {
	st, e := p.stat(arg(a, 0))
	since, ok := r.number(arg(a, 1), 0)
	if !ok {
		return "", errUsage
	}
	modified := stampsOf(&st)[1]
	early := modified.Before(time.Unix(since, 0).Add(-r.cfg.granularity()))
	late := modified.After(r.k.Now().Add(r.cfg.granularity()))
	return yesNo(!early && !late), e
}

// cmdExtattr: extattr get|set|delete|list PATH NAMESPACE [NAME [VALUE]].
func cmdExtattr(r *runner, p *proc, a []string) (string, abi.Errno) {
	ns, ok := r.number(arg(a, 2), 0)
	if !ok {
		return "", errUsage
	}
	path, name, buf := a[1], arg(a, 3), make([]byte, 1024)
	switch a[0] {
	case "set":
		value := []byte(arg(a, 4))
		n, e := p.Call(abi.SYS_extattr_set_file, path, ns, name, value, len(value))
		return strconv.FormatInt(n, 10), e
	case "get":
		n, e := p.Call(abi.SYS_extattr_get_file, path, ns, name, buf, len(buf))
		return string(buf[:max(n, 0)]), e
	case "delete":
		return "", p.do(abi.SYS_extattr_delete_file, path, ns, name)
	case "list":
		n, e := p.Call(abi.SYS_extattr_list_file, path, ns, buf, len(buf))
		return joinCounted(buf[:max(n, 0)]), e
	}
	return "", errUsage
}

// joinCounted joins names that each follow a byte with their length, as extattr_list_file(2) gives them.
func joinCounted(b []byte) string {
	var list []string
	for len(b) > 0 && int(b[0]) < len(b) {
		list = append(list, string(b[1:1+b[0]]))
		b = b[1+b[0]:]
	}
	return strings.Join(list, ",")
}
