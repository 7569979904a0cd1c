package main

import (
	"fmt"

	"github.com/rumpctrl/rumpctrl/util"
)

const usage = `usage: rump [-d drivespec] [-l library] [-r total_ram] [-u url] [-v]
            [-aCefIinx] [-o option] [-c string] [file] [argument ...]
       rump -s url [-aCefIinx] [-o option] [-c string] [file] [argument ...]
`

// serverVariable names the kernel for the utilities.
const serverVariable = "RUMP_SERVER"

// options are those of the kernel, which rump_server(1) has too, and those of the shell.
var options = []util.Option{
	{Letter: 'd', Arg: "drivespec"}, {Letter: 'l', Arg: "library"}, {Letter: 'r', Arg: "total_ram"}, {Letter: 'v'},
	{Letter: 's', Arg: "url"}, {Letter: 'u', Arg: "url"},
	{Letter: 'a'}, {Letter: 'C'}, {Letter: 'e'}, {Letter: 'f'}, {Letter: 'I'}, {Letter: 'i'}, {Letter: 'n'},
	{Letter: 'x'}, {Letter: 'o', Arg: "option"}, {Letter: 'c', Arg: "string"},
}

// invocation is what a command line says.
type invocation struct {
	kernel []string // options of rump_server for a kernel of our own
	serve  string   // -u: where clients reach our own kernel
	remote string   // -s, or RUMP_SERVER: the URL of a server
	shell  []string // arguments of the shell
}

// parse reads the arguments. What is wrong with them has been said if it returns false.
func parse(env *util.Env) (*invocation, bool) {
	inv := &invocation{shell: []string{"rump"}}
	var commands []string
	g := util.NewGetopt("rump", env.Stderr, options, env.Args[1:])
	for g.Next() {
		switch g.Letter {
		case '?':
			return nil, false
		case 'd', 'l', 'r':
			inv.kernel = append(inv.kernel, "-"+string(g.Letter), g.Arg)
		case 'v':
			inv.kernel = append(inv.kernel, "-v")
		case 's':
			inv.remote = g.Arg
		case 'u':
			inv.serve = g.Arg
		case 'o':
			inv.shell = append(inv.shell, "-o", g.Arg)
		case 'c':
			commands = []string{g.Arg}
		default:
			inv.shell = append(inv.shell, "-"+string(g.Letter))
		}
	}
	if commands != nil {
		inv.shell = append(inv.shell, "-c")
	}
	inv.shell = append(append(append(inv.shell, "--"), commands...), g.Args()...)
	own := inv.serve != "" || len(inv.kernel) > 0
	if own && inv.remote != "" {
		fmt.Fprintln(env.Stderr, "rump: -s is for the kernel of a server, -dlruv for one of our own")
		return nil, false
	}
	if !own && inv.remote == "" {
		inv.remote = env.Getenv(serverVariable)
	}
	return inv, true
}
