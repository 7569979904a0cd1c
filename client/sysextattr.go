package client

import (
	"bytes"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
)

// Attr says which extended attribute of which file: of the open file FD if Path is empty,
// otherwise of the file at Path, or the symbolic link itself if Link.
type Attr struct {
	FD    int
	Path  string
	Link  bool
	Space int    // abi.EXTATTR_NAMESPACE_USER or EXTATTR_NAMESPACE_SYSTEM
	Name  string // not for a list
}

// begin begins the one of the three calls that suits.
func (a *Attr) begin(s *Sys, fd, file, link int) request {
	num := file
	switch {
	case a.Path == "":
		num = fd
	case a.Link:
		num = link
	}
	r := s.request(num)
	if a.Path == "" {
		r.int(a.FD)
	} else {
		r.path(a.Path)
	}
	r.int(a.Space)
	return r
}

// ExtattrGet sets b to the attribute's value and returns its length; with a nil b it
// returns the length alone: extattr_get_file(2).
func (s *Sys) ExtattrGet(a Attr, b []byte) (int, error) {
	r := a.begin(s, abi.SYS_extattr_get_fd, abi.SYS_extattr_get_file, abi.SYS_extattr_get_link)
	r.path(a.Name)
	r.dst(b)
	r.word(uint64(len(b)))
	return r.length(b)
}

// length makes a call that returns the length of what it wrote to b or, if b is nil, would
// have written.
func (r *request) length(b []byte) (int, error) {
	if b == nil {
		return r.num()
	}
	return r.size(len(b))
}

// ExtattrSet sets the attribute: extattr_set_file(2).
func (s *Sys) ExtattrSet(a Attr, value []byte) (int, error) {
	r := a.begin(s, abi.SYS_extattr_set_fd, abi.SYS_extattr_set_file, abi.SYS_extattr_set_link)
	r.path(a.Name)
	r.in(value)
	return r.size(len(value))
}

// ExtattrDelete deletes the attribute: extattr_delete_file(2).
func (s *Sys) ExtattrDelete(a Attr) error {
	r := a.begin(s, abi.SYS_extattr_delete_fd, abi.SYS_extattr_delete_file, abi.SYS_extattr_delete_link)
	r.path(a.Name)
	return r.do()
}

// ExtattrList returns the names of the attributes in a's space: extattr_list_file(2).
func (s *Sys) ExtattrList(a Attr) ([]string, error) {
	list := func(b []byte) (int, error) {
		r := a.begin(s, abi.SYS_extattr_list_fd, abi.SYS_extattr_list_file, abi.SYS_extattr_list_link)
		r.dst(b)
		r.word(uint64(len(b)))
		return r.length(b)
	}
	n, err := list(nil)
	if err != nil || n <= 0 {
		return nil, err
	}
	b := make([]byte, n)
	n, err = list(b)
	if err != nil {
		return nil, err
	}
	return countedNames(b[:n]), nil
}

// countedNames takes names apart, each after a byte with its length. What is cut off at the end is
// left out.
func countedNames(b []byte) []string {
	var names []string
	for len(b) > 0 && int(b[0]) < len(b) {
		n := int(b[0])
		names = append(names, string(b[1:1+n]))
		b = b[1+n:]
	}
	return names
}

// Extattrctl starts or stops extended attributes of a file system: extattrctl(2). An empty filename
// or attribute name is passed as a null pointer.
func (s *Sys) Extattrctl(path string, cmd int, filename string, space int, attr string) error {
	r := s.request(abi.SYS_extattrctl)
	r.path(path)
	r.int(cmd)
	r.optPath(filename)
	r.int(space)
	r.optPath(attr)
	return r.do()
}

// optPath adds the address of a string, or null if it is empty.
func (r *request) optPath(s string) {
	if s == "" {
		r.dst(nil)
		return
	}
	r.path(s)
}

// Xattr names a file for the calls of Linux's form: the open file FD if Path is empty, otherwise
// the file at Path, or the symbolic link itself if Link.
type Xattr struct {
	FD   int
	Path string
	Link bool
}

func (x *Xattr) begin(s *Sys, fd, file, link int) request {
	switch {
	case x.Path == "":
		r := s.request(fd)
		r.int(x.FD)
		return r
	case x.Link:
		file = link
	}
	r := s.request(file)
	r.path(x.Path)
	return r
}

// Getxattr sets b to the value of an attribute, as "user.name", and returns its length;
// with a nil b it returns the length alone: getxattr(2).
func (s *Sys) Getxattr(x Xattr, name string, b []byte) (int, error) {
	r := x.begin(s, abi.SYS_fgetxattr, abi.SYS_getxattr, abi.SYS_lgetxattr)
	r.path(name)
	r.dst(b)
	r.word(uint64(len(b)))
	return r.length(b)
}

// Setxattr sets an attribute; flags are abi.XATTR_CREATE and XATTR_REPLACE: setxattr(2).
func (s *Sys) Setxattr(x Xattr, name string, value []byte, flags int) error {
	r := x.begin(s, abi.SYS_fsetxattr, abi.SYS_setxattr, abi.SYS_lsetxattr)
	r.path(name)
	r.in(value)
	r.int(flags)
	return r.do()
}

// Removexattr deletes an attribute: removexattr(2).
func (s *Sys) Removexattr(x Xattr, name string) error {
	r := x.begin(s, abi.SYS_fremovexattr, abi.SYS_removexattr, abi.SYS_lremovexattr)
	r.path(name)
	return r.do()
}

// Listxattr returns the names of the attributes with their spaces: listxattr(2).
func (s *Sys) Listxattr(x Xattr) ([]string, error) {
	list := func(b []byte) (int, error) {
		r := x.begin(s, abi.SYS_flistxattr, abi.SYS_listxattr, abi.SYS_llistxattr)
		r.dst(b)
		r.word(uint64(len(b)))
		return r.length(b)
	}
	n, err := list(nil)
	if err != nil || n <= 0 {
		return nil, err
	}
	b := make([]byte, n)
	if n, err = list(b); err != nil {
		return nil, err
	}
	text := string(bytes.TrimSuffix(b[:n], []byte{0}))
	if text == "" {
		return nil, nil
	}
	return strings.Split(text, "\x00"), nil
}
