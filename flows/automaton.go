package flows

import (
	"math/bits"
	"strings"
)

// Patterns is a set of patterns compiled to a bit-parallel automaton: its state
// is the set of patterns that what was pressed so far may still become, one bit
// each, and a key takes away those that do not accept it at this position. The
// earlier pattern wins, as the earlier rule does. It is immutable; Only makes
// a smaller set that shares the tables.
type Patterns struct {
	words  int        // words in a set of patterns
	length int        // of the longest pattern
	step   [][]uint64 // [position*16+symbol]: the patterns that accept the symbol there
	ends   [][]uint64 // [length]: the patterns of exactly this length
	beyond [][]uint64 // [length]: the patterns longer than this
	active []uint64   // the patterns in play
}

// A catch-all takes no part in matching digits: it is for arrival.
func newPatterns(list []pattern) *Patterns {
	p := &Patterns{words: (len(list) + 63) / 64}
	for _, one := range list {
		p.length = max(p.length, len(one.at))
	}
	p.step = sets(p.length*len(symbols), p.words)
	p.ends = sets(p.length+1, p.words)
	p.beyond = sets(p.length+1, p.words)
	p.active = make([]uint64, p.words)
	for i, one := range list {
		if !one.catchAll {
			p.enter(i, one.at)
		}
	}
	return p
}

func (p *Patterns) enter(i int, at []keys) {
	word, bit := i/64, uint64(1)<<(i%64)
	p.active[word] |= bit
	p.ends[len(at)][word] |= bit
	for n := range at {
		p.beyond[n][word] |= bit
		for s := range len(symbols) {
			if at[n]&(1<<s) != 0 {
				p.step[n*len(symbols)+s][word] |= bit
			}
		}
	}
}

func sets(n, words int) [][]uint64 {
	room := make([]uint64, n*words)
	list := make([][]uint64, n)
	for i := range list {
		list[i] = room[i*words : (i+1)*words]
	}
	return list
}

// Match tells whether digits match a pattern as they stand, and whether more
// digits could match another.
func (p *Patterns) Match(digits string) (hit, longer bool) {
	for w := range p.words {
		state := p.run(w, digits)
		if state == 0 {
			continue
		}
		hit = hit || state&p.ends[len(digits)][w] != 0
		longer = longer || state&p.beyond[len(digits)][w] != 0
	}
	return hit, longer
}

// Find is the first pattern that digits match in full, by its place in the
// list.
func (p *Patterns) Find(digits string) (int, bool) {
	for w := range p.words {
		state := p.run(w, digits)
		if state == 0 {
			continue
		}
		if full := state & p.ends[len(digits)][w]; full != 0 {
			return w*64 + bits.TrailingZeros64(full), true
		}
	}
	return 0, false
}

// run is one word of the state after digits; 0 when nothing can match.
func (p *Patterns) run(word int, digits string) uint64 {
	if len(digits) > p.length {
		return 0
	}
	state := p.active[word]
	for n := 0; n < len(digits) && state != 0; n++ {
		s := strings.IndexByte(symbols, digits[n])
		if s < 0 {
			return 0
		}
		state &= p.step[n*len(symbols)+s][word]
	}
	return state
}

// Only is the set of those patterns for which keep holds, by their place in
// the list.
func (p *Patterns) Only(keep func(i int) bool) *Patterns {
	fewer := *p
	fewer.active = make([]uint64, p.words)
	for i := range p.words * 64 {
		bit := uint64(1) << (i % 64)
		if p.active[i/64]&bit != 0 && keep(i) {
			fewer.active[i/64] |= bit
		}
	}
	return &fewer
}

// Longest is the length of the longest pattern in play, 0 when there is none.
func (p *Patterns) Longest() int {
	for n := p.length; n > 0; n-- {
		for w, set := range p.ends[n] {
			if set&p.active[w] != 0 {
				return n
			}
		}
	}
	return 0
}

// Wants says whether a pattern in play accepts the key at some position.
func (p *Patterns) Wants(key byte) bool {
	s := strings.IndexByte(symbols, key)
	if s < 0 {
		return false
	}
	for n := range p.length {
		for w, set := range p.step[n*len(symbols)+s] {
			if set&p.active[w] != 0 {
				return true
			}
		}
	}
	return false
}

// matches says whether pattern i, in play or not, is a full match of digits.
func (p *Patterns) matches(i int, digits string) bool {
	if len(digits) > p.length || p.ends[len(digits)][i/64]&(1<<(i%64)) == 0 {
		return false
	}
	for n := range len(digits) {
		s := strings.IndexByte(symbols, digits[n])
		if s < 0 || p.step[n*len(symbols)+s][i/64]&(1<<(i%64)) == 0 {
			return false
		}
	}
	return true
}
