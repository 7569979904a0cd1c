package server

import (
	"io"
	"path"
	"strings"
)

// Env is what a program runs in.
type Env struct {
	// Args are the arguments; the base name of Args[0] says which program it is.
	Args           []string
	Stdout, Stderr io.Writer
	// Getenv returns a variable of the environment, empty if it is not set.
	Getenv func(string) string
}

// programs are what this package is, by name.
var programs = map[string]func(env *Env) int{
	"rump_server":    func(env *Env) int { return serve(env, false) },
	"rump_allserver": func(env *Env) int { return serve(env, true) },
	"rump_wmd":       whereIsMyDependency,
}

// Main runs the program that the base name of Args[0] says, rump_server for any other name, and returns its exit
// status.
func Main(env *Env) int {
	run := programs[env.name()]
	if run == nil {
		run = programs["rump_server"]
	}
	return run(env)
}

// name is the base name by which the program was called.
func (env *Env) name() string {
	return strings.TrimSuffix(path.Base(strings.ReplaceAll(env.Args[0], `\`, "/")), ".exe")
}
