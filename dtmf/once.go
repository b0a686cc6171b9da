package dtmf

import "time"

const (
	// window is how far apart the kinds of one key press may be told: an INFO
	// that was repeated on its way comes half a second after the tones.
	window = time.Second
	// remembers is how many keys are kept to know their other kinds by.
	remembers = 8
)

// Once counts each key press once, in whichever kinds it comes: event, tones and
// INFO, in any order. When two kinds of one press have been seen, the better one
// is believed from then on (events before INFO before tones) and the other is
// not waited for; it is again when the better one stays away. The same key
// pressed twice comes twice in one kind, and counts twice.
//
// The zero value is ready. It is not safe for concurrent use.
type Once struct {
	keys   [remembers]counted
	next   int
	better int           // the kind that is believed
	worse  kinds         // those that come with it
	missed int           // keys in those that the better kind has not told
	since  time.Duration // when the first of them came
}

// kinds is a set of ways in which a key was told.
type kinds uint8

type counted struct {
	symbol   byte
	in       kinds
	from, to time.Duration
}

// rank is how well a kind is believed, 0 for the best.
func rank(method string) int {
	switch method {
	case MethodRFC4733:
		return 0
	case MethodInfo:
		return 1
	}
	return 2
}

// Take reports whether a key that is told now counts.
func (o *Once) Take(d Digit, now time.Duration) bool {
	kind := rank(d.Method)
	if p := o.other(d.Symbol, kind, now-d.Duration, now); p != nil {
		for k := range 3 {
			if p.in&(1<<k) != 0 {
				o.learn(k, kind)
			}
		}
		p.in |= 1 << kind
		p.to = now
		return false
	}
	if o.worse&(1<<kind) != 0 && !o.doubted(now) {
		return false
	}
	if kind == o.better {
		o.missed = 0
	}
	o.keys[o.next] = counted{d.Symbol, 1 << kind, now - d.Duration, now}
	o.next = (o.next + 1) % remembers
	return true
}

// Counted reports whether a press that begins now, in the kind of method, has
// counted already.
func (o *Once) Counted(symbol byte, method string, now time.Duration) bool {
	return o.other(symbol, rank(method), now, now) != nil
}

// other finds the oldest press of the key that came in other kinds only.
func (o *Once) other(symbol byte, kind int, from, to time.Duration) *counted {
	for i := range o.keys {
		p := &o.keys[(o.next+i)%remembers]
		if p.symbol == symbol && p.in&(1<<kind) == 0 && from <= p.to+window && p.from <= to+window {
			return p
		}
	}
	return nil
}

// learn notes that two kinds come for one press.
func (o *Once) learn(a, b int) {
	if o.worse == 0 {
		o.better = a
	}
	o.better = min(o.better, a, b)
	o.worse |= 1<<a | 1<<b
	o.worse &^= 1 << o.better
	o.missed = 0
}

// doubted: the better kind has told none of the last keys, and has had the time.
func (o *Once) doubted(now time.Duration) bool {
	if o.missed == 0 {
		o.since = now
	}
	o.missed++
	if o.missed <= 2 || now-o.since < window {
		return false
	}
	o.worse, o.missed = 0, 0
	return true
}
