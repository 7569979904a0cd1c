// Package memfs is a file system in the kernel's memory. It has two faces: rumpfs, the root file system that
// component rumpvfs mounts, and tmpfs, component rumpfs_tmpfs; they differ in the Face alone, in what sizes stat(2) and
// statvfs(2) report. It knows no mount(2) arguments: the components read those.
//
// Everything that it holds is charged: to the file system's own limit and to the kernel's memory (kern.Mem), so
// that statvfs(2) says what is really left. Either being exhausted is ENOSPC, and the space comes back when the last
// link and the last reference of a file are gone.
//
// Locks, beside those of the vnodes that package vfs holds for us (vfs.Node says which): the vnode lock guards the
// entries of a directory and the pages of a file. inode.mu guards a node's attributes, for times change under a shared
// vnode lock, and attributes are asked for before there is a vnode. space.mu guards the accounts, FS.mu the table of
// nodes. inode.mu is taken before those two, and never two inode.mu at once.
//
// Start reading with FS (fs.go), then inode (inode.go), dir (dir.go) and file (file.go).
package memfs
