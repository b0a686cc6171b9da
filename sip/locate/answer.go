package locate

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"
)

const (
	maxRecords = 32 // of one answer; more is nobody's configuration
	maxAliases = 8  // CNAMEs followed for one question
)

var errAliases = errors.New("too many aliases")

// answers reports whether a reply belongs to a query: a forged one has to guess
// the id, and a confused server has to have understood the question.
func answers(query, reply *dns.Msg) bool {
	if reply == nil || !reply.Response || reply.Id != query.Id || reply.Opcode != dns.OpcodeQuery ||
		len(query.Question) != 1 || len(reply.Question) != 1 {
		return false
	}
	q, p := query.Question[0], reply.Question[0]
	return q.Qtype == p.Qtype && q.Qclass == p.Qclass && strings.EqualFold(q.Name, p.Name)
}

// read takes the records of a kind for a name from a reply, by way of the
// aliases in it. What else the reply contains, in whatever section, is nobody's
// business (RFC 5452 §6). next is the alias to ask for when the reply ends with
// one.
func read(m *dns.Msg, name string, kind uint16) (a answer, next string, err error) {
	ttl := uint32(maxFresh / time.Second)
	owner := name
	for range maxAliases {
		alias := ""
		for _, rr := range m.Answer {
			h := rr.Header()
			if h.Class != dns.ClassINET || !strings.EqualFold(strings.TrimSuffix(h.Name, "."), owner) {
				continue
			}
			if c, ok := rr.(*dns.CNAME); ok && kind != dns.TypeCNAME && alias == "" {
				if alias, err = hostName(c.Target); err != nil {
					return answer{}, "", fmt.Errorf("alias of %s: %w", owner, err)
				}
				ttl = min(ttl, h.Ttl)
			} else if h.Rrtype == kind && a.add(rr) {
				ttl = min(ttl, h.Ttl)
			}
		}
		if !a.empty() {
			a.ttl = time.Duration(ttl) * time.Second
			return a, "", nil
		}
		if alias == "" {
			a, next = without(m, name, owner, ttl)
			return a, next, nil
		}
		owner = alias
	}
	return answer{}, "", errAliases
}

// without is what a reply means that has no record of the kind: that there is
// none, or that owner, the alias it ends with, is to be asked for.
func without(m *dns.Msg, name, owner string, ttl uint32) (answer, string) {
	if owner != name && m.Rcode == dns.RcodeSuccess && !hasSOA(m) {
		return answer{ttl: time.Duration(ttl) * time.Second}, owner
	}
	return answer{ttl: min(negativeTTL(m), time.Duration(ttl)*time.Second)}, ""
}

// add takes a record and reports whether it was of use.
func (a *answer) add(rr dns.RR) bool {
	switch rr := rr.(type) {
	case *dns.A:
		if addr, ok := netip.AddrFromSlice(rr.A); ok && len(a.addrs) < maxAddrs {
			a.addrs = append(a.addrs, addr.Unmap())
			return true
		}
	case *dns.AAAA:
		if addr, ok := netip.AddrFromSlice(rr.AAAA); ok && len(a.addrs) < maxAddrs {
			a.addrs = append(a.addrs, addr.Unmap())
			return true
		}
	case *dns.SRV:
		s := srv{priority: rr.Priority, weight: rr.Weight, port: rr.Port}
		if rr.Target != "." {
			var err error
			if s.host, err = hostName(rr.Target); err != nil || rr.Port == 0 {
				return false
			}
		}
		if len(a.srv) < maxRecords {
			a.srv = append(a.srv, s)
			return true
		}
	case *dns.NAPTR:
		n, ok := naptrOf(rr.Order, rr.Preference, rr.Flags, rr.Service, rr.Regexp, rr.Replacement)
		if ok && len(a.naptr) < maxRecords {
			a.naptr = append(a.naptr, n)
			return true
		}
	}
	return false
}

func hasSOA(m *dns.Msg) bool {
	for _, rr := range m.Ns {
		if _, ok := rr.(*dns.SOA); ok {
			return true
		}
	}
	return false
}

// negativeTTL is how long it may be believed that there is nothing (RFC 2308 §5);
// without a SOA hardly at all.
func negativeTTL(m *dns.Msg) time.Duration {
	for _, rr := range m.Ns {
		if soa, ok := rr.(*dns.SOA); ok {
			return time.Duration(min(soa.Minttl, soa.Hdr.Ttl)) * time.Second
		}
	}
	return 0
}
