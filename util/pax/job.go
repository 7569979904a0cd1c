package pax

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/passwd"
)

// job is what is done with an archive.
type job struct {
	*config
	ctx      context.Context
	stop     func() // ends it early
	env      *util.Env
	sys      *client.Sys
	names2id *passwd.DB
	start    time.Time
	failed   bool
	naming   bool // a name is on standard error that the end of its line is to follow
	slash    bool // that slashes are taken off has been said

	file   *client.File // the archive, nil if it is a standard stream
	st     abi.Stat     // its attributes
	input  *bufio.Reader
	reader reader
	output *blockWriter
	zipper *gzip.Writer
	enc    *encoder

	files                   int
	bytesRead, bytesWritten int64
	wanted                  []*pattern
	renamed                 map[string]string // by -i
	stored                  map[string]abi.Timespec
	made                    map[string]bool   // files with several names, by what they were extracted to
	linked                  map[fileID]string // members that have further names
	directories             []restore
	destination             fileID // the directory that copies go to
	temporary               int
	ahead                   *readAhead // nil if no file is to be read that may not be wanted
	buf                     []byte
}

// now returns the time in the zone of the utility.
func now(env *util.Env) time.Time { return time.Now().In(env.Location()) }

// perform does what the arguments ask for, and returns the exit status.
func perform(ctx context.Context, env *util.Env, c *config) int {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	j := &job{
		config: c, ctx: ctx, stop: stop, env: env, sys: env.Proc.Sys(), names2id: passwd.New(env.Proc.Sys()), start: now(env),
		renamed: map[string]string{}, made: map[string]bool{}, stored: map[string]abi.Timespec{}, linked: map[fileID]string{},
		buf: make([]byte, bufferSize),
	}
	for _, p := range c.patterns {
		j.wanted = append(j.wanted, newPattern(p))
	}
	if err := j.selectable(); err != nil {
		env.Warnx("%s", err)
		return env.UsageError()
	}
	if c.ask && c.usesStdin() {
		return env.Errx("Fatal error, standard input is not there to ask for names")
	}
	[...]func(){list: j.list, extract: j.extract, archive: j.archive, appending: j.append, copying: j.copy}[c.mode]()
	j.closeArchive()
	j.endName()
	if c.verbose > 0 || c.summary {
		j.summarize()
	}
	if j.failed || ctx.Err() != nil {
		return util.ExitFailure
	}
	return util.ExitOK
}

// usesStdin tells whether standard input has the archive or a list of names.
func (c *config) usesStdin() bool {
	if c.mode == list || c.mode == extract {
		return c.name == ""
	}
	return len(c.names) == 0
}

// warnx prints a message that is no failure.
func (j *job) warnx(format string, args ...any) {
	j.endName()
	j.env.Warnx(format, args...)
}

// failx prints a message; the status will be 1.
func (j *job) failx(format string, args ...any) {
	j.failed = true
	j.warnx(format, args...)
}

// fail prints a message with the text of an error; the status will be 1.
func (j *job) fail(err error, format string, args ...any) {
	if j.ctx.Err() != nil && errors.Is(err, j.ctx.Err()) {
		return
	}
	j.failx("%s (%s)", fmt.Sprintf(format, args...), util.ErrorText(err))
}

// summarize prints what was moved, as far as a front end does.
func (j *job) summarize() {
	switch j.env.Name() {
	case nameTar:
		return
	case nameCpio:
		n := j.bytesRead
		if n == 0 {
			n = j.bytesWritten
		}
		fmt.Fprintf(j.env.Stderr, "%d blocks\n", n/5120)
		return
	}
	if j.format == nil {
		if j.input != nil {
			fmt.Fprintf(j.env.Stderr, "%s: unknown format, %d bytes skipped.\n", j.env.Name(), j.bytesRead)
		}
		return
	}
	secs := max(int64(time.Since(j.start)/time.Second), 1)
	fmt.Fprintf(j.env.Stderr, "%s: %s vol 1, %d files, %d bytes read, %d bytes written in %d secs (%d bytes/sec)\n",
		j.env.Name(), j.format.name, j.files, j.bytesRead, j.bytesWritten, secs, (j.bytesRead+j.bytesWritten)/secs)
}
