// Package posix runs the checks of pjdfstest, the POSIX conformance suite for file systems
// (https://github.com/pjd/pjdfstest, by Pawel Jakub Dawidek and others, at commit 85a8aea), on a kernel in the same process.
//
// pjdfstest is shell scripts around a program that makes one system call; what they check stands here as data, in
// tables/*.txt, one table a folder of theirs, one case a script, and every check has the number that it has there:
// "rename/09.t 12". Of what they expect of particular systems it is what they expect of FreeBSD with UFS, for they know no
// NetBSD; where the manual pages of NetBSD say otherwise, exceptions.txt has the reason. Left out is granular,
// which is about ZFS's access control lists.
//
// A table reads so. A case begins with "== NAME"; a row is a check, or several where a loop stands around it:
//
//	for kind rm: regular unlink, dir rmdir
//	  make %kind n0
//	  as 65534:65533,65532 umask 022 chmod n0 0111 -> EPERM
//	  %rm n0
//
// "as" makes the call as a user (with root's groups), as groups, or both; "umask" with a umask, 0 without. Each
// row is a process of its own, in the directory that "cd" set. Calls that follow one another in it are separated
// by ";", and the numbers that stand for descriptors count those that it has opened. After "->" stands what the
// last call must give: an error, the values asked for (stat, lstat and fstat with a list of attributes, times in seconds),
// or alternatives with "|"; 0, which is success, without. "$t" is what "t =" has kept, ">$t" a number above it, "<=$t" none.
// Rows that begin with "-" are steps on the way, not checks. "make KIND PATH [MODE] [UID GID]" stands for up to three
// checks, and none for KIND none. {max} is a name of the greatest length, {maxdir}/{maxlast} such a path,
// {null} and {bad} are addresses where there is nothing.
//
// This is not vfstest, which has more to check, and what is NetBSD's own. Start reading with Run (run.go), then
// tables/chmod.txt.
package posix
