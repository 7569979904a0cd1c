package pax

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/rumpctrl/rumpctrl/abi"
)

// errVolume is what a write gives if there is no next volume. Why not has been said.
var errVolume = errors.New("no further volume")

// volumeFlags are the flags of open(2) for a further volume, and what they are for.
func (j *job) volumeFlags() (flags int, what string) {
	switch {
	case j.output != nil:
		return abi.O_WRONLY | abi.O_CREAT | abi.O_TRUNC, "write"
	case j.mode == appending:
		return abi.O_RDWR, "read/write"
	}
	return abi.O_RDONLY, "read"
}

// nextVolume ends a volume of the archive and opens the next, whose name it asks for on standard input. It reports false if
// there is none: because of -O, since nobody can be asked, or by the answer.
func (j *job) nextVolume() bool {
	j.closeArchive()
	j.summarize()
	switch {
	case j.oneVolume || j.ended:
		return false
	case j.gnu:
		j.failx("Unexpected EOF on archive file")
		return false
	case j.taken:
		j.failx("Fatal error, standard input is not there to ask for the next volume")
		return false
	}
	j.volume++
	fmt.Fprintf(j.env.Stderr, "\nATTENTION! %s archive volume change required.\nReady for archive volume: %d\n", j.env.Name(), j.volume)
	for j.ctx.Err() == nil {
		fmt.Fprintf(j.env.Stderr, "Input archive name or \".\" to quit %s.\nArchive name > ", j.env.Name())
		name, err := j.readLine()
		switch {
		case err != nil || name == ".":
			fmt.Fprintf(j.env.Stderr, "Quitting %s!\n", j.env.Name())
			j.ended = true
			return false
		case name == "":
			fmt.Fprintln(j.env.Stderr, "Empty file name, try again")
		case name == "..":
			fmt.Fprintln(j.env.Stderr, "Illegal file name: .. try again")
		case len(name) > maxPath:
			fmt.Fprintln(j.env.Stderr, "File name too long, try again")
		case j.openVolume(name):
			return true
		default:
			fmt.Fprintf(j.env.Stderr, "Cannot open %s, try again\n", name)
		}
	}
	return false
}

// openVolume opens a further volume.
func (j *job) openVolume(name string) bool {
	old, failed := j.name, j.failed
	j.name = name
	if j.openArchive(j.volumeFlags()) {
		j.summed = false
		return true
	}
	j.closeArchive()
	j.name, j.failed = old, failed // another name may be better
	return false
}

// volumeReader reads one volume after the other.
type volumeReader struct {
	j *job
	r io.Reader // the volume

	faults int // in a row
}

func (v *volumeReader) Read(p []byte) (int, error) {
	for {
		if err := v.j.ctx.Err(); err != nil {
			return 0, err
		}
		n, err := v.r.Read(p)
		v.j.bytesRead += int64(n)
		if n > 0 {
			v.faults = 0
		}
		if n > 0 && errors.Is(err, io.EOF) {
			err = nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			err = v.fault(err)
		}
		if n > 0 || len(p) == 0 || !errors.Is(err, io.EOF) {
			return n, err
		}
		if err := v.next(); err != nil {
			return 0, err
		}
	}
}

// next goes to the next volume: io.EOF if there is none. Before the format is known there is no more than one, and an
// archive on standard input leaves nobody to ask.
func (v *volumeReader) next() error {
	j := v.j
	if j.reader == nil || j.ended || j.file == nil {
		return io.EOF
	}
	j.warnx("End of archive volume %d reached", j.volume)
	j.before += j.bytesRead
	if !j.nextVolume() {
		return io.EOF
	}
	r, err := j.volumeSource()
	v.r = r
	return err
}

// volumeSource returns what the volume that is open holds.
func (j *job) volumeSource() (io.Reader, error) {
	var r io.Reader = j.env.Stdin
	if j.file != nil {
		r = kernelReader{j.sys, j.file.Fd()}
	}
	if !j.gzip {
		return r, nil
	}
	return gzip.NewReader(bufio.NewReaderSize(r, bufferSize))
}

// volumeWriter writes one volume after the other.
type volumeWriter struct {
	j *job
	w io.Writer
	n int64 // bytes in the volume
}

// newVolumeWriter returns a writer to the volume that is open, which has n bytes.
func (j *job) newVolumeWriter(n int64) *volumeWriter {
	v := &volumeWriter{j: j, n: n}
	v.open()
	return v
}

// open sets up what is written to: the archive that is open, or standard output.
func (v *volumeWriter) open() {
	v.w = v.j.env.Stdout
	if v.j.file != nil {
		v.w = v.j.file
	}
	if v.j.gzip {
		v.j.zipper = gzip.NewWriter(v.w)
		v.w = v.j.zipper
	}
}

// Write writes blocks. They go into the next volume if the limit of -B does not allow them in this, or the file system has no
// room for them.
func (v *volumeWriter) Write(p []byte) (int, error) {
	j, total := v.j, len(p)
	if j.limit > 0 && v.n > 0 && v.n+int64(len(p)) > j.limit {
		j.warnx("User specified archive volume byte limit reached.")
		if err := v.next(); err != nil {
			return 0, err
		}
	}
	for {
		n, err := v.w.Write(p)
		if err != nil && v.full(err) {
			n = v.cut(n)
		}
		v.n += int64(n)
		j.bytesWritten += int64(n)
		p = p[n:]
		if err == nil || !v.full(err) {
			return total - len(p), err
		}
		if j.mode == appending && j.bytesWritten == 0 {
			j.failx("Unable to append, trailer re-write failed. Quitting.")
			return 0, errVolume
		}
		j.warnx("End of archive volume %d reached", j.volume)
		if err := v.next(); err != nil {
			return total - len(p), err
		}
	}
}

// full tells whether an error means that a regular file cannot become larger.
func (v *volumeWriter) full(err error) bool {
	full := errors.Is(err, abi.ENOSPC) || errors.Is(err, abi.EFBIG) || errors.Is(err, abi.EDQUOT)
	return full && v.j.file != nil && !v.j.gzip && v.j.st.Mode&abi.S_IFMT == abi.S_IFREG
}

// cut takes what is no whole record off the n bytes that were written last, and returns how many stay.
func (v *volumeWriter) cut(n int) int {
	rest := n % recordSize
	at, err := v.j.sys.Lseek(v.j.file.Fd(), int64(-rest), abi.SEEK_CUR)
	if err == nil && rest > 0 {
		err = v.j.sys.Ftruncate(v.j.file.Fd(), at)
	}
	if err != nil {
		v.j.fail(err, "Unable to truncate archive file")
	}
	return n - rest
}

// next goes to the next volume.
func (v *volumeWriter) next() error {
	if v.j.zipper != nil {
		if err := v.j.zipper.Close(); err != nil {
			return err
		}
		v.j.zipper = nil
	}
	if !v.j.nextVolume() {
		v.j.failed = true
		return errVolume
	}
	v.n = 0
	v.open()
	return nil
}
