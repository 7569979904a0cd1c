// Package pty is pseudo terminals, pty(4): pairs of a master, which a program holds that plays a terminal, and a slave, the terminal that
// it plays; and the cloning device that hands them out, ptm(4).
//
// A slave is a terminal of package tty; this package is the driver behind its line. The names of
// the special files are a Namer's: those in /dev, or a mounted ptyfs's (component rumpfs_ptyfs).
//
// Start reading with Ptys (ptys.go), then master.go.
package pty
