package pax

import (
	"context"
	"fmt"

	"github.com/rumpctrl/rumpctrl/util"
)

const nameCpio = "cpio"

// Cpio is cpio(1).
var Cpio = util.Utility{
	Name:    nameCpio,
	Section: 1,
	Doc:     "copy file archives in and out",
	Usage: []string{
		"-o [-aABcLVvz] [-C bytes] [-F archive] [-H format] [-O archive] < name-list",
		"-i [-6BcdfmrtuVvz] [-C bytes] [-E file] [-F archive] [-H format] [-I archive] [pattern ...]",
		"-p [-adlLmuVv] destination-directory < name-list",
	},
	Options: []util.Option{
		{Letter: '6', Doc: "The archive is in the format bcpio."},
		{Letter: 'A', Long: "append", Doc: "Append to the archive of -O."},
		{Letter: 'a', Long: "reset-access-time", Doc: "Give files that were read their time of access back."},
		{Letter: 'B', Doc: "Write in blocks of 5120 bytes."},
		{Letter: 'C', Arg: "bytes", Doc: "Write in blocks of so many bytes, a multiple of 512."},
		{Letter: 'c', Doc: "Write the format sv4cpio."},
		{Letter: 'd', Long: "make-directories", Doc: "Make directories that are missing."},
		{Letter: 'E', Long: "pattern-file", Arg: "file", Doc: "A file in the kernel has patterns, one in a line."},
		{Letter: 'F', Long: "file", Arg: "archive", Doc: "The archive is a file in the kernel; - for a standard stream."},
		{Letter: 'f', Long: "nonmatching", Doc: "Select what the patterns do not match."},
		{Letter: 'H', Long: "format", Arg: "format", Doc: "The format to write: bcpio, cpio, sv4cpio, sv4crc, tar or ustar; archives are read whatever theirs is."},
		{Letter: 'I', Arg: "archive", Doc: "The same as -F."},
		{Letter: 'i', Long: "extract", Doc: "Extract files."},
		{Letter: 'L', Long: "dereference", Doc: "Follow all symbolic links."},
		{Letter: 'l', Long: "link", Doc: "Make hard links in place of copies where that can be."},
		{Letter: 'm', Long: "preserve-modification-time", Doc: "Restore times of modification."},
		{Letter: 'O', Arg: "archive", Doc: "The same as -F."},
		{Letter: 'o', Long: "create", Doc: "Write an archive of the files whose names are on standard input."},
		{Letter: 'p', Long: "pass-through", Doc: "Copy the files whose names are on standard input to a directory."},
		{Letter: 'r', Long: "rename", Doc: "Ask for a new name of each file."},
		{Letter: 't', Long: "list", Doc: "List an archive."},
		{Letter: 'u', Long: "unconditional", Doc: "Write over files that are newer, too."},
		{Letter: 'V', Long: "summary", Doc: "Print a summary at the end."},
		{Letter: 'v', Long: "verbose", Doc: "Name what is done, or list as ls -l does; print a summary at the end."},
		{Letter: 'z', Doc: "The archive is compressed as by gzip."},
		{Letter: util.LongOnly, Long: "force-local", Doc: docForceLocal},
		{Letter: util.LongOnly, Long: "insecure", Doc: docInsecure},
		{Letter: util.LongOnly, Long: "sparse", Doc: "Make files with holes: always so."},
		{Letter: util.LongOnly, Long: "stats", Doc: "The same as -V."},
	},
	Operands: []util.Operand{
		{Name: "pattern", Doc: "Members to select, in the manner of fnmatch(3)."},
		{Name: "destination-directory", Doc: "Where copies go."},
	},
	Missing: []string{
		"`-Z`, `--xz`: there is nothing here that writes what compress and xz do.",
		missingHosts,
		"`-b`, `-S`, `-s`, which swap bytes and words: of the latter two the manual page says that they do nothing.",
	},
	Main: mainCpio,
}

func mainCpio(ctx context.Context, env *util.Env) int {
	c := &config{faults: defaultFaults, onlyDir: true, newer: true, noModified: true, noAccess: true, noParents: true, owner: true, perm: true}
	modes := ""
	g := env.GetoptArgs(separate(env.Args[1:], env.Utility().Options)).InOrder()
	for g.Next() {
		switch g.Letter {
		case '?':
			return env.UsageError()
		case 'A', 'i', 'o', 'p', 't':
			modes += string(g.Letter)
			continue
		}
		if err := c.setCpio(env, g); err != nil {
			env.Warnx("%s", err)
			return env.UsageError()
		}
	}
	if !c.setCpioMode(modes) {
		return env.UsageError()
	}
	args := g.Args()
	switch c.mode {
	case list, extract:
		c.patterns = append(c.patterns, args...)
	case copying:
		if len(args) != 1 {
			fmt.Fprintf(env.Stderr, "%s: Destination directory was not supplied\n", env.Name())
			return env.UsageError()
		}
		c.dir = args[0]
	default:
		if len(args) > 0 {
			return env.UsageError()
		}
	}
	return perform(ctx, env, c)
}

// setCpio sets what an option of cpio(1) asks for, but for what is to be done.
func (c *config) setCpio(env *util.Env, g *util.Getopt) error {
	switch aliased(g, map[string]byte{"stats": 'V'}) {
	case util.LongOnly:
		return c.setLong(env, g)
	case '6':
		c.format = lookupFormat("bcpio")
	case 'a':
		c.resetTime = true
	case 'B':
		c.block = 5120
	case 'C':
		return c.setBlock(g.Arg, 1)
	case 'c':
		c.format = lookupFormat("sv4cpio")
	case 'd':
		c.noParents = false
	case 'E':
		list, err := lines(env, g.Arg)
		c.patterns = append(c.patterns, list...)
		return err
	case 'F', 'I', 'O':
		if c.name = g.Arg; g.Arg == "-" {
			c.name = ""
		}
	case 'f':
		c.inverse = true
	case 'H':
		return c.setFormat(g.Arg, "H", nameCpio)
	case 'L':
		c.follow = true
	case 'l':
		c.link = true
	case 'm':
		c.noModified, c.noAccess = false, false
	case 'r':
		c.ask = true
	case 'u':
		c.newer = false
	case 'V':
		c.summary = true
	case 'v':
		c.verbose++
	case 'z':
		c.gzip = true
	}
	return nil
}

// setCpioMode finds out what is to be done, and tells whether it is anything.
func (c *config) setCpioMode(modes string) bool {
	switch modes {
	case "i":
		c.mode = extract
	case "it", "ti", "t":
		c.mode = list
	case "p":
		c.mode = copying
	case "o", "oA", "Ao":
		c.mode = archive
		c.newer = false
		if modes != "o" {
			c.mode = appending
		} else if c.format == nil {
			c.format = lookupFormat("bcpio")
		}
	default:
		return false
	}
	return true
}
