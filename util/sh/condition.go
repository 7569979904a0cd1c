package sh

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
)

// testCommand is the builtins test and [: XCU test, with the rules of POSIX by the number of
// arguments. Files are the kernel's.
func testCommand(s *shell, args []string) int {
	operands := args[1:]
	if args[0] == "[" {
		if len(operands) == 0 || operands[len(operands)-1] != "]" {
			s.warn("[: missing ]")
			return exitError
		}
		operands = operands[:len(operands)-1]
	}
	c := condition{shell: s, args: operands}
	value, err := c.all()
	if err != nil {
		s.warn("%s: %v", args[0], err)
		return exitError
	}
	return boolStatus(value)
}

// condition evaluates the arguments of test.
type condition struct {
	*shell
	args []string
	deep int
}

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

// accessTests has the tests of what the process may do with a file.
var accessTests = map[byte]int{'r': abi.R_OK, 'w': abi.W_OK, 'x': abi.X_OK}

func (c *condition) unary(op byte, operand string) (bool, error) {
	switch op {
	case 'n':
		return operand != "", nil
	case 'z':
		return operand == "", nil
	case 't':
		fd, err := strconv.Atoi(operand)
		if err != nil {
			return false, fmt.Errorf("%s: bad number", operand)
		}
		return c.output(fd).IsTerminal(), nil
	}
	if how, ok := accessTests[op]; ok {
		return c.proc.Sys().Access(operand, how) == nil, nil
	}
	var st abi.Stat
	stat := c.proc.Sys().Stat
	if op == 'h' || op == 'L' {
		stat = c.proc.Sys().Lstat
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
	return c.owned(op, &st), nil
}

// owned is the rest of the tests of one file.
func (c *condition) owned(op byte, st *abi.Stat) bool {
	switch op {
	case 's':
		return st.Size > 0
	case 'O':
		uid, err := c.proc.Sys().Geteuid()
		return err == nil && uint32(uid) == st.Uid
	case 'G':
		gid, err := c.proc.Sys().Getegid()
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
	a, err := testNumber(left)
	if err != nil {
		return false, err
	}
	b, err := testNumber(right)
	return err == nil && numberTests[op](a, b), err
}

func testNumber(text string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: bad number", text)
	}
	return n, nil
}

func (c *condition) compareFiles(left, op, right string) bool {
	var a, b abi.Stat
	if c.proc.Sys().Stat(left, &a) != nil || c.proc.Sys().Stat(right, &b) != nil {
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
