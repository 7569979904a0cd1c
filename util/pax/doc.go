// Package pax is pax(1), and tar(1) and cpio(1), which are other front ends of the same: they write, read and list
// archives of files, and copy trees of files, within the kernel. The archive is standard input or output, which are
// the host's, or with -f a file in the kernel.
//
// Formats are rows of a table, see [formats]: ustar, the old tar, and four kinds of cpio. Tar archives are read
// by the standard library's archive/tar, which also knows pax extended headers and GNU tar's extensions. It could not serve
// for writing: pax(1) puts the type of a file into the mode, ends names of directories without a slash, leaves
// the device numbers of other files empty and ends the checksum otherwise, so that its headers would not come out the same.
// The old tar it does not write at all, and cpio it does not know.
//
// What an archive says of names is not trusted: a leading slash is taken off unless -A, names with ".." are passed over unless
// --insecure, and a file that is written is a new one. Symbolic links that an archive brought are followed where they are
// directories of later names, as in pax(1).
//
// Of pax extended headers those of a member count; global ones are passed over. A reference back to a group in the expression of
// -s is refused, since package regexp has none.
//
// An archive may have several volumes: files whose names are asked for on standard input, which is the terminal of a utility here. If it
// has the archive or a list of names there is nobody to ask. Devices are asked for by name, too. No volume is larger than -B says, unless
// a block is.
//
// In a damaged archive the next header is searched for byte by byte, as in pax(1): what is in a file may be taken for one, if that is
// an archive itself. A file that is not whole is not made.
//
// With -M a specification of mtree(8) says what is written or copied. Its names stand for themselves, not for patterns.
//
// Not here, and so refused:
//   - bzip2, xz and compress (-j, -J, --xz, -Z), of which there is nothing that writes them, and other programs to
//     compress with (--use-compress-program), which would be the host's.
//   - the tapes that tar chooses by a digit, and archives on other hosts: a name with a colon is that of a file, as with --force-local.
//   - swapped bytes and words in cpio (-b, -S, -s), of which cpio(1) says that they do nothing.
//   - -C between the patterns of tar -t and -x: it stands before them.
//
// Start reading at [job], and then at extract and archive.
package pax
