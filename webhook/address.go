package webhook

import "net/netip"

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// special are the ranges that do not belong to the public internet: the special
// purpose registries of RFC 6890 and what came after, and site-local addresses
// (RFC 3879).
var special = []struct {
	prefix netip.Prefix
	what   string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "this network"},
	{netip.MustParsePrefix("10.0.0.0/8"), "private"},
	{netip.MustParsePrefix("100.64.0.0/10"), "shared by carriers"}, // RFC 6598; holds a cloud's metadata address, too
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback"},
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local"}, // holds the metadata address of most clouds
	{netip.MustParsePrefix("172.16.0.0/12"), "private"},
	{netip.MustParsePrefix("192.0.0.0/24"), "reserved"},
	{netip.MustParsePrefix("192.0.2.0/24"), "for documentation"},
	{netip.MustParsePrefix("192.88.99.0/24"), "reserved"},
	{netip.MustParsePrefix("192.168.0.0/16"), "private"},
	{netip.MustParsePrefix("198.18.0.0/15"), "for measurements"},
	{netip.MustParsePrefix("198.51.100.0/24"), "for documentation"},
	{netip.MustParsePrefix("203.0.113.0/24"), "for documentation"},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved"},
	{netip.MustParsePrefix("::1/128"), "loopback"},
	{netip.MustParsePrefix("64:ff9b:1::/48"), "private"}, // RFC 8215
	{netip.MustParsePrefix("100::/64"), "discarded"},
	{netip.MustParsePrefix("2001::/23"), "reserved"}, // Teredo among them
	{netip.MustParsePrefix("2001:db8::/32"), "for documentation"},
	{netip.MustParsePrefix("3fff::/20"), "for documentation"},
	{netip.MustParsePrefix("5f00::/16"), "reserved"},
	{netip.MustParsePrefix("fc00::/7"), "private"},
	{netip.MustParsePrefix("fe80::/10"), "link-local"},
	{netip.MustParsePrefix("fec0::/10"), "site-local"},
}

// globalUnicast is all of IPv6 that is handed out (RFC 4291 §2.4).
var globalUnicast = netip.MustParsePrefix("2000::/3")

var (
	nat64   = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052: the last four bytes are an IPv4 address
	sixToFo = netip.MustParsePrefix("2002::/16")    // RFC 3056: bytes 2 to 5 are one
)

// nonPublic says why an address is not of the public internet, "" when it is.
func nonPublic(addr netip.Addr) string {
	addr = addr.Unmap()
	if addr.Zone() != "" {
		return "link-local"
	}
	for _, s := range special {
		if s.prefix.Contains(addr) {
			return s.what
		}
	}
	if addr.Is4() {
		return ""
	}
	b := addr.As16()
	switch {
	case nat64.Contains(addr):
		return nonPublic(netip.AddrFrom4([4]byte(b[12:16])))
	case sixToFo.Contains(addr):
		return nonPublic(netip.AddrFrom4([4]byte(b[2:6])))
	case !globalUnicast.Contains(addr):
		return "reserved"
	}
	return ""
}
