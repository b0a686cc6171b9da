package media

import "time"

// reception keeps what RFC 3550 §6.4.1 wants reported about a received stream,
// and knows packets that come twice.
type reception struct {
	started bool
	max     uint16
	ssrc    uint32
	window  uint64 // bit n: max-n was received
	cycles  uint32
	highest uint32 // highest extended sequence number
	fresh   uint32 // packets since base
	transit int32
	jitter  uint32 // in sixteenths of a unit of the clock
	base    uint32 // first extended sequence number
	clock   int    // its rate

	lostBefore uint64 // of streams that ended
	duplicates uint64
	streams    uint64
	gaps       uint64 // how often numbers were missing when a packet came
}

const (
	maxDropout  = 3000 // RFC 3550 A.1
	maxMisorder = 100
)

// note takes a packet's numbers; it is false for one that came already. clock is
// the rate of its timestamps, 0 when they say nothing about its time of sending.
func (r *reception) note(p packet, now time.Duration, clock int) bool {
	ahead := p.seq - r.max
	switch {
	case !r.started || p.ssrc != r.ssrc || ahead >= maxDropout && ahead <= 0xffff-maxMisorder:
		r.restart(p)
	case ahead == 0:
		r.duplicates++
		return false
	case r.next(p.seq):
		if clock > 0 {
			r.timing(p.ts, now, clock)
		}
		return true
	default:
		behind := -ahead
		if behind < 64 {
			if r.window>>behind&1 != 0 {
				r.duplicates++
				return false
			}
			r.window |= 1 << behind
		}
	}
	r.fresh++
	if clock > 0 {
		r.timing(p.ts, now, clock)
	}
	return true
}

// next notes the number of a packet that comes in its turn, or after some that are
// missing; it is false for any other.
func (r *reception) next(seq uint16) bool {
	ahead := seq - r.max
	if ahead == 0 || ahead >= maxDropout {
		return false
	}
	if seq < r.max {
		r.cycles += 1 << 16
	}
	if ahead > 1 {
		r.gaps++
	}
	r.max = seq
	r.window = r.window<<ahead | 1
	r.highest = r.cycles | uint32(seq)
	r.fresh++
	return true
}

// restart begins a stream: the first, one with another SSRC, or one whose
// sequence numbers jumped. The source is known to be the right one by now.
func (r *reception) restart(p packet) {
	if r.started {
		r.lostBefore += r.lost()
	}
	r.started, r.ssrc, r.max, r.cycles, r.window = true, p.ssrc, p.seq, 1<<16, 1
	r.transit, r.jitter = 0, 0
	r.base = r.cycles | uint32(p.seq)
	r.highest = r.cycles | uint32(p.seq)
	r.fresh = 0
	r.streams++
}

// timing is the interarrival jitter of RFC 3550 A.8, in units of the clock. Another
// codec may have another clock: then it begins anew.
func (r *reception) timing(ts uint32, now time.Duration, clock int) {
	if clock != r.clock {
		r.clock, r.transit, r.jitter = clock, 0, 0
	}
	transit := int32(units(now, clock) - ts)
	d := transit - r.transit
	first := r.transit == 0
	r.transit = transit
	if first {
		return
	}
	if d < 0 {
		d = -d
	}
	if d > int32(clock) {
		// A timestamp jump says nothing about the network.
		return
	}
	r.jitter += uint32(d) - (r.jitter+8)>>4
}

// units is a time in units of a clock, modulo 2^32.
func units(d time.Duration, clock int) uint32 {
	return uint32(uint64(d/time.Microsecond) * uint64(clock) / 1e6)
}

// lasting is the time of units of a clock.
func lasting(n uint32, clock int) time.Duration {
	if clock == 0 {
		return 0
	}
	return time.Duration(uint64(n) * uint64(time.Second) / uint64(clock))
}

// reported is the jitter in units of the clock.
func (r *reception) reported() uint32 { return r.jitter >> 4 }

// lost is how many packets of the stream at hand are missing.
func (r *reception) lost() uint64 {
	expected := r.highest - r.base + 1
	if got := r.fresh; got < expected {
		return uint64(expected - got)
	}
	return 0
}
