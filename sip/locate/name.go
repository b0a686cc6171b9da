package locate

import (
	"fmt"
	"net/netip"
	"strings"
)

// numeric reads a host that is an address, IPv6 with or without brackets.
func numeric(host string) (netip.Addr, bool) {
	inner, open := strings.CutPrefix(host, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	addr, err := netip.ParseAddr(inner)
	if err != nil || open != closed || open && !addr.Is6() {
		return netip.Addr{}, false
	}
	return addr.Unmap(), true
}

// hostName checks a name before anybody is asked about it and gives it in lower
// case without a final dot: labels of 1 to 63 letters, digits, hyphens and
// underscores, 253 characters in all (RFC 1035 §2.3.4, RFC 1123 §2.1). One whose
// last label is a number is a mistyped address.
func hostName(s string) (string, error) {
	name := strings.ToLower(strings.TrimSuffix(s, "."))
	if name == "" || len(name) > 253 {
		return "", fmt.Errorf("%w: %d characters", ErrName, len(name))
	}
	labels := strings.Split(name, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || strings.ContainsFunc(l, odd) {
			return "", fmt.Errorf("%w: label %q", ErrName, l)
		}
	}
	if last := labels[len(labels)-1]; strings.Trim(last, "0123456789") == "" {
		return "", fmt.Errorf("%w: it ends in the number %s", ErrName, last)
	}
	return name, nil
}

func odd(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_'
}
