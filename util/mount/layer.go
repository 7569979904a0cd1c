package mount

import (
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
)

// Layer is a request to mount a file system that lies over a directory: what mount_null(8) and its relatives share.
type Layer struct {
	Type   string
	Flags  uint32 // abi.MNT_*
	Target string // the directory below, or a name
	On     string
}

// LayerPaths sets Target and On to the real paths of a helper's two operands, with warnings where those are others.
func (l *Layer) LayerPaths(env *util.Env, operands []string) {
	l.Target = AdjustPath(env, operands[0])
	l.On = AdjustPath(env, operands[1])
}

// Mount mounts the layer. build makes the arguments from the memory that it lends, the target's path among it; with
// abi.MNT_GETARGS they are what the file system was mounted with when Mount returns. It says why it fails.
func (l *Layer) Mount(env *util.Env, build func(client.Lender) []byte) int {
	if _, err := env.Proc.Sys().MountFunc(l.Type, l.On, int(l.Flags), build); err != nil {
		return env.Err(err, "%s on %s", l.Target, l.On)
	}
	return util.ExitOK
}

// Args are the arguments that all layers begin with.
func (l *Layer) Args(lend client.Lender) abi.LayerArgs {
	return abi.LayerArgs{Target: lend.InString(l.Target)}
}

// Within tells whether a path is a directory's or one of what is below it. The root is not taken for a directory with something
// below it, but for everything.
func Within(path, dir string) bool {
	if len(dir) <= 1 {
		return true
	}
	rest, ok := strings.CutPrefix(path, dir)
	return ok && (rest == "" || rest[0] == '/')
}
