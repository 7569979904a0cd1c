package find

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	glob "mvdan.cc/sh/v3/pattern"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/ed/regex"
	"github.com/rumpctrl/rumpctrl/util/fts"
)

// primary makes a test, or an action that is true.
type primary struct {
	arg    string // what its argument is called, empty if it takes none or more
	doc    string
	stat   bool // it looks at attributes
	acts   bool // it may change the tree, or leave parts of it out
	output bool // with it there is no -print unless it is written
	make   func(p *parser, arg string) (test, error)
}

// primaryTable returns the primaries by name.
func primaryTable() map[string]primary {
	table := map[string]primary{
		"-depth":    {doc: "Visit directories after what is in them, as -d.", make: (*parser).depth},
		"-exit":     {doc: "Stop, with the exit status 0 or what follows.", output: true, make: (*parser).exit},
		"-false":    {doc: "Never true.", make: constant(false)},
		"-follow":   {doc: "Follow symbolic links, as -L.", make: (*parser).follow},
		"-iname":    {arg: "pattern", doc: "-name, whatever the case.", make: named(glob.NoGlobCase, (*fts.Entry).Name)},
		"-iregex":   {arg: "regexp", doc: "-regex, whatever the case.", make: matches(regex.CompileFold)},
		"-maxdepth": {arg: "n", doc: "At most so deep; directories there are not entered.", make: (*parser).maxDepth},
		"-mindepth": {arg: "n", doc: "At least so deep.", make: (*parser).minDepth},
		"-name":     {arg: "pattern", doc: "The last component of the path matches.", make: named(0, (*fts.Entry).Name)},
		"-path":     {arg: "pattern", doc: "The path matches.", make: named(0, func(e *fts.Entry) string { return e.Path })},
		"-prune":    {doc: "Do not enter the directory.", acts: true, make: (*parser).prune},
		"-regex":    {arg: "regexp", doc: "The whole path matches a regular expression.", make: matches(regex.Compile)},
		"-type":     {arg: "t", doc: "The type is b, c, d, f, l, p, s or w.", make: (*parser).fileType},
		"-xdev":     {doc: "Stay on a file system, as -x.", make: (*parser).oneDevice},
	}
	for _, more := range []map[string]primary{attributePrimaries(), timePrimaries(), actionPrimaries()} {
		maps.Copy(table, more)
	}
	return table
}

// operands are the operands, for the documentation.
func operands() []util.Operand {
	list := []util.Operand{
		{Name: "file", Doc: "Where to begin."},
		{Name: "( expression )", Doc: "True if the expression is."},
		{Name: "! expression", Doc: "True if the expression is not."},
		{Name: "expression [-a] expression", Doc: "True if both are; the second is looked at only if the first is."},
		{Name: "expression -o expression", Doc: "True if one of them is; the second is looked at only if the first is not."},
	}
	table := primaryTable()
	for _, name := range slices.Sorted(maps.Keys(table)) {
		row := table[name]
		list = append(list, util.Operand{Name: strings.TrimSpace(name + " " + row.arg), Doc: row.doc})
	}
	return list
}

func always(*fts.Entry) bool { return true }

func constant(value bool) func(*parser, string) (test, error) {
	return func(*parser, string) (test, error) {
		return func(*fts.Entry) bool { return value }, nil
	}
}

func (p *parser) depth(string) (test, error) {
	p.after = true
	return always, nil
}

func (p *parser) follow(string) (test, error) {
	p.walk.Follow = true
	return always, nil
}

func (p *parser) oneDevice(string) (test, error) {
	p.walk.OneDevice = true
	return always, nil
}

func (p *parser) prune(string) (test, error) {
	return func(e *fts.Entry) bool {
		e.Skip()
		return true
	}, nil
}

// exit takes a number, if one follows.
func (p *parser) exit(string) (test, error) {
	status := 0
	if len(p.args) > 0 {
		if n, err := strconv.Atoi(p.args[0]); err == nil {
			status, p.args = n&0xff, p.args[1:]
		}
	}
	return func(*fts.Entry) bool {
		p.status, p.stop = status, true
		return true
	}, nil
}

// level reads the argument of -maxdepth and -mindepth.
func (p *parser) level(arg string) (int, error) {
	n, err := strconv.Atoi(arg)
	if err != nil {
		return 0, util.Messagef("%s: %s: illegal numeric value", p.name, arg)
	}
	return n, nil
}

func (p *parser) maxDepth(arg string) (test, error) {
	most, err := p.level(arg)
	return func(e *fts.Entry) bool {
		if e.Level >= most {
			e.Skip()
		}
		return e.Level <= most
	}, err
}

func (p *parser) minDepth(arg string) (test, error) {
	least, err := p.level(arg)
	return func(e *fts.Entry) bool { return e.Level >= least }, err
}

// named makes the tests of names by a pattern of fnmatch(3). A malformed one stands for itself.
func named(mode glob.Mode, name func(*fts.Entry) string) func(*parser, string) (test, error) {
	return func(_ *parser, pattern string) (test, error) {
		var re *regexp.Regexp
		if expr, err := glob.Regexp(pattern, mode|glob.EntireString); err == nil {
			re, _ = regexp.Compile(expr) // nil then
		}
		return func(e *fts.Entry) bool {
			if re == nil {
				return name(e) == pattern
			}
			return re.MatchString(name(e))
		}, nil
	}
}

// matches makes the tests of the path by a regular expression.
func matches(compile func(string, bool) (*regex.Regexp, error)) func(*parser, string) (test, error) {
	return func(p *parser, arg string) (test, error) {
		whole := `^\(` + arg + `\)$`
		if p.extended {
			whole = `^(` + arg + `)$`
		}
		re, err := compile(whole, p.extended)
		if err != nil {
			return nil, util.Messagef("regexp %s: %s", arg, err)
		}
		return func(e *fts.Entry) bool {
			ok, err := re.Matches(e.Path)
			if err != nil {
				p.status = p.env.Errx("regexp %s: %s", arg, err)
			}
			return ok
		}, nil
	}
}

// fileTypes has the types by the letter of -type.
var fileTypes = map[byte]uint8{
	'b': abi.DT_BLK, 'c': abi.DT_CHR, 'd': abi.DT_DIR, 'f': abi.DT_REG, 'l': abi.DT_LNK, 'p': abi.DT_FIFO, 's': abi.DT_SOCK,
	'W': abi.DT_WHT, 'w': abi.DT_WHT,
}

func (p *parser) fileType(arg string) (test, error) {
	if arg == "" || fileTypes[arg[0]] == 0 {
		return nil, util.Messagef("-type: %s: unknown type", arg)
	}
	typ := fileTypes[arg[0]]
	if typ == abi.DT_WHT {
		p.walk.Whiteouts = true
	}
	return func(e *fts.Entry) bool { return e.Type == typ }, nil
}
