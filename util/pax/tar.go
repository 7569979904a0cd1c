package pax

import (
	"bufio"
	"bytes"
	"context"
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
	Usage:   []string{"[-]{crtux}[-befHhklmOopqSsvwzP] [archive] [blocksize] [-C directory] [-s replstr] [-T file] [-X file] [file ...]"},
	Options: []util.Option{
		{Letter: 'b', Arg: "blocksize", Doc: "Write in blocks of so many times 512 bytes."},
		{Letter: 'C', Arg: "directory", Doc: "Change to a directory; it may also stand among the files."},
		{Letter: 'c', Doc: "Write a new archive."},
		{Letter: 'f', Arg: "archive", Doc: "A file in the kernel; - for a standard stream, which is also the default."},
		{Letter: 'H', Doc: "Follow symbolic links of the command line."},
		{Letter: 'h', Doc: "Follow all symbolic links."},
		{Letter: 'k', Doc: "Do not write over what exists."},
		{Letter: 'l', Doc: "Do not enter directories of other file systems."},
		{Letter: 'm', Doc: "Do not restore times of modification."},
		{Letter: 'O', Doc: "Write the old format; extract to standard output."},
		{Letter: 'o', Doc: "Write the old format, without directories."},
		{Letter: 'P', Doc: "Do not take leading slashes off names."},
		{Letter: 'p', Doc: "Restore owner, group and permissions."},
		{Letter: 'q', Doc: "Select only the first file that a pattern matches."},
		{Letter: 'r', Doc: "Append to an archive that exists."},
		{Letter: 's', Arg: "replstr", Doc: "Change names: /old/new/[gps], where old is a basic regular expression."},
		{Letter: 'T', Arg: "file", Doc: "A file in the kernel has the names, one in a line."},
		{Letter: 't', Doc: "List an archive."},
		{Letter: 'u', Doc: "The same as -r."},
		{Letter: 'v', Doc: "Name what is done, or list as ls -l does."},
		{Letter: 'w', Doc: "Ask for a new name of each file."},
		{Letter: 'X', Arg: "file", Doc: "A file in the kernel has patterns of names to leave out, one in a line."},
		{Letter: 'x', Doc: "Extract files."},
		{Letter: 'z', Doc: "The archive is compressed as by gzip."},
	},
	Operands: []util.Operand{{Name: "file", Doc: "What to write; or patterns of what to list or extract."}},
	Main:     mainTar,
}

func mainTar(ctx context.Context, env *util.Env) int {
	c := &config{gnu: true, faults: defaultFaults}
	args := separate(env.Args[1:], env.Utility().Options)
	g := env.GetoptArgs(args)
	given := 0
	old := byte(0)
	for g.Next() {
		switch g.Letter {
		case '?':
			return env.UsageError()
		case 'c', 'r', 't', 'u', 'x':
			given++
			c.mode = map[byte]mode{'c': archive, 'r': appending, 't': list, 'u': appending, 'x': extract}[g.Letter]
		case 'o', 'O':
			old = g.Letter
		default:
			if err := c.setTar(env, g); err != nil {
				env.Warnx("%s", err)
				return env.UsageError()
			}
		}
	}
	if given != 1 {
		return env.UsageError()
	}
	c.setOld(old)
	if c.mode == list || c.mode == extract {
		c.patterns = append(c.listed, g.Args()...)
	} else if !c.setFiles(append(c.listed, g.Args()...)) {
		return env.UsageError()
	}
	return perform(ctx, env, c)
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
func (c *config) setTar(env *util.Env, g *util.Getopt) error {
	switch g.Letter {
	case 'b':
		return c.setBlock(g.Arg, recordSize)
	case 'C':
		return chdir(env, g.Arg)
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
		c.owner, c.perm = true, true
	case 'q':
		c.first = true
	case 's':
		return c.addReplacement(g.Arg)
	case 'T':
		list, err := lines(env, g.Arg)
		c.listed = append(c.listed, list...)
		return err
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
func (c *config) setOld(letter byte) {
	switch {
	case letter == 0:
	case c.mode == extract || c.mode == list:
		c.toStdout = letter == 'O'
		if letter == 'o' {
			c.owner = false
		}
	default:
		c.format, c.noDirs = lookupFormat("tar"), letter == 'o'
	}
}

// setFiles takes the operands of tar -c and -r. It reports false if there is nothing to write.
func (c *config) setFiles(args []string) bool {
	for i := 0; i < len(args); i++ {
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

// lines reads a file in the kernel that has names.
func lines(env *util.Env, path string) ([]string, error) {
	sys := env.Proc.Sys()
	fd, err := sys.Open(path, abi.O_RDONLY|abi.O_CLOEXEC, 0)
	if err != nil {
		return nil, util.Messagef("Unable to open %s (%s)", path, err)
	}
	defer sys.Close(fd)
	var list []string
	text := make([]byte, 0, bufferSize)
	for len(text) < maxList {
		p := make([]byte, bufferSize)
		n, err := sys.Read(fd, p)
		if err != nil {
			return nil, util.Messagef("Unable to read %s (%s)", path, err)
		}
		if n == 0 {
			break
		}
		text = append(text, p[:n]...)
	}
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		if s.Text() != "" {
			list = append(list, s.Text())
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
