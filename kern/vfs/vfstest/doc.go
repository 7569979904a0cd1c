// Package vfstest is the conformance suite that every file system of package vfs must pass: the same calls, the same
// errors, the same data.
//
// It speaks system calls alone, as a process does. Most of what it checks stands in tables/*.txt, a small language of
// calls and what each must give (script.go says how it reads); beside it are checks that need a program: random
// operations against a model, reading and changing a directory at once, renames that race, space and locks.
//
// A file system's own test calls Run with a Config; what the file system cannot do, it says there as data.
// One whose names are not users' to make, such as kernfs, calls RunFixed with a Fixed (fixed.go): the parts that apply to it.
// It is not a test of the path walk or of the system calls themselves: those are package vfs's.
//
// Start reading with Config (config.go), then a table.
package vfstest
