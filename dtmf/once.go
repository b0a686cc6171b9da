package dtmf

import "time"

const (
	// window is how far apart the kinds of one key press may be told, the press
	// itself not counted: INFO goes another way than sound does.
	window = 300 * time.Millisecond
	// repeated is the same for kinds that have come for one press before. An INFO
	// that was lost comes again after T1, 500 ms (RFC 3261 §17.1.2.2).
	repeated = 700 * time.Millisecond
	// remembers is how many keys are kept to know their other kinds by.
	remembers = 8
)

// Once counts each key press once, in whichever kinds it comes: event, tones and
// INFO, in any order. The first kind to tell a press counts, and those of its
// other kinds that come about the same time do not. A key that comes in one kind
// alone always counts, whatever came before; the same key pressed twice comes
// twice in one kind, and counts twice.
//
// The zero value is ready. It is not safe for concurrent use.
type Once struct {
	keys     [remembers]counted
	next     int
	together kinds // that have come for one press
}

// kinds is a set of ways in which a key was told.
type kinds uint8

const (
	byEvent kinds = 1 << iota
	byInfo
	byTones
)

// counted is a press, from when the key went down until it was told last.
type counted struct {
	symbol   byte
	in       kinds
	from, to time.Duration
}

func kindOf(method string) kinds {
	switch method {
	case MethodRFC4733:
		return byEvent
	case MethodInfo:
		return byInfo
	}
	return byTones
}

// Take reports whether a key that is told now counts.
func (o *Once) Take(d Digit, now time.Duration) bool {
	kind := kindOf(d.Method)
	from := now
	if kind != byInfo {
		// How long a key was held is measured, except of one that came by
		// signalling: there it is only said, and not said of which time.
		from -= d.Duration
	}
	if p := o.other(d.Symbol, kind, from, now); p != nil {
		p.in |= kind
		p.from, p.to = min(p.from, from), now
		o.together |= p.in
		return false
	}
	o.keys[o.next] = counted{d.Symbol, kind, from, now}
	o.next = (o.next + 1) % remembers
	return true
}

// Counted reports whether a press that begins now, in the kind of method, has
// counted already.
func (o *Once) Counted(symbol byte, method string, now time.Duration) bool {
	return o.other(symbol, kindOf(method), now, now) != nil
}

// Forget says that somebody else may be there now, who presses keys in another
// way.
func (o *Once) Forget() { o.together = 0 }

// other finds the oldest press of the key that came in other kinds only.
func (o *Once) other(symbol byte, kind kinds, from, to time.Duration) *counted {
	for i := range o.keys {
		p := &o.keys[(o.next+i)%remembers]
		if p.symbol != symbol || p.in&kind != 0 {
			continue
		}
		apart := window
		if both := p.in | kind; both&o.together == both {
			apart = repeated
		}
		if from <= p.to+apart && p.from <= to+apart {
			return p
		}
	}
	return nil
}
