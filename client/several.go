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
