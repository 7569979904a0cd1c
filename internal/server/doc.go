// Package server is the programs rump_server, rump_allserver and rump_wmd: their options, their messages and their
// exit statuses, as rump_server(1) and rump_wmd(1) have them.
//
// It is not the kernel (package kern), not the embedding of one (package rump, which this package drives) and not the
// protocol (package sysproxy). Start reading at [Main], then options.go for what the command line says and start.go
// for what is done about it.
package server
