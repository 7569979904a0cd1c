package sh

import (
	"context"
	"io"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
)

// maxDescriptor is the largest descriptor that a redirection may name.
const maxDescriptor = 255

// description is an open file and how many descriptors of the process refer to it, those put
// aside by a redirection among them.
type description struct {
	file openFile
	refs int
}

func newDescription(f openFile) *description { return &description{file: f, refs: 1} }

func (d *description) release() {
	if d.refs--; d.refs == 0 {
		d.file.close()
	}
}

// descriptors are the descriptors of one shell. Only the goroutine that runs the shell uses them.
type descriptors map[int]*description

// set makes fd refer to d, whose one reference it takes over, and closes what fd was.
func (t descriptors) set(fd int, d *description) {
	old := t[fd]
	t[fd] = d
	if old != nil {
		old.release()
	}
}

// dup makes to refer to what from refers to. Errors: EBADF.
func (t descriptors) dup(from, to int) error {
	d := t[from]
	if d == nil {
		return abi.EBADF
	}
	d.refs++
	t.set(to, d)
	return nil
}

// closeFD closes a descriptor, which may be closed already.
func (t descriptors) closeFD(fd int) {
	if d := t[fd]; d != nil {
		delete(t, fd)
		d.release()
	}
}

// copy returns a table that refers to the same, to go back to.
func (t descriptors) copy() descriptors {
	c := make(descriptors, len(t))
	for fd, d := range t {
		d.refs++
		c[fd] = d
	}
	return c
}

// release closes all descriptors.
func (t descriptors) release() {
	for _, d := range t {
		d.release()
	}
	clear(t)
}

// fork returns the table of a forked process. Descriptors that share an open file still do.
func (t descriptors) fork(child *client.Process) descriptors {
	c := make(descriptors, len(t))
	made := make(map[*description]*description, len(t))
	for fd, d := range t {
		m := made[d]
		if m == nil {
			m = &description{file: d.file.fork(child)}
			made[d] = m
		}
		m.refs++
		c[fd] = m
	}
	return c
}

// closedFile is what a command has for a standard stream that is closed.
type closedFile struct{}

func (closedFile) read(context.Context, []byte) (int, error)  { return 0, abi.EBADF }
func (closedFile) write(context.Context, []byte) (int, error) { return 0, abi.EBADF }
func (closedFile) close()                                     {}
func (closedFile) fork(*client.Process) openFile              { return closedFile{} }

// nullFile is the standard input of a background job.
type nullFile struct{ closedFile }

func (nullFile) read(context.Context, []byte) (int, error) { return 0, io.EOF }
func (nullFile) fork(*client.Process) openFile             { return nullFile{} }

// file returns what a descriptor refers to.
func (t descriptors) file(fd int) openFile {
	if d := t[fd]; d != nil {
		return d.file
	}
	return closedFile{}
}
