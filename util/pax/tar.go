package pax

import (
	"context"
	"io"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
)

const nameTar = "tar"

// changeDir marks an argument of a walk that is a directory to change to: no name can have a NUL.
const changeDir = "\x00"

// Tar is tar(1).
var Tar = util.Utility{
	Name:    nameTar,
	Section: 1,
	Doc:     "tape archiver",
	Usage:   []string{"[-]{crtux}[-BbefHhklmOopqSsVvwzP] [archive] [blocksize] [-C directory] [-s replstr] [-T file] [-X file] [file ...]"},
	Options: []util.Option{
		{Letter: 'B', Long: "read-full-blocks", Doc: "Read whole blocks: always so."},
		{Letter: 'b', Long: "block-size", Arg: "blocksize", Doc: "Write in blocks of so many times 512 bytes."},
		{Letter: 'C', Long: "directory", Arg: "directory", Doc: "Change to a directory; it may also stand among the files."},
		{Letter: 'c', Long: "create", Doc: "Write a new archive."},
		{Letter: 'e', Doc: "Stop after the first error of reading."},
		{Letter: 'f', Long: "file", Arg: "archive", Doc: "A file in the kernel; - for a standard stream, which is also the default."},
		{Letter: 'H', Doc: "Follow symbolic links of the command line."},
		{Letter: 'h', Long: "dereference", Doc: "Follow all symbolic links."},
		{Letter: 'k', Long: "keep-old-files", Doc: "Do not write over what exists."},
		{Letter: 'l', Long: "one-file-system", Doc: "Do not enter directories of other file systems."},
		{Letter: 'm', Long: "modification-time", Doc: "Do not restore times of modification."},
		{Letter: 'O', Long: "to-stdout", Doc: "Write the old format; extract to standard output."},
		{Letter: 'o', Long: "portability", Doc: "Write the old format, without directories; do not restore owner and group."},
		{Letter: 'P', Long: "absolute-paths", Doc: "Do not take leading slashes off names."},
		{Letter: 'p', Long: "preserve-permissions", Doc: "Restore owner, group, permissions and times."},
		{Letter: 'q', Long: "fast-read", Doc: "Select only the first file that a pattern matches."},
		{Letter: 'r', Long: "append", Doc: "Append to an archive that exists."},
		{Letter: 'S', Long: "sparse", Doc: "Make files with holes: always so."},
		{Letter: 's', Arg: "replstr", Doc: "Change names: /old/new/[gps], where old is a basic regular expression."},
		{Letter: 'T', Long: "files-from", Arg: "file", Doc: "A file in the kernel, or - for standard input, has the names, one in a line; -C and a directory may be among them if an archive is written."},
		{Letter: 't', Long: "list", Doc: "List an archive."},
		{Letter: 'u', Long: "update", Doc: "The same as -r."},
		{Letter: 'V', Long: "summary", Doc: "Print a summary at the end."},
		{Letter: 'v', Long: "verbose", Doc: "Name what is done, or list as ls -l does; print a summary at the end."},
		{Letter: 'w', Long: "interactive", Doc: "Ask for a new name of each file."},
		{Letter: 'X', Long: "exclude-from", Arg: "file", Doc: "A file in the kernel has patterns of names to leave out, one in a line."},
		{Letter: 'x', Long: "extract", Doc: "Extract files."},
		{Letter: 'z', Long: "gzip", Doc: "The archive is compressed as by gzip."},
		{Letter: util.LongOnly, Long: "atime-preserve", Doc: "Restore times of access: the default."},
		{Letter: util.LongOnly, Long: "chroot", Doc: "Change the root directory to the working directory before files are extracted."},
		{Letter: util.LongOnly, Long: "confirmation", Doc: "The same as -w."},
		{Letter: util.LongOnly, Long: "exclude", Arg: "pattern", Doc: "Leave out names that a pattern matches."},
		{Letter: util.LongOnly, Long: "force-local", Doc: docForceLocal},
		{Letter: util.LongOnly, Long: "get", Doc: "The same as -x."},
		{Letter: util.LongOnly, Long: "gunzip", Doc: "The same as -z."},
		{Letter: util.LongOnly, Long: "insecure", Doc: docInsecure},
		{Letter: util.LongOnly, Long: "no-recursion", Doc: "A directory stands for itself, not for what is in it."},
		{Letter: util.LongOnly, Long: "old-archive", Doc: "The same as -o."},
		{Letter: util.LongOnly, Long: "preserve", Doc: "The same as -p."},
		{Letter: util.LongOnly, Long: "same-permissions", Doc: "The same as -p."},
		{Letter: util.LongOnly, Long: "stats", Doc: "The same as -V."},
		{Letter: util.LongOnly, Long: "strict", Doc: "No extensions of GNU tar: archives as pax writes them."},
		{Letter: util.LongOnly, Long: "timestamp", Arg: "timestamp", Doc: docTimestamp},
		{Letter: util.LongOnly, Long: "unlink", Doc: "Remove files before they are extracted anew: always so."},
	},
	Operands: []util.Operand{{Name: "file", Doc: "What to write; or patterns of what to list or extract."}},
	Missing: []string{
		"`-J`, `-j`, `-Z` and their long names: there is nothing here that writes what xz, bzip2 and compress do.",
		missingProgram,
		missingHosts,
		"`-0`, `-1`, `-4`, `-5`, `-7`, `-8`, `$TAPE` and `/dev/rst0`: there are no tapes; the default is a standard stream.",
		"`-C` between the patterns of `-t` and `-x`, and in a file of `-T` there: the directory stands before them.",
	},
	Main: mainTar,
}

// tarModes are what is to be done by the letters of options.
var tarModes = map[byte]mode{'c': archive, 'r': appending, 't': list, 'u': appending, 'x': extract}

func mainTar(ctx context.Context, env *util.Env) int {
	c := &config{gnu: true, toList: true, faults: defaultFaults}
	g := env.GetoptArgs(separate(env.Args[1:], env.Utility().Options)).InOrder()
	given := false
	old := byte(0)
	for g.Next() {
		letter := aliased(g, tarAliases)
		if m, ok := tarModes[letter]; ok {
			if given && m != c.mode {
				return env.UsageError()
			}
			c.mode, given = m, true
			continue
		}
		switch letter {
		case '?':
			return env.UsageError()
		case 'o', 'O':
			old = letter
			continue
		}
		if err := c.setTar(env, g, letter); err != nil {
			env.Warnx("%s", err)
			return env.UsageError()
		}
	}
	if !given {
		return env.UsageError()
	}
	if err := c.setOld(old); err != nil {
		env.Warnx("%s", err)
		return env.UsageError()
	}
	if c.mode == list || c.mode == extract {
		c.patterns = g.Args()
		return perform(ctx, env, c)
	}
	args := append(c.listed, g.Args()...)
	if c.listed = nil; len(args) == 0 {
		return util.ExitOK // nothing to write is written nowhere
	}
	if !c.setFiles(args) {
		return env.UsageError()
	}
	return perform(ctx, env, c)
}

// tarAliases are long names of options that have another, too.
var tarAliases = map[string]byte{
	"confirmation": 'w', "get": 'x', "gunzip": 'z', "old-archive": 'o', "preserve": 'p', "same-permissions": 'p', "stats": 'V',
}

// aliased returns the letter of an option, which another long name may stand for.
func aliased(g *util.Getopt, aliases map[string]byte) byte {
	if letter, ok := aliases[g.Long]; ok && g.Letter == util.LongOnly {
		return letter
	}
	return g.Letter
}

// separate makes options of the first word if that has no hyphen: "cf archive" is "-c -f archive".
func separate(args []string, options []util.Option) []string {
	if len(args) == 0 || args[0] == "" || args[0][0] == '-' {
		return args
	}
	var out []string
	rest := args[1:]
	for _, letter := range []byte(args[0]) {
		out = append(out, "-"+string(letter))
		for _, o := range options {
			if o.Letter == letter && o.Arg != "" && len(rest) > 0 {
				out, rest = append(out, rest[0]), rest[1:]
			}
		}
	}
	return append(out, rest...)
}

// setTar sets what an option of tar(1) asks for, but for what is to be done.
func (c *config) setTar(env *util.Env, g *util.Getopt, letter byte) error {
	switch letter {
	case util.LongOnly:
		return c.setLong(env, g)
	case 'b':
		return c.setBlock(g.Arg, recordSize)
	case 'C':
		return chdir(env, g.Arg)
	case 'e':
		c.faults = 0
	case 'f':
		if c.name = g.Arg; g.Arg == "-" {
			c.name = ""
		}
	case 'H':
		c.followArguments = true
	case 'h':
		c.follow = true
	case 'k':
		c.keep = true
	case 'l':
		c.oneDevice = true
	case 'm':
		c.noModified = true
	case 'P':
		c.absolute = true
	case 'p':
		c.owner, c.perm, c.noAccess, c.noModified = true, true, false, false
	case 'q':
		c.first = true
	case 's':
		return c.addReplacement(g.Arg)
	case 'T':
		list, err := lines(env, g.Arg)
		c.listed = append(c.listed, list...)
		return err
	case 'V':
		c.summary = true
	case 'v':
		c.verbose++
	case 'w':
		c.ask = true
	case 'X':
		return c.exclude(env, g.Arg)
	case 'z':
		c.gzip = true
	}
	return nil
}

// setOld sets what -o and -O mean for what is done.
func (c *config) setOld(letter byte) error {
	switch {
	case letter == 0:
	case letter == 'O' && c.mode == list:
		return util.Messagef("The -O/-o options are only valid when writing or extracting an archive")
	case c.mode == extract || c.mode == list:
		c.toStdout = letter == 'O'
		if letter == 'o' {
			c.owner = false
		}
	default:
		c.format, c.noDirs = lookupFormat("tar"), letter == 'o'
	}
	return nil
}

// setFiles takes the operands of tar -c and -r. It reports false if a directory is missing.
func (c *config) setFiles(args []string) bool {
	for i := 0; i < len(args); i++ {
		if dir, ok := strings.CutPrefix(args[i], "-C "); ok {
			c.names = append(c.names, changeDir+dir)
			continue
		}
		if args[i] != "-C" {
			c.names = append(c.names, args[i])
			continue
		}
		if i++; i == len(args) {
			return false
		}
		c.names = append(c.names, changeDir+args[i])
	}
	return len(c.names) > 0
}

func chdir(env *util.Env, dir string) error {
	if err := env.Proc.Sys().Chdir(dir); err != nil {
		return util.Messagef("Cannot chdir to %s (%s)", dir, err)
	}
	return nil
}

// maxList is how large a file with names may be.
const maxList = 16 << 20

// lines reads a file in the kernel that has names; - is standard input.
func lines(env *util.Env, path string) ([]string, error) {
	r := io.Reader(env.Stdin)
	if path != "-" {
		sys := env.Proc.Sys()
		fd, err := sys.Open(path, abi.O_RDONLY|abi.O_CLOEXEC, 0)
		if err != nil {
			return nil, util.Messagef("Unable to open file '%s' for read", path)
		}
		defer sys.Close(fd)
		r = kernelReader{sys, fd}
	}
	text, err := io.ReadAll(io.LimitReader(r, maxList))
	if err != nil {
		return nil, util.Messagef("Problem with file '%s'", path)
	}
	var list []string
	for line := range strings.SplitSeq(string(text), "\n") {
		if line != "" {
			list = append(list, line)
		}
	}
	return list, nil
}

// exclude takes patterns of what is left out from a file.
func (c *config) exclude(env *util.Env, path string) error {
	list, err := lines(env, path)
	for _, text := range list {
		c.excluded = append(c.excluded, newPattern(strings.TrimRight(text, "/")))
	}
	return err
}
