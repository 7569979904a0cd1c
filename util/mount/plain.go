package mount

import "github.com/rumpctrl/rumpctrl/util"

// Plain is the main function of a helper for a type of file system that takes no arguments of its own: -o with the standard options, the name
// of what is mounted, which means nothing, and the directory.
func Plain(env *util.Env, typ string) int {
	var flags util.MountFlags
	g := env.Getopt()
	for g.Next() {
		if g.Letter != 'o' {
			return env.UsageError()
		}
		if err := flags.Parse(g.Arg, StandardOptions("getargs")); err != nil {
			return env.Errx("%s", err)
		}
	}
	operands := g.Args()
	if len(operands) != 2 {
		return env.UsageError()
	}
	dir := AdjustPath(env, operands[1])
	if err := env.Proc.Sys().Mount(typ, dir, int(flags.Flags), nil); err != nil {
		return env.Err(err, "%s on %s", typ, dir)
	}
	return util.ExitOK
}
