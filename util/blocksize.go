package util

import (
	"strconv"
	"strings"
)

// BlockSize is the unit that sizes are printed in.
type BlockSize struct {
	Bytes  int64
	Header string // as a column is headed: "512-blocks", "1K-blocks"
}

// least and most are the limits of a block size.
const (
	leastBlock = 512
	mostBlock  = 1 << 30
)

// BlockSize returns what the variable BLOCKSIZE asks for, a number with K, M, G or nothing after it, and
// 512 otherwise: getbsize(3). It warns of one that makes no sense.
func (env *Env) BlockSize() BlockSize {
	v := env.Getenv("BLOCKSIZE")
	if v == "" {
		return BlockSize{leastBlock, "512-blocks"}
	}
	digits, unit, mul := v, "", int64(1)
	for letter, m := range map[string]int64{"K": 1 << 10, "M": 1 << 20, "G": 1 << 30} {
		if strings.HasSuffix(strings.ToUpper(v), letter) {
			digits, unit, mul = v[:len(v)-1], letter, m
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	switch {
	case err != nil && !rangeError(err) && digits != "":
		env.Warnx("%s: unknown blocksize", v)
		return BlockSize{leastBlock, "512-blocks"}
	case n == 0:
		n = 1
	case n > mostBlock/mul:
		env.Warnx("maximum blocksize is 1G")
		n = mostBlock / mul
	}
	if n < 0 || n*mul < leastBlock {
		env.Warnx("%s: minimum blocksize is 512", v)
		return BlockSize{leastBlock, "512-blocks"}
	}
	return BlockSize{n * mul, strconv.FormatInt(n, 10) + unit + "-blocks"}
}

// rangeError tells whether a number was too large.
func rangeError(err error) bool {
	ne, is := err.(*strconv.NumError)
	return is && ne.Err == strconv.ErrRange
}
