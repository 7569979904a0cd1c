package client

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/sysproxy"
)

// FileStat is a file that Fstatats looks at.
type FileStat struct {
	Path string
	Stat abi.Stat // valid unless Err is set
	Err  error    // as Fstatat's
}

// Fstatats is Fstatat of many files of a directory. On a connection it costs a fraction of as many calls.
func (s *Sys) Fstatats(fd int, files []FileStat, flags int) {
	out := make([]byte, len(files)*abi.SizeofStat)
	requests := make([]request, len(files))
	for i := range files {
		requests[i] = s.at(abi.SYS_fstatat, fd, files[i].Path)
		requests[i].dst(out[i*abi.SizeofStat:][:abi.SizeofStat])
		requests[i].int(flags)
	}
	s.together(requests)
	for i := range files {
		f := &files[i]
		if f.Err = requests[i].do(); f.Err == nil {
			f.Err = f.Stat.Decode(out[i*abi.SizeofStat:])
		}
	}
}

// together makes the calls of requests that do not depend on each other. What remains is to ask each request for its result.
func (s *Sys) together(requests []request) {
	b, ok := s.t.(sysproxy.Batcher)
	if !ok {
		return
	}
	calls := make([]*sysproxy.Call, 0, len(requests))
	for i := range requests {
		if requests[i].err == nil {
			calls = append(calls, requests[i].c)
		}
	}
	err := b.DoAll(calls)
	for i := range requests {
		r := &requests[i]
		if r.made = r.err == nil; r.made {
			r.err = err
		}
	}
}

// SmallFile is a file that ReadSmall reads.
type SmallFile struct {
	Path string
	Data []byte // room for what the file holds; then that, as far as there is room
	Err  error
}

// ReadSmall reads files of a directory by one read(2) each, as many as the process may have descriptors. On a connection it
// costs a fraction of as many calls.
func (s *Sys) ReadSmall(fd int, files []SmallFile) {
	fds := make([]int, len(files))
	requests := make([]request, len(files))
	for i := range files {
		requests[i] = s.at(abi.SYS_openat, fd, files[i].Path)
		requests[i].int(abi.O_RDONLY | abi.O_NONBLOCK | abi.O_CLOEXEC)
		requests[i].int(0)
	}
	s.together(requests)
	for i := range files {
		fds[i], files[i].Err = requests[i].num()
	}
	s.readOpen(fds, files)
	requests = requests[:0]
	for i := range files {
		if fds[i] >= 0 {
			r := s.request(abi.SYS_close)
			r.int(fds[i])
			requests = append(requests, r)
		}
	}
	s.together(requests)
	for i := range requests {
		requests[i].do() //nolint:errcheck // nothing was written
	}
}

// readOpen reads those files that have been opened.
func (s *Sys) readOpen(fds []int, files []SmallFile) {
	var requests []request
	var open []*SmallFile
	for i := range files {
		if files[i].Err != nil {
			continue
		}
		r := s.request(abi.SYS_read)
		r.int(fds[i])
		r.out(files[i].Data)
		requests, open = append(requests, r), append(open, &files[i])
	}
	s.together(requests)
	for i, f := range open {
		n, err := requests[i].size(len(f.Data))
		f.Data, f.Err = f.Data[:max(n, 0)], err
	}
}

// OpenatClosing closes a descriptor of a directory that was read, and opens a file as Openat does.
func (s *Sys) OpenatClosing(old, fd int, path string, flags int) (int, error) {
	requests := []request{s.at(abi.SYS_openat, fd, path), s.request(abi.SYS_close)}
	requests[0].int(flags)
	requests[0].int(0)
	requests[1].int(old)
	s.together(requests)
	opened, err := requests[0].num()
	requests[1].do() //nolint:errcheck // nothing was written
	return opened, err
}

// GetdentsEnd is Getdents of what is likely to be all that there is: it fills more too, at the same time, to see the end. A
// directory of which both have something may have further entries.
func (s *Sys) GetdentsEnd(fd int, b, more []byte) (n, m int, err error) {
	var requests [2]request
	for i, p := range [][]byte{b, more} {
		requests[i] = s.request(abi.SYS___getdents30)
		requests[i].int(fd)
		requests[i].out(p)
	}
	s.together(requests[:])
	n, err = requests[0].size(len(b))
	m, also := requests[1].size(len(more))
	if err == nil {
		err = also
	}
	return max(n, 0), max(m, 0), err
}

// DirectoryRead is a directory that ReadDirectories opens and reads.
type DirectoryRead struct {
	Path  string
	Flags int    // of openat(2)
	Data  []byte // room for entries; then those that are there, as Getdents has them
	More  []byte // the same, to see the end: if both have something, there may be further entries
	FD    int    // at the end of what was read; to be closed by the caller unless Err is set
	Err   error  // of openat(2) or getdents(2)
}

// ReadDirectories closes descriptors that are of no use any more, opens directories below fd, and reads the beginning of each. On a
// connection it costs two calls.
func (s *Sys) ReadDirectories(closing []int, fd int, dirs []DirectoryRead) {
	requests := make([]request, 0, max(len(dirs)+len(closing), 2*len(dirs)))
	for i := range dirs {
		r := s.at(abi.SYS_openat, fd, dirs[i].Path)
		r.int(dirs[i].Flags)
		r.int(0)
		requests = append(requests, r)
	}
	for _, old := range closing {
		r := s.request(abi.SYS_close)
		r.int(old)
		requests = append(requests, r)
	}
	s.together(requests)
	for i := range dirs {
		dirs[i].FD, dirs[i].Err = requests[i].num()
	}
	for i := range closing {
		requests[len(dirs)+i].do() //nolint:errcheck // nothing was written
	}
	s.readDirectories(dirs, requests[:0])
}

// readDirectories reads those directories that have been opened.
func (s *Sys) readDirectories(dirs []DirectoryRead, requests []request) {
	for i := range dirs {
		d := &dirs[i]
		if d.Err != nil {
			continue
		}
		for _, p := range [...][]byte{d.Data, d.More} {
			r := s.request(abi.SYS___getdents30)
			r.int(d.FD)
			r.out(p)
			requests = append(requests, r)
		}
	}
	s.together(requests)
	for i := range dirs {
		d := &dirs[i]
		if d.Err != nil {
			continue
		}
		for j, p := range [...]*[]byte{&d.Data, &d.More} {
			n, err := requests[j].size(len(*p))
			*p = (*p)[:max(n, 0)]
			if d.Err == nil {
				d.Err = err
			}
		}
		requests = requests[2:]
		if d.Err != nil {
			s.Close(d.FD) //nolint:errcheck // nothing was written
		}
	}
}
