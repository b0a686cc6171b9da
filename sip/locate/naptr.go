package locate

import (
	"cmp"
	"slices"
	"strings"
)

// naptr is one NAPTR record as far as SIP uses it.
type naptr struct {
	order, preference uint16
	transport         string
	srv               string // the name of its SRV records
}

// d2 are the services of RFC 3263 §4.1.
var d2 = map[string]string{"sip+d2u": "udp", "sip+d2t": "tcp", "sips+d2t": "tls"}

// services are the records that we can follow, the one to try first in front.
func (r *Resolver) services(records []naptr, secure bool) []naptr {
	var out []naptr
	for _, n := range records {
		if slices.Contains(r.cfg.Transports, n.transport) && (n.transport == "tls" || !secure) {
			out = append(out, n)
		}
	}
	slices.SortStableFunc(out, func(a, b naptr) int {
		return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.preference, b.preference))
	})
	return out
}

// naptrOf reads a record's fields: only the "s" flag leads to SRV records, and SIP
// has no regular expressions.
func naptrOf(order, preference uint16, flags, service, regexp, replacement string) (naptr, bool) {
	transport, known := d2[strings.ToLower(service)]
	if !known || !strings.EqualFold(flags, "s") || regexp != "" {
		return naptr{}, false
	}
	name, err := hostName(replacement)
	return naptr{order, preference, transport, name}, err == nil
}
