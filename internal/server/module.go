package server

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/component/all"
	"github.com/rumpctrl/rumpctrl/internal/host"
	"github.com/rumpctrl/rumpctrl/kern"
)

// modulesFailure is why the modules of -m cannot be loaded: they are NetBSD's machine code, and this kernel cannot
// run that. There is none without -m.
func (s *settings) modulesFailure() *failure {
	if len(s.modules) == 0 {
		return nil
	}
	file := s.modules[0]
	if _, err := os.Stat(file); err != nil {
		return &failure{reason: "module etfs register failed", errno: host.Errno(err), detail: file + ": " + cause(err)}
	}
	name := strings.TrimSuffix(filepath.Base(file), ".kmod")
	f := &failure{reason: "module load failed", errno: abi.ENOEXEC,
		detail: file + ": kernel modules cannot be loaded into this kernel"}
	switch c := componentWith(name); {
	case c == nil:
		f.detail += fmt.Sprintf(", and no component has module %s", name)
	case given(c.Name, resolve(s.libraries)):
		f.errno, f.detail = abi.EEXIST, fmt.Sprintf("%s: module %s is built in already, by -l%s", file, name, c.Name)
	default:
		f.detail += fmt.Sprintf("; -l%s has module %s built in", c.Name, name)
	}
	return f
}

// componentWith is the component that has a module of this name, nil for none.
func componentWith(module string) *kern.Component {
	for _, c := range all.Components() {
		if slices.ContainsFunc(c.Modules, func(m kern.Module) bool { return m.Name == module }) {
			return c
		}
	}
	return nil
}
