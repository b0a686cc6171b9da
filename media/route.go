package media

import (
	"time"

	"b2bua/media/jitter"
	"b2bua/media/sdp"
)

// route says where a leg's arriving audio goes: nil nowhere, with a relay
// straight to the bridge peer, else into the jitter buffer. It is decided on the
// clock and obeyed by what arrives.
type route struct {
	relay *relay
}

// buffering is the route into the jitter buffer.
var buffering = &route{}

// relay sends one leg's packets on as the peer's stream: own SSRC, sequence
// numbers and timestamps that continue the peer's, the peer's payload types.
type relay struct {
	route    route // to here
	from, to *Session
	in, out  *terms

	started bool
	ssrc    uint32
	seq     uint16 // what to add to sequence numbers
	ts      uint32 // and to timestamps

	pt [128]int16 // ours to the peer's, sdp.NoPT: cannot be relayed
}

// newRelay works out how from's packets become to's; nil when they cannot.
func newRelay(from, to *Session, in, out *terms) *relay {
	r := &relay{from: from, to: to, in: in, out: out}
	r.route.relay = r
	for i := range r.pt {
		r.pt[i] = sdp.NoPT
	}
	for _, f := range in.recv {
		for _, g := range out.send {
			if f.Name == g.Name && f.Rate == g.Rate {
				r.pt[f.PT] = int16(g.PT)
			}
		}
	}
	if in.noiseIn >= 0 && out.noiseOut >= 0 {
		r.pt[in.noiseIn] = int16(out.noiseOut)
	}
	if in.eventIn >= 0 {
		if out.eventOut < 0 {
			// The peer wants its digits as tones: those must be made.
			return nil
		}
		r.pt[in.eventIn] = int16(out.eventOut)
	}
	return r
}

// outdated: one of the legs was negotiated anew since.
func (r *relay) outdated() bool { return r.in != r.from.leg.terms || r.out != r.to.leg.terms }

// forward sends a packet on.
func (r *relay) forward(p packet, event bool, now time.Duration) {
	out := &r.to.out
	pt := r.pt[p.pt]
	if pt == sdp.NoPT {
		return
	}
	marker := p.marker
	if r.astray(p) {
		r.from.wake() // the short way is another one now
		out.resume(now, r.out.sendClock())
		r.started, r.ssrc = true, p.ssrc
		r.seq, r.ts = out.seq+1-p.seq, out.ts-p.ts
		// A new talk spurt: the far end may set its playout anew.
		marker = marker || !event
	}
	if event {
		r.from.digits.passed(p.ts)
	}
	r.write(p, uint8(pt), marker, now)
}

// astray: the packet belongs to no sequence we continue.
func (r *relay) astray(p packet) bool {
	if !r.started || p.ssrc != r.ssrc {
		return true
	}
	ahead := int16(p.seq + r.seq - r.to.out.seq)
	return ahead > maxDropout || ahead < -maxMisorder
}

func (r *relay) write(p packet, pt uint8, marker bool, now time.Duration) {
	out := &r.to.out
	seq, ts := p.seq+r.seq, p.ts+r.ts
	b := p.reheader(pt, marker, seq, ts, out.ssrc)
	gone := r.to.transmit(b)
	if int16(seq-out.seq) > 0 {
		out.seq = seq
	}
	if int32(ts-out.ts) > 0 {
		out.ts = ts
	}
	out.sent(len(p.payload), gone, now)
}

// buffered is the packet as the jitter buffer takes it.
func (p packet) buffered() jitter.Packet {
	return jitter.Packet{SSRC: p.ssrc, Seq: p.seq, Timestamp: p.ts, PT: p.pt, Payload: p.payload}
}
