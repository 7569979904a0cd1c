// Package shmif is the format of a shmif bus, version 3: an Ethernet in a file of one MiB that kernels map and share, the rump
// kernels of the C implementation among them. The file is a header and a ring of frames.
//
// It knows bytes alone: no interface, no kernel, no file. [Reader] reads the frames of a bus at rest; [Ring] sends and receives on one
// that others use at the same time, in memory that package internal/host maps; [Large] is the file beside a bus that lets
// members of this implementation pass frames which are larger than an Ethernet's. What is in the memory may be anything: no
// offset or length of it is believed. docs/shmif.md describes both files. Start reading at Header and Ring.
package shmif
