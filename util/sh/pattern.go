package sh

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/pattern"
)

// compile returns the regular expression of a pattern, XCU 2.13; nil if the pattern is malformed and matches only
// itself.
func compile(pat string, mode pattern.Mode) *regexp.Regexp {
	expr, err := pattern.Regexp(pat, mode)
	if err != nil {
		return nil
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil
	}
	return re
}

// match tells whether a pattern matches all of text.
func match(pat, text string) bool {
	if re := compile(pat, pattern.EntireString); re != nil {
		return re.MatchString(text)
	}
	return unescape(pat, patternChars) == text
}

// trim returns text without the shortest or longest part at its start, or end, that a pattern matches.
func trim(pat, text string, suffix, longest bool) string {
	var mode pattern.Mode
	if !longest {
		mode = pattern.Shortest
	}
	re := compile(pat, mode)
	if re == nil {
		plain := unescape(pat, patternChars)
		if suffix {
			return strings.TrimSuffix(text, plain)
		}
		return strings.TrimPrefix(text, plain)
	}
	if !suffix {
		re = regexp.MustCompile("^(?:" + re.String() + ")")
		if at := re.FindStringIndex(text); at != nil {
			return text[at[1]:]
		}
		return text
	}
	// What stays is as long as possible if the suffix is to be short, and the other way round.
	stay := "(?s)^(.*)"
	if longest {
		stay = "(?s)^(.*?)"
	}
	re = regexp.MustCompile(stay + "(?:" + re.String() + ")$")
	if at := re.FindStringSubmatchIndex(text); at != nil {
		return text[:at[3]]
	}
	return text
}

// glob returns the names of files that a field matches as a pattern, in the order of their bytes; nil if there
// are none or it is no pattern. Names are looked up as the kernel does, from the shell's working directory.
func (s *shell) glob(f *field) []string {
	if !f.magic || s.opts.on('f') {
		return nil
	}
	paths := []string{""}
	rest := f.pattern.String()
	for rest != "" && len(paths) > 0 {
		slashes := rest[:len(rest)-len(strings.TrimLeft(rest, "/"))]
		rest = rest[len(slashes):]
		name, _, more := strings.Cut(rest, "/")
		rest = rest[len(name):]
		paths = s.globName(paths, slashes, name, more)
	}
	slices.Sort(paths)
	return paths
}

// globName extends each path by slashes and the names that the next part of the pattern matches. If more follows only
// directories count.
func (s *shell) globName(paths []string, slashes, part string, more bool) []string {
	var found []string
	re := componentPattern(part)
	for _, path := range paths {
		path += slashes
		if s.ctx.Err() != nil {
			return nil
		}
		if re == nil {
			path += unescape(part, patternChars)
			if _, err := s.proc.Lstat(path); err == nil || more {
				found = append(found, path)
			}
			continue
		}
		found = s.globDirectory(found, path, part, re, more)
	}
	return found
}

// componentPattern returns the regular expression of a part of a pattern between slashes, nil if it is a plain name.
func componentPattern(part string) *regexp.Regexp {
	if !pattern.HasMeta(part, 0) {
		return nil
	}
	return compile(part, pattern.EntireString|pattern.Filenames|pattern.NoGlobStar|pattern.GlobLeadingDot)
}

// globDirectory appends the paths of the files in a directory that match. A name that begins with a dot matches only
// a pattern that does.
func (s *shell) globDirectory(found []string, path, part string, re *regexp.Regexp, dir bool) []string {
	name := path
	if name == "" {
		name = "."
	}
	entries, err := s.proc.ReadDir(name)
	if err != nil {
		return found
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") && !strings.HasPrefix(part, ".") && !strings.HasPrefix(part, `\.`) {
			continue
		}
		if !re.MatchString(e.Name()) {
			continue
		}
		if full := path + e.Name(); !dir || e.IsDir() || e.Type()&fs.ModeSymlink != 0 && s.isDirectory(full) {
			found = append(found, full)
		}
	}
	return found
}

func (s *shell) isDirectory(path string) bool {
	fi, err := s.proc.Stat(path)
	return err == nil && fi.IsDir()
}
