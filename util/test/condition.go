package test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
)

// condition evaluates the arguments of test.
type condition struct {
	sys      *client.Sys
	terminal func(fd int) bool
	args     []string
	deep     int
}

// maxNesting is how deep parentheses may be nested.
const maxNesting = 1000

var (
	errBracket = errors.New("missing ]")
	errNesting = errors.New("nested too deep")
)

func (c *condition) all() (bool, error) {
	switch n := len(c.args); {
	case n == 0:
		return false, nil
	case n == 3 && c.isBinary(c.args[1]):
		return c.binary(c.args[0], c.args[1], c.args[2])
	case n == 3 && c.args[0] == "(" && c.args[2] == ")":
		return c.args[1] != "", nil
	case n == 4 && c.args[0] == "!":
		c.args = c.args[1:]
		value, err := c.all()
		return !value, err
	}
	value, err := c.or()
	if err == nil && len(c.args) > 0 {
		return false, fmt.Errorf("%s: unexpected operator", c.args[0])
	}
	return value, err
}

func (c *condition) next(word string) bool {
	if len(c.args) > 0 && c.args[0] == word {
		c.args = c.args[1:]
		return true
	}
	return false
}

func (c *condition) or() (bool, error) {
	value, err := c.and()
	for err == nil && c.next("-o") {
		var right bool
		right, err = c.and()
		value = value || right
	}
	return value, err
}

func (c *condition) and() (bool, error) {
	value, err := c.not()
	for err == nil && c.next("-a") {
		var right bool
		right, err = c.not()
		value = value && right
	}
	return value, err
}

func (c *condition) not() (bool, error) {
	value := true
	for len(c.args) > 1 && c.next("!") {
		value = !value
	}
	result, err := c.primary()
	return result == value, err
}

func (c *condition) primary() (bool, error) {
	if len(c.args) == 0 {
		return false, errors.New("argument expected")
	}
	if len(c.args) > 2 && c.isBinary(c.args[1]) {
		left, op, right := c.args[0], c.args[1], c.args[2]
		c.args = c.args[3:]
		return c.binary(left, op, right)
	}
	first := c.args[0]
	if first == "(" && len(c.args) > 1 {
		return c.parenthesized()
	}
	if len(c.args) > 1 && len(first) == 2 && first[0] == '-' && strings.IndexByte(unaryTests, first[1]) >= 0 {
		operand := c.args[1]
		c.args = c.args[2:]
		return c.unary(first[1], operand)
	}
	c.args = c.args[1:]
	return first != "", nil
}

func (c *condition) parenthesized() (bool, error) {
	if c.deep++; c.deep > maxNesting {
		return false, errNesting
	}
	c.args = c.args[1:]
	value, err := c.or()
	c.deep--
	if err == nil && !c.next(")") {
		return false, errors.New("closing paren expected")
	}
	return value, err
}

// unaryTests are the letters of the tests that take one operand.
const unaryTests = "bcdefghknprstuwxzGLOS"

// fileTypes has the tests of a file's type.
var fileTypes = map[byte]uint32{
	'b': abi.S_IFBLK, 'c': abi.S_IFCHR, 'd': abi.S_IFDIR, 'f': abi.S_IFREG,
	'h': abi.S_IFLNK, 'L': abi.S_IFLNK, 'p': abi.S_IFIFO, 'S': abi.S_IFSOCK,
}

// modeTests has the tests of a bit of a file's mode.
var modeTests = map[byte]uint32{'g': abi.S_ISGID, 'u': abi.S_ISUID, 'k': abi.S_ISVTX}

// accessTests has the tests of what the process may do with a file, by the bit that others have for it.
var accessTests = map[byte]uint32{'r': abi.S_IROTH, 'w': abi.S_IWOTH, 'x': abi.S_IXOTH}

func (c *condition) unary(op byte, operand string) (bool, error) {
	switch op {
	case 'n':
		return operand != "", nil
	case 'z':
		return operand == "", nil
	case 't':
		fd, err := number(operand)
		return err == nil && fd == int64(int(fd)) && c.terminal(int(fd)), err
	}
	var st abi.Stat
	stat := c.sys.Stat
	if op == 'h' || op == 'L' {
		stat = c.sys.Lstat
	}
	if stat(operand, &st) != nil {
		return false, nil
	}
	if typ, ok := fileTypes[op]; ok {
		return st.Mode&abi.S_IFMT == typ, nil
	}
	if bit, ok := modeTests[op]; ok {
		return st.Mode&bit != 0, nil
	}
	if bit, ok := accessTests[op]; ok {
		return c.permitted(&st, bit), nil
	}
	return c.owned(op, &st), nil
}

// permitted tells whether the permissions let the effective user do something; those of anybody let the super-user. That a file
// system is read only is no matter.
func (c *condition) permitted(st *abi.Stat, bit uint32) bool {
	uid, err := c.sys.Geteuid()
	switch {
	case err != nil:
		return false
	case uid == 0:
		bit |= bit<<3 | bit<<6
	case uint32(uid) == st.Uid:
		bit <<= 6
	case c.member(st.Gid):
		bit <<= 3
	}
	return st.Mode&bit != 0
}

// member tells whether the process is in a group.
func (c *condition) member(gid uint32) bool {
	if own, err := c.sys.Getegid(); err == nil && uint32(own) == gid {
		return true
	}
	groups, err := c.sys.Getgroups()
	return err == nil && slices.Contains(groups, int(gid))
}

// owned is the rest of the tests of one file.
func (c *condition) owned(op byte, st *abi.Stat) bool {
	switch op {
	case 's':
		return st.Size > 0
	case 'O':
		uid, err := c.sys.Geteuid()
		return err == nil && uint32(uid) == st.Uid
	case 'G':
		gid, err := c.sys.Getegid()
		return err == nil && uint32(gid) == st.Gid
	}
	return true // -e
}

// numberTests has the comparisons of numbers.
var numberTests = map[string]func(a, b int64) bool{
	"-eq": func(a, b int64) bool { return a == b },
	"-ne": func(a, b int64) bool { return a != b },
	"-lt": func(a, b int64) bool { return a < b },
	"-le": func(a, b int64) bool { return a <= b },
	"-gt": func(a, b int64) bool { return a > b },
	"-ge": func(a, b int64) bool { return a >= b },
}

func (c *condition) isBinary(op string) bool {
	switch op {
	case "=", "==", "!=", "<", ">", "-nt", "-ot", "-ef":
		return true
	}
	return numberTests[op] != nil
}

func (c *condition) binary(left, op, right string) (bool, error) {
	switch op {
	case "=", "==":
		return left == right, nil
	case "!=":
		return left != right, nil
	case "<":
		return left < right, nil
	case ">":
		return left > right, nil
	case "-nt", "-ot", "-ef":
		return c.compareFiles(left, op, right), nil
	}
	a, err := number(left)
	if err != nil {
		return false, err
	}
	b, err := number(right)
	return err == nil && numberTests[op](a, b), err
}

// number reads a number, with blanks around it or none.
func number(text string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("%s: out of range", text)
	}
	if err != nil {
		return 0, fmt.Errorf("%s: bad number", text)
	}
	return n, nil
}

func (c *condition) compareFiles(left, op, right string) bool {
	var a, b abi.Stat
	if c.sys.Stat(left, &a) != nil || c.sys.Stat(right, &b) != nil {
		return false
	}
	if op == "-ot" {
		a, b = b, a
	}
	if op == "-ef" {
		return a.Dev == b.Dev && a.Ino == b.Ino
	}
	return a.Mtim.Sec > b.Mtim.Sec || a.Mtim.Sec == b.Mtim.Sec && a.Mtim.Nsec > b.Mtim.Nsec
}
