package dd

import (
	"fmt"
	"math"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
)

// conversion is a set of the values of conv=.
type conversion uint

const (
	convASCII conversion = 1 << iota // from EBCDIC
	convEBCDIC
	convBlock
	convUnblock
	convLcase
	convUcase
	convNoerror
	convNotrunc
	convOsync
	convSparse
	convSwab
	convSync

	// reblocking are those with which bs= is no more than ibs= and obs= together.
	reblocking = convASCII | convEBCDIC | convBlock | convUnblock | convLcase | convUcase |
		convOsync | convSparse | convSwab
)

// operand is a set of the names before the equals signs.
type operand uint

const (
	opBS operand = 1 << iota
	opIBS
	opOBS
	opCBS
	opCount
	opFiles
	opIf
	opOf
	opIflag
	opOflag
	opSkip
	opSeek
)

// operands is what a command line says.
type operands struct {
	in, out       string // paths in the kernel, "" for the standard streams
	ibs, obs, cbs int
	count         int64 // input blocks, with opCount
	skip, seek    int64 // blocks
	files         int64
	progress      int64
	iflag, oflag  int // abi.O_*
	msgfmt        string
	conv          conversion
	charset       string // a constant of charset.go, or ""
	given         operand
	warnings      []string
}

// whole tells whether every input block becomes an output block as it is.
func (o *operands) whole() bool { return o.given&opBS != 0 }

// blocksMax is the largest block size: an unsigned int's.
const blocksMax = math.MaxUint32

// operandRow is what an operand does. conflicts are those after which it is refused.
type operandRow struct {
	name          string
	is, conflicts operand
	set           func(o *operands, v string) error
}

var operandTable = [...]operandRow{
	{"bs", opBS, opBS | opIBS | opOBS, setBS},
	{"cbs", opCBS, opCBS, setCBS},
	{"conv", 0, 0, setConv},
	{"count", opCount, opCount, setCount},
	{"files", opFiles, opFiles, setFiles},
	{"ibs", opIBS, opBS | opIBS, setIBS},
	{"if", opIf, opIf, setIf},
	{"iflag", opIflag, opIflag, setIflag},
	{"iseek", opSkip, opSkip, setSkip},
	{"msgfmt", 0, 0, setMsgfmt},
	{"obs", opOBS, opBS | opOBS, setOBS},
	{"of", opOf, opOf, setOf},
	{"oflag", opOflag, opOflag, setOflag},
	{"oseek", opSeek, opSeek, setSeek},
	{"progress", 0, 0, setProgress},
	{"seek", opSeek, opSeek, setSeek},
	{"skip", opSkip, opSkip, setSkip},
}

// find returns the row of a name, or nil.
func find[T any](table []T, name string, nameOf func(*T) string) *T {
	for i := range table {
		if nameOf(&table[i]) == name {
			return &table[i]
		}
	}
	return nil
}

// parseOperands reads the command line. The error is the text of a message, after which the operands
// have no more than the warnings.
func parseOperands(args []string) (*operands, error) {
	o := &operands{ibs: 512, obs: 512}
	for _, arg := range args {
		name, value, assigned := strings.Cut(arg, "=")
		op := find(operandTable[:], name, func(row *operandRow) string { return row.name })
		switch {
		case !assigned:
			return o, util.Messagef("unknown operand %s", arg)
		case value == "":
			return o, util.Messagef("no value specified for %s", name)
		case op == nil:
			return o, util.Messagef("unknown operand %s", name)
		case o.given&op.conflicts != 0 || op.is == opBS && o.conv&convOsync != 0:
			return o, util.Messagef("%s: illegal argument combination or already set", name)
		}
		o.given |= op.is
		if err := op.set(o, value); err != nil {
			return o, err
		}
	}
	return o, o.check()
}

// check looks at the operands together.
func (o *operands) check() error {
	if o.conv&reblocking != 0 && o.given&opBS != 0 {
		o.given = o.given&^opBS | opIBS | opOBS
	}
	records := o.conv & (convBlock | convUnblock)
	switch {
	case records != 0 && o.given&opCBS == 0:
		return util.Messagef("record operations require cbs")
	case records != 0 || o.given&opCBS == 0:
	case o.conv&convASCII != 0:
		o.conv |= convUnblock
	case o.conv&convEBCDIC != 0:
		o.conv |= convBlock
	default:
		return util.Messagef("cbs meaningless if not doing record operations")
	}
	switch {
	case o.out == "" || o.oflag&abi.O_TRUNC == 0:
	case o.given&opSeek != 0:
		return util.Messagef("oflag=trunc is incompatible with seek or oseek operands, giving up.")
	case o.conv&convNotrunc != 0:
		return util.Messagef("oflag=trunc is incompatible with conv=notrunc operand, giving up.")
	}
	if o.files > 1 {
		return util.Messagef("files is not supported for non-tape devices")
	}
	return nil
}

// setNumber sets what a number is for.
func setNumber[T int | int64](to *T, desc, v string, least, most int64) error {
	n, err := util.ParseNumber(desc, v, least, most)
	*to = T(n)
	return err
}

func setBS(o *operands, v string) error {
	err := setNumber(&o.ibs, "block size", v, 1, blocksMax)
	o.obs = o.ibs
	return err
}

func setIBS(o *operands, v string) error {
	return setNumber(&o.ibs, "input block size", v, 1, blocksMax)
}

func setOBS(o *operands, v string) error {
	return setNumber(&o.obs, "output block size", v, 1, blocksMax)
}

func setCBS(o *operands, v string) error {
	return setNumber(&o.cbs, "conversion record size", v, 1, blocksMax)
}

func setCount(o *operands, v string) error {
	return setNumber(&o.count, "block count", v, 0, math.MaxInt64)
}

func setFiles(o *operands, v string) error {
	return setNumber(&o.files, "file count", v, 0, blocksMax)
}

func setSkip(o *operands, v string) error {
	return setNumber(&o.skip, "skip blocks", v, 0, math.MaxInt64)
}

func setSeek(o *operands, v string) error {
	return setNumber(&o.seek, "seek blocks", v, 0, math.MaxInt64)
}

func setProgress(o *operands, v string) error {
	return setNumber(&o.progress, "progress blocks", v, 0, math.MaxInt64)
}

func setIf(o *operands, v string) error {
	o.in = v
	return nil
}

func setOf(o *operands, v string) error {
	o.out = v
	return nil
}

func setMsgfmt(o *operands, v string) error {
	o.msgfmt = v
	return checkFormat(v)
}

// conversionRow is a value of conv=.
type conversionRow struct {
	name          string
	is, conflicts conversion
	charset       string
}

var conversions = [...]conversionRow{
	{"ascii", convASCII, convEBCDIC, ascii},
	{"block", convBlock, convUnblock, ""},
	{"ebcdic", convEBCDIC, convASCII, ebcdic},
	{"ibm", convEBCDIC, convASCII, ibm},
	{"lcase", convLcase, convUcase, ""},
	{"noerror", convNoerror, 0, ""},
	{"notrunc", convNotrunc, 0, ""},
	{"oldascii", convASCII, convEBCDIC, oldascii},
	{"oldebcdic", convEBCDIC, convASCII, oldebcdic},
	{"oldibm", convEBCDIC, convASCII, oldibm},
	{"osync", convOsync, 0, ""},
	{"sparse", convSparse, 0, ""},
	{"swab", convSwab, 0, ""},
	{"sync", convSync, 0, ""},
	{"ucase", convUcase, convLcase, ""},
	{"unblock", convUnblock, convBlock, ""},
}

func setConv(o *operands, v string) error {
	for name := range strings.SplitSeq(v, ",") {
		c := find(conversions[:], name, func(row *conversionRow) string { return row.name })
		switch {
		case c == nil:
			return util.Messagef("unknown conversion %s", name)
		case o.conv&c.conflicts != 0 || c.is == convOsync && o.given&opBS != 0:
			return util.Messagef("%s: illegal conversion combination", name)
		}
		o.conv |= c.is
		if c.charset != "" {
			o.charset = c.charset
		}
	}
	return nil
}

// openFlag is a value of iflag= and oflag=, and in which of them it makes sense.
type openFlag struct {
	name    string
	flag    int
	in, out bool
}

var openFlags = [...]openFlag{
	{"alt_io", abi.O_ALT_IO, true, true},
	{"append", abi.O_APPEND, false, true},
	{"async", abi.O_ASYNC, true, true},
	{"cloexec", abi.O_CLOEXEC, true, true},
	{"creat", abi.O_CREAT, false, true},
	{"direct", abi.O_DIRECT, true, true},
	{"directory", abi.O_DIRECTORY, false, false},
	{"dsync", abi.O_DSYNC, false, true},
	{"excl", abi.O_EXCL, true, true},
	{"exlock", abi.O_EXLOCK, true, true},
	{"noctty", abi.O_NOCTTY, true, true},
	{"nofollow", abi.O_NOFOLLOW, true, true},
	{"nonblock", abi.O_NONBLOCK, true, true},
	{"nosigpipe", abi.O_NOSIGPIPE, true, true},
	{"rdonly", abi.O_RDONLY, true, false},
	{"rdwr", abi.O_RDWR, true, false},
	{"rsync", abi.O_RSYNC, true, false},
	{"search", abi.O_SEARCH, true, true},
	{"shlock", abi.O_SHLOCK, true, true},
	{"sync", abi.O_SYNC, true, true},
	{"trunc", abi.O_TRUNC, true, true},
	{"wronly", abi.O_WRONLY, false, false},
}

func setIflag(o *operands, v string) error {
	return o.setFlags(&o.iflag, "iflag", v, func(in, _ bool) bool { return in })
}

func setOflag(o *operands, v string) error {
	return o.setFlags(&o.oflag, "oflag", v, func(_, out bool) bool { return out })
}

// setFlags reads a list of flags; what is odd but harmless becomes a warning.
func (o *operands) setFlags(to *int, what, v string, sensible func(in, out bool) bool) error {
	for name := range strings.SplitSeq(v, ",") {
		f := find(openFlags[:], name, func(row *openFlag) string { return row.name })
		if f == nil {
			return util.Messagef("unknown %s %s", what, name)
		}
		if what == "oflag" && f.flag&abi.O_ACCMODE != 0 {
			o.warn("rdonly, rdwr and wronly are ignored for oflag")
			continue
		}
		if !sensible(f.in, f.out) {
			o.warn(fmt.Sprintf("%s set for %s but makes no sense", name, what))
		}
		*to |= f.flag
	}
	return nil
}

func (o *operands) warn(text string) { o.warnings = append(o.warnings, text) }
