package digest

import (
	"slices"
	"strings"
)

// single are the clients that give up when any challenge of a 401 names another
// algorithm than MD5, whatever its place in the order, although RFC 8760 §2.4
// has them skip it: baresip before its version 3.
var single = []string{"baresip v0.", "baresip v1.", "baresip v2."}

// offer is the algorithms to challenge with. Who does not say what it is gets
// MD5 alone, the one that works everywhere. Verify accepts every algorithm, so
// nobody gains by lying.
func (c *Challenger) offer(agent string) []string {
	if !slices.ContainsFunc(c.Algorithms, isMD5) {
		return c.Algorithms
	}
	careful := agent == "" || slices.ContainsFunc(single, func(s string) bool {
		return len(agent) >= len(s) && strings.EqualFold(agent[:len(s)], s)
	})
	if careful {
		return []string{MD5}
	}
	return c.Algorithms
}

func isMD5(name string) bool { return strings.EqualFold(name, MD5) }
