package mount

import "github.com/rumpctrl/rumpctrl/util"

// AdjustPath returns the real path of what a mount helper mounts, or mounts on, and warns if that is not what was
// given.
func AdjustPath(env *util.Env, name string) string {
	real, err := util.RealPath(env.Proc.Sys(), name)
	if err != nil {
		env.Warn(err, "Warning: realpath %s", name)
	}
	if real != name {
		env.Warnx("\"%s\" is a non-resolved or relative path.", name)
		env.Warnx("using \"%s\" instead.", real)
	}
	return real
}
