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
	names2id *passwd.DB // of the owners of files
	system   *passwd.DB // the same, for -U and -G
	start    time.Time
	failed   bool
	naming   bool // a name is on standard error that the end of its line is to follow
	slash    bool // that slashes are taken off has been said

	file   *client.File // the archive, nil if it is a standard stream
	st     abi.Stat     // its attributes
	input  *bufio.Reader
	reader reader
	output *blockWriter
	volume int   // that is open, from 1
	before int64 // bytes of the volumes before
	ended  bool  // there are no further ones
	taken  bool  // standard input is not there to ask for them
	summed bool  // the summary of the volume has been printed
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
		buf: make([]byte, bufferSize), volume: 1, taken: c.usesStdin(),
	}
	if j.system = j.names2id; c.owners != nil {
		j.names2id = c.owners
	}
	for _, text := range c.listed {
		j.wanted = append(j.wanted, &pattern{text: text})
	}
	for _, p := range c.patterns {
		j.wanted = append(j.wanted, newPattern(p))
	}
	if err := j.selectable(); err != nil {
		env.Warnx("%s", err)
		return env.UsageError()
	}
	if c.ask && j.taken {
		return env.Errx("Fatal error, standard input is not there to ask for names")
	}
	[...]func(){list: j.list, extract: j.extract, archive: j.archive, appending: j.append, copying: j.copy}[c.mode]()
	j.closeArchive()
	j.summarize()
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

// summarize ends a volume: it prints what was moved, as ar_summary of pax(1) does, if that was asked for and has not been done.
func (j *job) summarize() {
	j.endName()
	if !j.summed && (j.verbose > 0 || j.summary) && (j.input != nil || j.output != nil) {
		j.printSummary()
	}
	j.summed = true
	j.files, j.bytesRead, j.bytesWritten = 0, 0, 0
}

// printSummary prints the summary of a volume: to standard output if that has the list.
func (j *job) printSummary() {
	w := j.env.Stderr
	if j.mode == list {
		w = j.env.Stdout
	}
	moved := j.bytesRead + j.bytesWritten
	if j.env.Name() == nameCpio && j.format != nil {
		n := j.bytesRead
		if n == 0 {
			n = j.bytesWritten
		}
		fmt.Fprintf(w, "%d blocks\n", n/5120)
	}
	secs := max(int64(time.Since(j.start)/time.Second), 1)
	what := fmt.Sprintf("unknown format, %d bytes skipped", moved)
	if j.format != nil {
		what = fmt.Sprintf("%s vol %d, %d files, %d bytes read, %d bytes written", j.format.name, j.volume, j.files, j.bytesRead, j.bytesWritten)
	}
	fmt.Fprintf(w, "%s: %s in %d secs (%d bytes/sec)\n", j.env.Name(), what, secs, moved/secs)
}
