package dissect

import "fmt"

// HexDump is bytes in hexadecimal, 16 in a line, each line with its offset and ended by a newline; with what they are in ASCII if ascii is true.
func HexDump(data []byte, ascii bool) []byte {
	var out []byte
	for off := 0; off < len(data); off += 16 {
		row := data[off:min(off+16, len(data))]
		out = fmt.Appendf(out, "\t0x%04x: ", off)
		start := len(out)
		for i, c := range row {
			if i%2 == 0 {
				out = append(out, ' ')
			}
			out = fmt.Appendf(out, "%02x", c)
		}
		if ascii {
			for len(out)-start < 8*5 {
				out = append(out, ' ')
			}
			out = append(out, "  "...)
			out = append(out, printable(row)...)
		}
		out = append(out, '\n')
	}
	return out
}

func printable(row []byte) []byte {
	out := make([]byte, len(row))
	for i, c := range row {
		if out[i] = '.'; c > ' ' && c < 0x7f {
			out[i] = c
		}
	}
	return out
}

// ASCII is bytes as text, in which lines end and blanks stay, and everything else that cannot be printed is a dot. It ends with a newline.
func ASCII(data []byte) []byte {
	var out []byte
	for i, c := range data {
		switch {
		case c == '\r' && i+1 < len(data) && data[i+1] == '\n':
		case c == '\n' || c == '\t' || c >= ' ' && c < 0x7f:
			out = append(out, c)
		default:
			out = append(out, '.')
		}
	}
	return append(out, '\n')
}
