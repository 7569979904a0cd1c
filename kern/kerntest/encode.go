package kerntest

import "encoding/binary"

// le is the byte order of the kernel's machine.
var le = binary.LittleEndian

// Int is the int at the start of b.
func Int(b []byte) int32 { return int32(le.Uint32(b)) }

// Struct is a structure of package abi as a client has it in memory.
func Struct(s interface{ Append([]byte) []byte }) []byte { return s.Append(nil) }
