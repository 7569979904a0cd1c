package socket

import (
	"github.com/rumpctrl/rumpctrl/abi"
)

// cmsgAlign rounds the length of a part of a control buffer up, CMSG_ALIGN.
func cmsgAlign(n int) int { return (n + abi.ALIGNBYTES) &^ abi.ALIGNBYTES }

// cmsgLen is the cmsg_len of a control message of n bytes of data, CMSG_LEN.
func cmsgLen(n int) int { return cmsgAlign(abi.SizeofCmsghdr) + n }

// cmsgSpace is what a control message of n bytes of data takes in a control buffer, CMSG_SPACE.
func cmsgSpace(n int) int { return cmsgAlign(abi.SizeofCmsghdr) + cmsgAlign(n) }
