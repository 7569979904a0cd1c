// Package hostaddr reads the internet addresses of command lines and names addresses: numbers as inet_aton(3) and inet_pton(3)
// take them, names by the host's resolver, as the original utilities of rump kernels do. The kernel is not asked.
package hostaddr

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
)

// NotFoundError says that a name has no address of the family that is wanted.
type NotFoundError struct{ Name string }

func (e *NotFoundError) Error() string { return fmt.Sprintf("%s: unknown host", e.Name) }

// ParseIPv4 reads an IPv4 address in all forms of inet_aton(3): one to four numbers, decimal, octal with a leading 0 or hexadecimal
// with 0x, the last of which fills what is left: "127.1".
func ParseIPv4(s string) (netip.Addr, bool) {
	parts := strings.Split(s, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var v uint64
	for i, part := range parts {
		bits := 8
		if i == len(parts)-1 {
			bits = 8 * (5 - len(parts))
		}
		n, ok := number(part)
		if !ok || n >= 1<<bits {
			return netip.Addr{}, false
		}
		v = v<<bits | n
	}
	return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}), true
}

// number reads a C number without a sign.
func number(s string) (uint64, bool) {
	base, digits := 10, s
	switch {
	case strings.HasPrefix(s, "0x"), strings.HasPrefix(s, "0X"):
		base, digits = 16, s[2:]
	case len(s) > 1 && s[0] == '0':
		base, digits = 8, s[1:]
	}
	if strings.ContainsAny(digits, "_+-") {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, base, 33)
	return n, err == nil
}

// Parse reads a numeric address of a family, abi.AF_UNSPEC for either. An IPv6 one may have a zone.
func Parse(s string, family int) (netip.Addr, bool) {
	if family != abi.AF_INET6 {
		if a, ok := ParseIPv4(s); ok {
			return a, true
		}
	}
	if family == abi.AF_INET {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(s)
	return a, err == nil && a.Is6()
}

// Lookup is Parse or, when that fails, the first address of the host of that name. Errors: *NotFoundError; ctx's.
func Lookup(ctx context.Context, s string, family int) (netip.Addr, error) {
	if a, ok := Parse(s, family); ok {
		return a, nil
	}
	network := map[int]string{abi.AF_INET: "ip4", abi.AF_INET6: "ip6", abi.AF_UNSPEC: "ip"}[family]
	if s == "" || strings.ContainsAny(s, " /:%") {
		return netip.Addr{}, &NotFoundError{s}
	}
	list, err := net.DefaultResolver.LookupNetIP(ctx, network, s)
	if ctx.Err() != nil {
		return netip.Addr{}, ctx.Err()
	}
	if err != nil || len(list) == 0 {
		return netip.Addr{}, &NotFoundError{s}
	}
	return list[0].Unmap(), nil
}

// Name is the host's name of an address, or the address in numbers where it has none or numeric is set.
func Name(ctx context.Context, a netip.Addr, numeric bool) string {
	if !numeric {
		names, err := net.DefaultResolver.LookupAddr(ctx, a.String())
		if err == nil && len(names) > 0 {
			return strings.TrimSuffix(names[0], ".")
		}
	}
	return a.String()
}
