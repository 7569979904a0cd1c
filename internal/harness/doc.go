// Package harness is for tests of the programs from the outside: it builds the commands, puts them into directories
// of links as an installation has them, and runs transcripts of shell commands against them.
//
// A transcript ([Parse], [Runner]) is what somebody typed and what the original C programs printed. Commands that print
// something else here have to be listed, with the reason and with what they print, in a file of differences
// ([ParseDifferences]): an output that is neither the original's nor a listed one is a failure, and so is a listed
// difference that is none any more.
//
// The utilities never have the host's PATH behind them: a name that no utility has is "not found", and cannot turn
// into the host's command of that name.
//
// Start reading at [Main] and [Commands]; transcript.go says what a transcript looks like.
package harness
