// Package util is what the utilities are made of: what a utility is ([Utility]),
// what it runs in ([Env]), how it reads its arguments ([Getopt]) and the small
// formats that several of them share: modes, sizes, mount options.
//
// A utility lives in a folder of its own, util/NAME, and is a value named Utility. It
// speaks to the kernel by env.Proc and to the user by env.Stdin, env.Stdout and env.Stderr,
// and to nothing else: it never looks at the host's files, environment or descriptors by
// itself. Package util/all is the list of them; cmd/rumpctrl runs them.
//
// Messages are the utilities' base name, a colon, what failed and the text of the error,
// as err(3) and warn(3) print them; exit statuses are those of the manual pages.
//
// Start reading at [Utility] and [Env].
package util
