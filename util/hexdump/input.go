package hexdump

import (
	"io"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
)

// input reads the files one behind the other.
type input struct {
	env    *util.Env
	files  []string
	length int64 // how much is left to print; -1 is all
	skip   int64
	status int

	now  io.Reader // nil at the end of all
	name string
	pos  int64 // of the next byte, over all files
}

// open opens the first file, or takes the standard input, and goes to where the dump begins.
func (in *input) open() {
	if len(in.files) == 0 {
		in.now, in.name = in.env.Stdin, "stdin"
	} else {
		in.next()
	}
	for in.skip > 0 && in.now != nil {
		in.seek()
	}
}

// next goes to the next file that can be opened.
func (in *input) next() {
	in.close()
	for len(in.files) > 0 {
		in.name, in.files = in.files[0], in.files[1:]
		f, err := in.env.Proc.Open(in.name)
		if err == nil {
			in.now = f
			return
		}
		in.status = in.env.Err(err, "%s", in.name)
	}
}

// close closes the file, if one is open.
func (in *input) close() {
	if f, ok := in.now.(*client.File); ok && in.name != "stdin" {
		f.Close() //nolint:errcheck // it was read
	}
	in.now = nil
}

// seek leaves out what is to be skipped of a file, and goes on to the next if that is more than it has.
func (in *input) seek() {
	if f, ok := in.now.(*client.File); ok {
		var st abi.Stat
		err := in.env.Proc.Sys().Fstat(f.Fd(), &st)
		if err == nil && st.Mode&abi.S_IFMT == abi.S_IFREG && st.Size > 0 {
			n := min(in.skip, st.Size)
			if _, err := f.Seek(n, io.SeekStart); err == nil {
				in.skipped(n, in.skip >= st.Size)
				return
			}
		}
	}
	n, err := io.CopyN(io.Discard, in.now, in.skip)
	if err != nil && err != io.EOF {
		in.status = in.env.Err(err, "%s", in.name)
	}
	in.skipped(n, err != nil)
}

func (in *input) skipped(n int64, end bool) {
	in.skip -= n
	in.pos += n
	if end {
		in.next()
	}
}

// read fills b, but at the end of all files or of the length. It returns how much there was.
func (in *input) read(b []byte) int {
	if in.length >= 0 && in.length < int64(len(b)) {
		b = b[:in.length]
	}
	got := 0
	for got < len(b) && in.now != nil {
		n, err := in.now.Read(b[got:])
		got += n
		if err != nil && err != io.EOF {
			in.status = in.env.Err(err, "%s", in.name)
		}
		if err != nil {
			in.next()
		}
	}
	if in.length >= 0 {
		in.length -= int64(got)
	}
	return got
}
