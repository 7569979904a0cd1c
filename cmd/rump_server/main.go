// Rump_server serves a rump kernel to clients on a socket. By the name that it is called by it is rump_server
// (a kernel of the components that -l names), rump_allserver (of all there are) or rump_wmd (which says what components
// need). Options and messages are those of rump_server(1) and rump_wmd(1).
//
// All of it is in package internal/server; links give it its other names.
package main

import (
	"os"

	"github.com/rumpctrl/rumpctrl/internal/server"
)

func main() {
	os.Exit(server.Main(&server.Env{Args: os.Args, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv}))
}
