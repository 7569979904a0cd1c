package mount_umap

import (
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
)

// idmap is a map of users or groups: pairs of the id that is shown and the id below.
type idmap [][2]uint64

// encode is the map as mount(2) has it.
func (m idmap) encode() []byte {
	b := make([]byte, 0, len(m)*16)
	for _, e := range m {
		b = binary.LittleEndian.AppendUint64(b, e[0])
		b = binary.LittleEndian.AppendUint64(b, e[1])
	}
	return b
}

// maxMapFile bounds a map file in bytes; one with all entries that there may be has far less.
const maxMapFile = 64 << 10

// readMap reads a map file with at most limit entries. It must be root's, and nobody else may write to it: who can, can become
// anybody below. The error is the text of a message.
func readMap(sys *client.Sys, name string, limit int) (idmap, error) {
	fd, err := sys.Open(name, abi.O_RDONLY|abi.O_CLOEXEC, 0)
	if err != nil {
		return nil, ioMessage(name, err)
	}
	defer sys.Close(fd)
	var st abi.Stat
	if err := sys.Fstat(fd, &st); err != nil {
		return nil, ioMessage(name, err)
	}
	switch {
	case st.Mode&(abi.S_IWGRP|abi.S_IWOTH) != 0:
		return nil, util.Messagef("%s: improper write permissions (%s)", name, util.StrMode(st.Mode))
	case st.Uid != 0:
		return nil, util.Messagef("%s does not belong to root", name)
	}
	var text []byte
	for buf := make([]byte, 4<<10); len(text) < maxMapFile; {
		n, err := sys.Read(fd, buf)
		if err != nil {
			return nil, ioMessage(name, err)
		}
		if n == 0 {
			break
		}
		text = append(text, buf[:n]...)
	}
	return parseMap(name, string(text), limit)
}

// ioMessage is the message of a file that cannot be read.
func ioMessage(name string, err error) error { return util.Messagef("%s: %s", name, err) }

// parseMap reads the text of a map file: the number of entries, then pairs of numbers, all separated by blanks and newlines. What
// follows the last entry is nobody's business.
func parseMap(name, text string, limit int) (idmap, error) {
	words := scanner{text}
	count, err := strconv.ParseUint(words.next(), 10, 31)
	if err != nil {
		return nil, util.Messagef("%s: nentries not found", name)
	}
	if count > uint64(limit) {
		return nil, util.Messagef("maximum number of entries is %d", limit)
	}
	m := make(idmap, count)
	for i := range m {
		for j := range m[i] {
			word := words.next()
			if word == "" && words.text == "" {
				return nil, util.Messagef("%s: unexpected end-of-file", name)
			}
			if m[i][j], err = strconv.ParseUint(word, 10, 64); err != nil {
				return nil, util.Messagef("%s: illegal format (line %d)", name, i+2)
			}
		}
	}
	return m, nil
}

// scanner takes numbers off a text.
type scanner struct{ text string }

// next is the next run of digits, "" where something else comes or nothing.
func (s *scanner) next() string {
	s.text = strings.TrimLeft(s.text, " \t\n\v\f\r")
	n := 0
	for n < len(s.text) && s.text[n] >= '0' && s.text[n] <= '9' {
		n++
	}
	word := s.text[:n]
	s.text = s.text[n:]
	return word
}
