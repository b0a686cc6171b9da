package srtp

import "slices"

// Set is one attribute for each suite, each with a key of its own (RFC 4568 §7.1.1):
// what a side offers, and takes the key for its answers from.
type Set []Crypto

// NewSet makes keys for all suites, in the order of preference.
func NewSet() Set {
	var set Set
	for i, s := range Suites() {
		set = append(set, New(i+1, s))
	}
	return set
}

// Answer takes the first of the offered attributes whose suite is known, which is
// the one that the offerer likes best, and gives ours for it: the same tag and
// suite, our own key (RFC 4568 §5.1.2).
func (set Set) Answer(offered []Crypto) (ours, theirs Crypto, ok bool) {
	for _, theirs := range offered {
		at := slices.IndexFunc(set, func(c Crypto) bool { return c.Suite == theirs.Suite })
		if at >= 0 {
			ours := set[at]
			ours.Tag = theirs.Tag
			return ours, theirs, true
		}
	}
	return Crypto{}, Crypto{}, false
}

// Accept finds what an answer has taken of what we offered. It must be one
// attribute with the tag and the suite of ours (RFC 4568 §5.1.3); a second one,
// another tag or another suite is no answer.
func (set Set) Accept(answered []Crypto) (ours, theirs Crypto, ok bool) {
	if len(answered) != 1 {
		return Crypto{}, Crypto{}, false
	}
	theirs = answered[0]
	for _, ours := range set {
		if ours.Tag == theirs.Tag && ours.Suite == theirs.Suite {
			return ours, theirs, true
		}
	}
	return Crypto{}, Crypto{}, false
}

// Renew is the set with another key for a suite.
func (set Set) Renew(s Suite) Set {
	out := slices.Clone(set)
	for i, c := range out {
		if c.Suite == s {
			out[i] = New(c.Tag, s)
		}
	}
	return out
}

// First puts the attribute that is in use in front, under the tag and with the
// key that the far end knows, and gives the others tags that are free: what a
// later offer says (RFC 4568 §5.1.4).
func (set Set) First(inUse Crypto) Set {
	out := Set{inUse}
	tag := 1
	for _, c := range set {
		if c.Suite == inUse.Suite {
			continue
		}
		if tag == inUse.Tag {
			tag++
		}
		c.Tag = tag
		tag++
		out = append(out, c)
	}
	return out
}
