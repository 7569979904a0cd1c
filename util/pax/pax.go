package pax

import (
	"context"
	"fmt"
	"strings"

	"github.com/rumpctrl/rumpctrl/util"
)

// What options of several front ends do.
const (
	docForceLocal = "The archive is no file of another host: always so here."
	docInsecure   = "Process names that have .. in them."
	docTimestamp  = "Write a time of modification for all files: that of a file in the kernel, a date of parsedate(3), or seconds."
)

// What is missing in several front ends, and why.
const (
	missingHosts   = "Archives on tapes and on other hosts: a name with a colon is that of a file."
	missingProgram = "`--use-compress-program`: it would be a program of the host, of which utilities know nothing."
)

// Utility is pax(1).
var Utility = util.Utility{
	Name:    "pax",
	Section: 1,
	Doc:     "read and write file archives and copy directory hierarchies",
	Usage: []string{
		"[-cdnOVvz] [-E limit] [-f archive] [-N dbdir] [-s replstr] ... [-U user] ... [-G group] ... [-T [from_date][,to_date]] ... [pattern ...]",
		"-r [-AcDdiknOuVvYZz] [-E limit] [-f archive] [-N dbdir] [-p string] ... [-s replstr] ... [-U user] ... [-G group] ... [-T [from_date][,to_date]] ... [pattern ...]",
		"-w [-0AdHiLMOPtuVvXz] [-b blocksize] [[-a] [-f archive]] [-x format] [-B bytes] [-N dbdir] [-o options] ... [-s replstr] ... [-U user] ... [-G group] ... [-T [from_date][,to_date][/[c][m]]] ... [file ...]",
		"-r -w [-0DdHikLlMOPtuVvXYZ] [-N dbdir] [-p string] ... [-s replstr] ... [-U user] ... [-G group] ... [-T [from_date][,to_date][/[c][m]]] ... [file ...] directory",
	},
	Options: []util.Option{
		{Letter: '0', Doc: "Names on standard input end with a NUL."},
		{Letter: 'A', Doc: "Do not take leading slashes off names."},
		{Letter: 'a', Doc: "Append to an archive that exists."},
		{Letter: 'B', Arg: "bytes", Doc: "Write at most so many bytes to a volume, a multiple of 512, and ask for the name of the next."},
		{Letter: 'b', Arg: "blocksize", Doc: "Write in blocks of so many bytes, a multiple of 512."},
		{Letter: 'c', Doc: "Select what the patterns do not match."},
		{Letter: 'D', Doc: "As -u, but compare the times of the last change of the inode."},
		{Letter: 'd', Doc: "A directory stands for itself, not for what is in it."},
		{Letter: 'E', Arg: "limit", Doc: "Step over at most so many read faults in a row, or any number: none."},
		{Letter: 'f', Arg: "archive", Doc: "The archive is a file in the kernel, not a standard stream."},
		{Letter: 'G', Arg: "group", Doc: "Select files of a group: a name, or # and a number."},
		{Letter: 'H', Doc: "Follow symbolic links of the command line."},
		{Letter: 'i', Doc: "Ask for a new name of each file."},
		{Letter: 'k', Doc: "Do not write over what exists."},
		{Letter: 'L', Doc: "Follow all symbolic links."},
		{Letter: 'l', Doc: "Make hard links in place of copies where that can be."},
		{Letter: 'M', Doc: "Standard input has a specification of mtree(8): of files to write or copy, and attributes that these are to have there."},
		{Letter: 'N', Arg: "dbdir", Doc: "The names of users and groups, but for -U and -G, are those of master.passwd and group in a directory."},
		{Letter: 'n', Doc: "Select only the first file that a pattern matches."},
		{Letter: 'O', Doc: "The archive is one volume: do not ask for another."},
		{Letter: 'o', Arg: "options", Doc: "With -x tar, write_opt=nodir leaves out directories."},
		{Letter: 'P', Doc: "Follow no symbolic links: the default."},
		{Letter: 'p', Arg: "string", Doc: "Attributes of extracted files: a, m: not the time of access, of modification; o: owner and group; p: permissions; e: everything."},
		{Letter: 'r', Doc: "Read files from an archive."},
		{Letter: 's', Arg: "replstr", Doc: "Change names: /old/new/[gps], where old is a basic regular expression."},
		{Letter: 'T', Arg: "range", Doc: "Select files by time: [from][,to][/[c][m]], each [[[[[cc]yy]mm]dd]hh]mm[.ss]."},
		{Letter: 't', Doc: "Give files that were read their time of access back."},
		{Letter: 'U', Arg: "user", Doc: "Select files of a user: a name, or # and a number."},
		{Letter: 'u', Doc: "Pass over files that are not newer than what exists."},
		{Letter: 'V', Doc: "Print a summary at the end."},
		{Letter: 'v', Doc: "Name what is done, or list as ls -l does; print a summary at the end."},
		{Letter: 'w', Doc: "Write files to an archive."},
		{Letter: 'X', Doc: "Do not enter directories of other file systems."},
		{Letter: 'x', Arg: "format", Doc: "The format to write: bcpio, cpio, sv4cpio, sv4crc, tar or ustar."},
		{Letter: 'Y', Doc: "As -D, with the name after all changes."},
		{Letter: 'Z', Doc: "As -u, with the name after all changes."},
		{Letter: 'z', Doc: "The archive is compressed as by gzip."},
		{Letter: util.LongOnly, Long: "force-local", Doc: docForceLocal},
		{Letter: util.LongOnly, Long: "gnu", Doc: "Read and write the extensions of GNU tar."},
		{Letter: util.LongOnly, Long: "insecure", Doc: docInsecure},
		{Letter: util.LongOnly, Long: "timestamp", Arg: "timestamp", Doc: docTimestamp},
	},
	Operands: []util.Operand{
		{Name: "pattern", Doc: "Members to select, in the manner of fnmatch(3)."},
		{Name: "file", Doc: "What to write or copy; without any, standard input has their names."},
		{Name: "directory", Doc: "Where copies go."},
	},
	Missing: []string{
		"`-j`, `--xz`: there is nothing here that writes what bzip2 and xz do.",
		missingProgram,
		missingHosts,
		"The question whether the next tape or disk is in the drive: the next volume is asked for by name, on standard input.",
	},
	Main: mainPax,
}

func mainPax(ctx context.Context, env *util.Env) int {
	c := &config{faults: defaultFaults}
	given := ""
	g := env.Getopt()
	for g.Next() {
		if g.Letter == '?' {
			return env.UsageError()
		}
		if g.Letter != util.LongOnly {
			given += string(g.Letter)
		}
		if err := c.setPax(env, g); err != nil {
			env.Warnx("%s", err)
			return env.UsageError()
		}
	}
	if !c.setMode(given) {
		return env.UsageError()
	}
	if bad := c.conflict(given); bad != "" {
		fmt.Fprintf(env.Stderr, "%s: Invalid combination of options:%s\n", env.Name(), bad)
		return env.UsageError()
	}
	if !c.setOperands(g.Args()) {
		env.Warnx("Destination directory was not supplied")
		return env.UsageError()
	}
	if c.mtree && len(c.names) > 0 {
		return env.Errx("The -M flag is only supported when reading file list from stdin")
	}
	return perform(ctx, env, c)
}

// setPax sets what an option of pax(1) asks for.
func (c *config) setPax(env *util.Env, g *util.Getopt) error {
	if p := c.flag(g.Letter); p != nil {
		*p = true
		return nil
	}
	switch g.Letter {
	case util.LongOnly:
		return c.setLong(env, g)
	case 'B':
		return c.setLimit(g.Arg)
	case 'b':
		return c.setBlock(g.Arg, 1)
	case 'E':
		return c.setFaults(g.Arg)
	case 'f':
		c.name = g.Arg
	case 'G':
		c.groups = append(c.groups, g.Arg)
	case 'N':
		return c.setOwners(env, g.Arg)
	case 'o':
		return c.setOptions(g.Arg)
	case 'P':
		c.follow, c.followArguments = false, false
	case 'p':
		return c.setPreserve(g.Arg)
	case 's':
		return c.addReplacement(g.Arg)
	case 'T':
		return c.addTimes(env, g.Arg)
	case 'U':
		c.users = append(c.users, g.Arg)
	case 'v':
		c.verbose++
	case 'x':
		return c.setFormat(g.Arg, "x", "pax")
	}
	return nil
}

// setLong sets what an option asks for that has no letter, of any front end.
func (c *config) setLong(env *util.Env, g *util.Getopt) error {
	switch g.Long {
	case "atime-preserve":
		c.noAccess = false
	case "chroot":
		c.chroot = true
	case "exclude":
		c.excluded = append(c.excluded, newPattern(strings.TrimRight(g.Arg, "/")))
	case "gnu":
		c.gnu = true
	case "insecure":
		c.insecure = true
	case "no-recursion":
		c.onlyDir = true
	case "strict":
		c.gnu = false
	case "timestamp":
		return c.setTimestamp(env, g.Arg)
	}
	return nil
}

// flag returns what an option of pax(1) sets if that is all it does.
func (c *config) flag(letter byte) *bool {
	switch letter {
	case '0':
		return &c.zero
	case 'A':
		return &c.absolute
	case 'c':
		return &c.inverse
	case 'D':
		return &c.newerChange
	case 'd':
		return &c.onlyDir
	case 'H':
		return &c.followArguments
	case 'i':
		return &c.ask
	case 'k':
		return &c.keep
	case 'L':
		return &c.follow
	case 'l':
		return &c.link
	case 'M':
		return &c.mtree
	case 'n':
		return &c.first
	case 'O':
		return &c.oneVolume
	case 't':
		return &c.resetTime
	case 'u':
		return &c.newer
	case 'V':
		return &c.summary
	case 'X':
		return &c.oneDevice
	case 'Y':
		return &c.changedRenamed
	case 'Z':
		return &c.newerRenamed
	case 'z':
		return &c.gzip
	}
	return nil
}

// setMode finds out what is to be done, and tells whether it is anything.
func (c *config) setMode(given string) bool {
	read, write := strings.Contains(given, "r"), strings.Contains(given, "w")
	add := strings.Contains(given, "a")
	switch {
	case read && write:
		c.mode = copying
	case read:
		c.mode = extract
	case write && add:
		c.mode = appending
	case write:
		c.mode = archive
	default:
		c.mode = list
		return !add
	}
	return true
}

// conflict returns the options if some of them do not go with what is to be done.
func (c *config) conflict(given string) string {
	bad := [...]string{
		list:      "0abiklopotuxBDHLMPXYZ",
		extract:   "0abltoxBHLMPX",
		archive:   "cklnpDEYZ",
		appending: "cklnpDEYZ",
		copying:   "abcfnoxzABE",
	}[c.mode]
	if !strings.ContainsAny(given, bad) && (!c.noDirs || c.format != nil && c.format.name == "tar") {
		return ""
	}
	var b strings.Builder
	for i := range len(given) {
		if strings.IndexByte(given, given[i]) == i {
			b.WriteString(" -" + given[i:i+1])
		}
	}
	return b.String()
}

// setOperands takes the operands. It reports false if the directory is missing that copies go to.
func (c *config) setOperands(args []string) bool {
	switch c.mode {
	case list, extract:
		c.patterns = args
	case copying:
		if len(args) == 0 {
			return false
		}
		c.names, c.dir = args[:len(args)-1], args[len(args)-1]
	default:
		c.names = args
	}
	return true
}
