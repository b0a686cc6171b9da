package dtmf

import (
	"encoding/binary"
	"time"
)

// Packet is one RTP packet of the telephone-event payload type.
type Packet struct {
	SSRC      uint32
	Timestamp uint32
	Marker    bool
	// Rate is the clock of its payload type, that of the codec it goes with
	// (RFC 4733 §2.1); zero means 8000.
	Rate    uint32
	Payload []byte
}

// key names an event: all packets of one key press carry the RTP timestamp of
// its beginning (RFC 4733 §2.2.1).
type key struct {
	ssrc uint32
	ts   uint32
}

const (
	// eventRate is the clock of most telephone-events.
	eventRate = 8000
	// quiet ends an event whose end packets were all lost. Updates come every
	// 20 to 50 ms (RFC 4733 §2.5.1.2), so three lost in a row still fit.
	quiet = 200 * time.Millisecond
	// segment is the longest duration one event's packets can say; a longer
	// press goes on as a new event with this timestamp distance (§2.5.1.3): after
	// 8.2 s at 8000, 1.4 s at 48000.
	segment = 0xFFFF
	// astray is how far from that distance, and how far from the full duration,
	// a segment may be: a few packets of 20 ms at the highest clock.
	astray = 4 * 48000 / 50
	// remembered is how many finished events are kept to know late packets by.
	remembered = 16
)

// Press is a digit and the RTP timestamp its press began at, by which it is told
// from the same key pressed again.
type Press struct {
	Digit
	Began uint32
}

// Receiver turns telephone-event packets into digits: one per key press,
// whatever of its packets is lost, repeated or late. The zero value is ready.
// It is not safe for concurrent use.
type Receiver struct {
	open     bool
	told     bool // the one that is open was told when it lapsed
	lapsed   bool // the last one was told without its end: it may go on
	symbol   byte
	rate     uint32
	first    key    // where the press began
	current  key    // its newest segment
	duration uint32 // of the newest segment
	before   uint64 // of the segments before
	lastSeen time.Duration
	done     [remembered]key
	doneSize int
	doneNext int
}

// Push takes one packet that arrived at now, on any monotonic time line, and
// appends the digits that it completed to dst: none mostly, one with the first
// end packet, two when an event whose end was lost is followed by a whole one.
func (r *Receiver) Push(dst []Press, p Packet, now time.Duration) []Press {
	if len(p.Payload) < 4 {
		return dst
	}
	symbol, ok := Symbol(p.Payload[0])
	if !ok {
		return dst
	}
	end := p.Payload[1]&0x80 != 0
	duration := uint32(binary.BigEndian.Uint16(p.Payload[2:]))
	k := key{p.SSRC, p.Timestamp}
	if r.finished(k) {
		if r.lapsed && k == r.current {
			r.duration, r.lapsed = max(r.duration, duration), !end
		}
		return dst
	}
	switch {
	case r.lapsed && r.continues(k, symbol):
		r.open, r.told, r.lapsed = true, true, false
		r.current, r.duration = k, duration
	case r.open && k == r.current:
		// The duration only grows; a reordered packet says less.
		r.duration = max(r.duration, duration)
	case r.open && r.continues(k, symbol):
		r.remember(r.current)
		r.before += uint64(k.ts - r.current.ts)
		r.current, r.duration = k, duration
	case r.open && k.ssrc == r.current.ssrc && int32(k.ts-r.current.ts) < 0:
		// An older event of which only this late packet came. Told out of
		// order it would be a wrong number; but the key was pressed, and the
		// open one is not told yet, so the order is still right.
		r.remember(k)
		return append(dst, press(symbol, uint64(duration), p.Rate, k.ts))
	default:
		dst = r.close(dst)
		r.open, r.symbol, r.rate, r.first, r.current = true, symbol, p.Rate, k, k
		r.duration, r.before, r.told, r.lapsed = duration, 0, false, false
	}
	r.lastSeen = now
	if end {
		dst = r.close(dst)
	}
	return dst
}

// Flush ends an event that has been quiet for too long and appends its digit.
// It is to be called every now and then while Open.
func (r *Receiver) Flush(dst []Press, now time.Duration) []Press {
	if r.open && now-r.lastSeen >= quiet {
		dst = r.close(dst)
		r.lapsed = true
	}
	return dst
}

// Open reports whether a key is down, as far as is known.
func (r *Receiver) Open() bool { return r.open }

// continues: the same key is held longer than one event can say.
func (r *Receiver) continues(k key, symbol byte) bool {
	apart := k.ts - r.current.ts
	if symbol != r.symbol || k.ssrc != r.current.ssrc {
		return false
	}
	// Some count segments a little differently.
	near := apart > segment-astray && apart < segment+astray
	return apart == segment || near && r.duration > segment-astray
}

func (r *Receiver) close(dst []Press) []Press {
	if !r.open {
		return dst
	}
	r.open = false
	r.remember(r.current)
	if r.told {
		return dst
	}
	return append(dst, press(r.symbol, r.before+uint64(r.duration), r.rate, r.first.ts))
}

func press(symbol byte, duration uint64, rate, began uint32) Press {
	if rate == 0 {
		rate = eventRate
	}
	d := time.Duration(duration*1e6/uint64(rate)) * time.Microsecond
	return Press{Digit{Symbol: symbol, Duration: d, Method: MethodRFC4733}, began}
}

func (r *Receiver) finished(k key) bool {
	for _, d := range r.done[:r.doneSize] {
		if d == k {
			return true
		}
	}
	return false
}

func (r *Receiver) remember(k key) {
	r.done[r.doneNext] = k
	r.doneNext = (r.doneNext + 1) % remembered
	r.doneSize = min(r.doneSize+1, remembered)
}
