package sysctl

import (
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
)

// unlimited is how a limit is written that does not limit.
const unlimited = "unlimited"

// limit displays a resource limit.
func (t *tool) limit(n *client.SysctlNode, b []byte, w when) {
	if decodeNumber(b) != abi.RLIM_INFINITY || t.raw || t.hex > 0 {
		t.number(n, b, w)
		return
	}
	t.display(n.Path, b, w, func() { t.printf(unlimited) })
}

func printLimit(t *tool, n *client.SysctlNode) { t.printBy(n, t.limit) }

func setLimit(t *tool, n *client.SysctlNode, text string) error {
	v := uint64(abi.RLIM_INFINITY)
	if text != unlimited {
		var err error
		if v, err = parseUquad(text); err != nil {
			return t.fail("%s: '%s' is not a valid limit", n.Path, text)
		}
	}
	return t.swap(n, binary.LittleEndian.AppendUint64(nil, v), t.limit)
}

// printBy prints a value by a function that displays it.
func (t *tool) printBy(n *client.SysctlNode, display func(*client.SysctlNode, []byte, when)) {
	b, err := t.tree.Value(n)
	if err != nil {
		t.unreadable(n.Path, err)
		return
	}
	display(n, b, value)
}

// mode displays the permissions of a file.
func (t *tool) mode(n *client.SysctlNode, b []byte, w when) {
	if t.raw || t.hex > 0 {
		t.number(n, b, w)
		return
	}
	mode := uint32(decodeNumber(b))
	t.display(n.Path, b, w, func() { t.printf("%04o (%s)", mode, util.StrMode(mode)[1:]) })
}

func printMode(t *tool, n *client.SysctlNode) { t.printBy(n, t.mode) }

func setMode(t *tool, n *client.SysctlNode, text string) error {
	old, err := t.tree.Value(n)
	if err != nil {
		return t.fail("%s: failed query", n.Path)
	}
	change, ok := util.SetMode(text, 0)
	if !ok {
		return t.fail("%s: '%s' is an invalid mode", n.Path, text)
	}
	mode := change.Apply(uint32(decodeNumber(old)))
	return t.swap(n, binary.LittleEndian.AppendUint32(nil, mode), t.mode)
}

// maxPorts is the number of ports, one bit each.
const maxPorts = 1 << 16

// ports displays a set of ports.
func (t *tool) ports(n *client.SysctlNode, b []byte, w when) {
	if t.raw || t.hex > 0 {
		t.structure(n, b, w)
		return
	}
	t.display(n.Path, b, w, func() { t.printf("%s", portList(b)) })
}

// portList returns the ports of a set with commas between them.
func portList(b []byte) string {
	var list []string
	for port := 0; port < maxPorts && port/32*4+4 <= len(b); port++ {
		if binary.LittleEndian.Uint32(b[port/32*4:])&(1<<(port%32)) != 0 {
			list = append(list, strconv.Itoa(port))
		}
	}
	return strings.Join(list, ",")
}

// parsePorts reads a list of ports into a set, or returns what is wrong with it.
func parsePorts(s string) (set []byte, complaint string) {
	set = make([]byte, maxPorts/8)
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' }) {
		port, err := parseUquad(word)
		if err != nil {
			return nil, "Invalid port: " + word
		}
		if port >= maxPorts {
			return nil, "Port out of range: " + word
		}
		at := set[port/32*4:]
		binary.LittleEndian.PutUint32(at, binary.LittleEndian.Uint32(at)|1<<(port%32))
	}
	return set, ""
}

func printPorts(t *tool, n *client.SysctlNode) { t.printBy(n, t.ports) }

func setPorts(t *tool, n *client.SysctlNode, text string) error {
	set, complaint := parsePorts(text)
	if complaint != "" {
		t.complain("%s", complaint)
		return errFatal
	}
	return t.swap(n, set, t.ports)
}
