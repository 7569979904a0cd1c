// Package vfs is the file system faction (rumpvfs): vnodes, path lookup, mount points, permissions, the name
// cache, advisory locks, pipes and fifos, special files, and the system calls on all of them.
//
// It knows no particular file system. One is a Type with a Mount function that gives a FS, whose Nodes say what
// they can do by the small interfaces of node.go; what a node does not implement fails with the errno that
// the interface names. Everything that is the same for all file systems is here, once: access checks,
// existence checks, trailing slashes, locking, times that follow from calls, events for kqueue.
//
// File systems that lie over directories of others are in stack.go; what they may do with the vnodes there, in layerop.go.
//
// Start reading with node.go (what a file system implements), then vnode.go (what this package keeps for each node) and
// namei.go (how paths are walked). Package vfstest holds the suite that every file system must pass.
package vfs
