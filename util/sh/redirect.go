package sh

import (
	"io/fs"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
)

// opening is how a redirection operator opens a file.
type opening struct {
	fd    int // the descriptor if none is given
	flags int
	verb  string // for messages
}

// openings has the operators that take a file's name.
var openings = map[syntax.RedirOperator]opening{
	syntax.RdrIn:    {0, abi.O_RDONLY, "open"},
	syntax.RdrInOut: {0, abi.O_RDWR | abi.O_CREAT, "open"},
	syntax.RdrOut:   {1, abi.O_WRONLY | abi.O_CREAT | abi.O_TRUNC, "create"},
	syntax.RdrClob:  {1, abi.O_WRONLY | abi.O_CREAT | abi.O_TRUNC, "create"},
	syntax.AppOut:   {1, abi.O_WRONLY | abi.O_CREAT | abi.O_APPEND, "create"},
}

// redirect makes redirections from left to right, and tells whether all could be made. What is wrong has been said.
func (s *shell) redirect(list []*syntax.Redirect) bool {
	for _, rd := range list {
		if !s.redirectOne(rd) {
			return false
		}
	}
	return true
}

func (s *shell) redirectOne(rd *syntax.Redirect) bool {
	switch rd.Op {
	case syntax.Hdoc, syntax.DashHdoc:
		fd, ok := s.descriptor(rd, 0)
		if !ok {
			return false
		}
		text, err := s.hereDocument(rd)
		if err != nil {
			s.giveUp(err)
			return false
		}
		s.fds.set(fd, newDescription(newTextFile(text)))
		return true
	}
	word, err := s.redirectWord(rd.Word)
	if err != nil {
		s.giveUp(err)
		return false
	}
	switch rd.Op {
	case syntax.DplIn:
		return s.duplicate(rd, 0, word)
	case syntax.DplOut:
		return s.duplicate(rd, 1, word)
	}
	how, ok := openings[rd.Op]
	if !ok {
		s.abort("syntax error: redirection %v is not of the POSIX shell", rd.Op)
		return false
	}
	fd, ok := s.descriptor(rd, how.fd)
	if !ok {
		return false
	}
	file, err := s.open(word, how.flags, rd.Op == syntax.RdrOut && s.opts.on('C'))
	if err != nil {
		if s.checkKernel(); !s.flow.ended() {
			s.warn("cannot %s %s: %s", how.verb, word, util.ErrorText(err))
		}
		return false
	}
	s.fds.set(fd, newDescription(file))
	return true
}

// descriptor returns the descriptor that a redirection is about.
func (s *shell) descriptor(rd *syntax.Redirect, def int) (int, bool) {
	if rd.N == nil {
		return def, true
	}
	n, err := strconv.Atoi(rd.N.Value)
	if err != nil || n < 0 || n > maxDescriptor {
		s.warn("%s: %s", rd.N.Value, abi.EBADF.Error())
		return 0, false
	}
	return n, true
}

// duplicate makes a redirection n>&word or n<&word.
func (s *shell) duplicate(rd *syntax.Redirect, def int, word string) bool {
	fd, ok := s.descriptor(rd, def)
	if !ok {
		return false
	}
	if word == "-" {
		s.fds.closeFD(fd)
		return true
	}
	from, err := strconv.Atoi(word)
	if err != nil || from < 0 {
		s.abort("syntax error: bad fd number: %s", word)
		return false
	}
	if err := s.fds.dup(from, fd); err != nil {
		s.warn("%d: %s", from, util.ErrorText(err))
		return false
	}
	return true
}

// open opens a file of the kernel in the shell's process. With noclobber a file that is made must not be there,
// unless it is a device or the like. Errors: as open(2).
func (s *shell) open(path string, flags int, noclobber bool) (openFile, error) {
	if noclobber {
		var st abi.Stat
		switch err := s.proc.Sys().Stat(path, &st); {
		case err == nil && st.Mode&abi.S_IFMT == abi.S_IFREG:
			return nil, abi.EEXIST
		case err == nil:
			flags &^= abi.O_CREAT | abi.O_TRUNC
		default:
			flags |= abi.O_EXCL
		}
	}
	fd := -1
	err := s.blocking(func() (err error) {
		fd, err = s.proc.Sys().Open(path, flags, uint32(fs.FileMode(0o666)))
		return err
	})
	if err != nil {
		return nil, err
	}
	return &kernelFile{s.proc, fd}, nil
}

// hereDocument returns the text of a here-document.
func (s *shell) hereDocument(rd *syntax.Redirect) (string, error) {
	if rd.Hdoc == nil {
		return "", nil
	}
	word := rd.Hdoc
	if rd.Op == syntax.DashHdoc {
		word = stripTabs(word)
	}
	if hasQuotes(rd.Word) {
		return word.Lit(), nil
	}
	return s.document(word)
}

// hasQuotes tells whether the delimiter of a here-document is quoted.
func hasQuotes(word *syntax.Word) bool {
	for _, part := range word.Parts {
		if lit, ok := part.(*syntax.Lit); !ok || strings.Contains(lit.Value, `\`) {
			return true
		}
	}
	return false
}

// stripTabs returns a here-document without the tabs that its lines begin with.
func stripTabs(word *syntax.Word) *syntax.Word {
	stripped := new(syntax.Word)
	start := true
	for _, part := range word.Parts {
		lit, ok := part.(*syntax.Lit)
		if !ok {
			stripped.Parts, start = append(stripped.Parts, part), false
			continue
		}
		var b strings.Builder
		for line := range strings.SplitAfterSeq(lit.Value, "\n") {
			if start {
				line = strings.TrimLeft(line, "\t")
			}
			b.WriteString(line)
			start = strings.HasSuffix(line, "\n") || start && line == ""
		}
		stripped.Parts = append(stripped.Parts, &syntax.Lit{Value: b.String()})
	}
	return stripped
}
