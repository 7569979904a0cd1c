package util

import (
	"path"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
)

// RealPath returns the absolute path of a file in the kernel without symbolic links, "." and "..":
// realpath(3). With an error it returns how far it came. Errors: those of lstat(2) and ELOOP.
func RealPath(sys *client.Sys, name string) (string, error) {
	if name == "" {
		return "", abi.ENOENT
	}
	at := "/"
	if !strings.HasPrefix(name, "/") {
		cwd, err := sys.Getcwd()
		if err != nil {
			return "", err
		}
		at = cwd
	}
	links := 0
	for rest := name; rest != ""; {
		var next string
		next, rest, _ = strings.Cut(rest, "/")
		switch next {
		case "", ".":
			continue
		case "..":
			at = path.Dir(at)
			continue
		}
		to := path.Join(at, next)
		link, err := readlink(sys, to)
		if err != nil {
			return to, err
		}
		if link == "" {
			at = to
			continue
		}
		if links++; links > abi.MAXSYMLINKS {
			return to, abi.ELOOP
		}
		if strings.HasPrefix(link, "/") {
			at = "/"
		}
		rest = link + "/" + rest
	}
	return at, nil
}

// readlink returns what a symbolic link says, and nothing for another file.
func readlink(sys *client.Sys, name string) (string, error) {
	var st abi.Stat
	if err := sys.Lstat(name, &st); err != nil || st.Mode&abi.S_IFMT != abi.S_IFLNK {
		return "", err
	}
	b := make([]byte, abi.MAXPATHLEN)
	n, err := sys.Readlink(name, b)
	if err == nil && n == 0 {
		err = abi.ENOENT
	}
	return string(b[:n]), err
}
