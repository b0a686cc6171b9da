package locate

import "github.com/miekg/dns"

// Avoided counts the targets that are remembered as failed, Cached the answers.
func Avoided(r *Resolver) int { return len(r.health.until) }

// Cached counts the answers that are kept.
func Cached(r *Resolver) int { return len(r.cache) }

// Order is shuffle on weights of one priority; it gives the places in the list.
func Order(weights []uint16, random func(int) int) []int {
	var list []srv
	for i, w := range weights {
		list = append(list, srv{weight: w, port: uint16(i)})
	}
	var out []int
	for _, s := range shuffle(list, random) {
		out = append(out, int(s.port))
	}
	return out
}

// Read is read, for its fuzzer.
func Read(m *dns.Msg, name string, kind uint16) (records int, next string, err error) {
	a, next, err := read(m, name, kind)
	return len(a.addrs) + len(a.srv) + len(a.naptr), next, err
}

// HostName is hostName.
func HostName(s string) (string, error) { return hostName(s) }
