package pax

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"math"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
)

// tarReader reads tar archives of every kind that archive/tar knows.
type tarReader struct {
	tr    *tar.Reader
	in    *blockReader
	users owners
	at    int64 // of the trailer

	sparse bool // the member has holes that are not in the archive
}

// maxSparse is how large a member with holes may be: a short archive can claim any size for one.
const maxSparse = 64 << 30

// owners finds users and groups by their names.
type owners interface {
	UID(string) (uint32, bool)
	GID(string) (uint32, bool)
}

func newTarReader(r io.Reader, users owners) *tarReader {
	in := &blockReader{r: searcher{r: r}}
	return &tarReader{tr: tar.NewReader(in), in: in, users: users}
}

// blockReader counts what is read, and the blocks of zeros at its end.
type blockReader struct {
	r     searcher
	n     int64
	zeros int
	last  tarBlock // what was read last
	whole bool     // it is a block
}

func (b *blockReader) Read(p []byte) (int, error) {
	b.whole = false
	if len(p) != recordSize {
		n, err := b.r.Read(p)
		b.n += int64(n)
		return n, err
	}
	n, err := io.ReadFull(&b.r, p)
	b.n += int64(n)
	if n == recordSize {
		b.whole = true
		copy(b.last[:], p)
	}
	if n == recordSize && len(bytes.Trim(p, "\x00")) == 0 {
		b.zeros++
	} else if n > 0 {
		b.zeros = 0
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}

func (t *tarReader) Read(p []byte) (int, error) { return t.tr.Read(p) }
func (t *tarReader) end() int64                 { return t.at }
func (t *tarReader) device() uint64             { return 0 }

func (t *tarReader) next() (*member, error) {
	for {
		if !t.sparse { // of holes there may be more than anyone can read
			if _, err := io.Copy(io.Discard, t.tr); err != nil {
				return nil, err
			}
		}
		t.in.zeros = 0
		h, err := t.tr.Next()
		if errors.Is(err, io.EOF) {
			t.at = t.in.n - int64(min(t.in.zeros, 2))*recordSize
			return nil, io.EOF
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return nil, err
		}
		if t.sparse = isSparse(h); t.sparse && h.Size > maxSparse {
			return nil, tar.ErrHeader
		}
		if h.Typeflag != tar.TypeXGlobalHeader {
			return t.member(h)
		}
	}
}

// isSparse tells whether a header is of a file with holes, in any of GNU tar's ways.
func isSparse(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return h.Typeflag == tar.TypeGNUSparse
}

// fileType returns the type of a member by its flag in the header. What has data is a regular file.
func fileType(flag byte) uint32 {
	switch flag {
	case tar.TypeDir:
		return abi.S_IFDIR
	case tar.TypeSymlink:
		return abi.S_IFLNK
	case tar.TypeChar:
		return abi.S_IFCHR
	case tar.TypeBlock:
		return abi.S_IFBLK
	case tar.TypeFifo:
		return abi.S_IFIFO
	}
	return abi.S_IFREG
}

// member makes a member of a header.
func (t *tarReader) member(h *tar.Header) (*member, error) {
	if h.Name == "" || len(h.Name) > maxPath || len(h.Linkname) > maxPath || strings.Contains(h.Name+h.Linkname, "\x00") {
		return nil, tar.ErrHeader
	}
	m := &member{name: h.Name, st: abi.Stat{
		Mode: uint32(h.Mode)&0o7777 | fileType(h.Typeflag), Nlink: 1, Size: h.Size,
		Uid: clamp(h.Uid), Gid: clamp(h.Gid),
	}}
	if !m.isRegular() {
		m.st.Size = 0
	}
	if id, ok := named(t.users.UID, h.Uname); ok {
		m.st.Uid = id
	}
	if id, ok := named(t.users.GID, h.Gname); ok {
		m.st.Gid = id
	}
	m.st.Mtim = abi.Timespec{Sec: h.ModTime.Unix(), Nsec: int64(h.ModTime.Nanosecond())}
	m.st.Atim, m.st.Ctim = m.st.Mtim, m.st.Mtim
	if !h.AccessTime.IsZero() {
		m.st.Atim = abi.Timespec{Sec: h.AccessTime.Unix(), Nsec: int64(h.AccessTime.Nanosecond())}
	}
	switch h.Typeflag {
	case tar.TypeLink:
		m.hard, m.link, m.st.Nlink, m.st.Size = true, h.Linkname, 2, 0
	case tar.TypeSymlink:
		m.link = h.Linkname
	case tar.TypeDir:
		m.st.Nlink = 2
	case tar.TypeChar, tar.TypeBlock:
		m.st.Rdev = util.Makedev(clamp(int(h.Devmajor)), clamp(int(h.Devminor)))
	}
	if name := strings.TrimRight(m.name, "/"); m.isDir() && name != "" {
		m.name = name
	}
	return m, nil
}

// named returns what find finds for a name that is no number.
func named(find func(string) (uint32, bool), name string) (uint32, bool) {
	if name == "" || strings.Trim(name, "0123456789") == "" {
		return 0, false
	}
	return find(name)
}

// clamp returns a number as 32 bits have it, 0 if they do not.
func clamp(n int) uint32 {
	if n < 0 || int64(n) > math.MaxUint32 {
		return 0
	}
	return uint32(n)
}
