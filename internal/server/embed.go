package server

import "github.com/rumpctrl/rumpctrl/rump"

// Embed makes and boots a kernel for a program that keeps it to itself, by the options -d, -l, -r and -v of
// rump_server(1). Without -l it has every component. If url is not empty the kernel also serves clients there; the result
// has the URL for them. What is wrong has been said to env.Stderr if the kernel is nil; it has nothing to undo then.
func Embed(env *Env, options []string, url string) (k *rump.Kernel, at string) {
	s, ok := parse(env.name(), append(options, "--", url), env.Getenv, env.Stderr)
	if !ok || !checkLibraries(s.libraries, env.Stderr) {
		return nil, ""
	}
	s.private = url == ""
	if len(s.libraries) == 0 {
		s.libraries = rump.Components()
	}
	k, at, failed := start(env, s)
	if failed != nil {
		failed.tell(env, true)
		return nil, ""
	}
	return k, at
}
