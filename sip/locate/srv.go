package locate

import (
	"cmp"
	"slices"
)

// srv is one SRV record. A host of "" is the target ".".
type srv struct {
	priority, weight, port uint16
	host                   string
}

// service is the owner name's prefix of each transport's SRV records; WebSocket
// has none (RFC 7118 §8).
var service = map[string]string{"udp": "_sip._udp", "tcp": "_sip._tcp", "tls": "_sips._tcp"}

// shuffle puts records in the order to try them: by priority, and within one in
// random order, in which a weight is the chance to come first (RFC 2782).
func shuffle(records []srv, random func(n int) int) []srv {
	left := slices.Clone(records)
	slices.SortStableFunc(left, func(a, b srv) int {
		// Those of weight 0 first, as the algorithm wants it.
		return cmp.Or(cmp.Compare(a.priority, b.priority), cmp.Compare(min(a.weight, 1), min(b.weight, 1)))
	})
	out := make([]srv, 0, len(left))
	for len(left) > 0 {
		group, sum := 0, 0
		for group < len(left) && left[group].priority == left[0].priority {
			sum += int(left[group].weight)
			group++
		}
		chosen, at := 0, random(sum+1)
		for running := int(left[0].weight); running < at; running += int(left[chosen].weight) {
			chosen++
		}
		out = append(out, left[chosen])
		left = slices.Delete(left, chosen, chosen+1)
	}
	return out
}
