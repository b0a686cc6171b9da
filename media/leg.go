package media

import (
	"time"

	"b2bua/dtmf"
	"b2bua/media/sdp"
)

// leg is what is bridged, played to and listened in on.
type leg struct {
	terms  *terms // in force
	peer   *Session
	writer *Session // whose packets are relayed as our stream; nil: the clock makes it
	gone   bool
	muted  bool // the peer does not hear it
	play   *Playback
	over   *overlay // nil until something was played over
	taps   []Tap

	began    uint64 // shard tick of the first frame, +1
	lastTick uint64

	hearing hearing
	parting bool // what is heard will be relayed from the next tick on

	// speaking
	feed    any             // what the last frame came from, to hear where it changes
	last    int16           // its last sample
	paused  bool            // nothing was sent last tick
	quiet   int             // frames since the bridge peer was heard
	spurt   bool            // the next packet says that the stream does not run on
	out     [maxFrame]int16 // its samples; how many there are depends on the codec
	pack    []int16         // what waits to be sent until a packet is full
	packTS  uint32          // of the first sample of it
	convert converter       // of the peer's rate to ours
	sender  *dtmf.Sender
	tone    dtmf.Tone
	eventTS uint32
	credit  int // frames the far end got ahead of time; see flush

	checkAt  time.Duration
	resumed  time.Duration // since when a stream is due
	lostTold time.Duration // when its silence was told
}

func (l *leg) init() {
	l.sender = dtmf.NewSender(frameTime)
	l.paused = true
}

// staleAfter is how long a relayed stream may pause before the clock takes over
// with silence, so that the far end is never left without packets for long.
const staleAfter = 500 * time.Millisecond

// direct works out where the leg's arriving audio goes now, and changes it.
func (s *Session) direct(now time.Duration) {
	p := s.leg.peer
	parting := s.leg.parting
	s.leg.parting = false
	switch {
	case p != nil && s.relayable(p, now):
		if s.route == buffering && s.stays() {
			return
		}
		if h := s.leg.hearing.playout; s.route == buffering && !parting && h != nil && !h.Silent() {
			s.leg.parting = true // one frame more, which ends where a packet begins
			return
		}
		if !s.relayed(p) {
			s.relayTo(p, now)
		}
		s.alongside(s.watched(p), now)
	case p != nil || s.watched(nil):
		if s.route != buffering && s.prepared(p, now) {
			s.toFrames()
		}
	default:
		s.route = nil
		s.leaveFrames()
	}
}

// relayed: what arrives goes to p as it is, by the terms in force.
func (s *Session) relayed(p *Session) bool { return s.relaysTo(p) && !s.route.relay.outdated() }

// watched: somebody wants to see what is said, by this leg or its peer.
func (s *Session) watched(p *Session) bool {
	return len(s.leg.taps) > 0 || s.detects() || p != nil && (len(p.leg.taps) > 0 || p.detects())
}

// relayable: the peer speaks the codec that arrives, and hears nothing else.
func (s *Session) relayable(p *Session, now time.Duration) bool {
	in, out := s.leg.terms, p.leg.terms
	if in == nil || out == nil || !in.receives || !out.sends || s.leg.muted || s.suppresses(p) {
		return false
	}
	if p.leg.play != nil || p.leg.over.sounding() || p.leg.sender.Busy() {
		return false
	}
	if p.leg.writer != nil && p.leg.writer != s {
		return false
	}
	if last := s.got.lastRTP; last == 0 || now-last > staleAfter {
		return false
	}
	if s.relayed(p) {
		return s.route.relay.pt[s.in.pt] != sdp.NoPT
	}
	return in.carries(out, s.in.pt)
}

// carries: payload type pt of in is a format of out, and events are events on
// both sides.
func (t *terms) carries(out *terms, pt uint8) bool {
	if t.eventIn >= 0 && out.eventOut < 0 {
		return false
	}
	for _, f := range t.recv {
		for _, g := range out.send {
			if f.PT == pt && f.Name == g.Name && f.Rate == g.Rate {
				return true
			}
		}
	}
	return false
}

// show hands a frame to the taps.
func (s *Session) show(f TapFrame, tick uint64) {
	l := &s.leg
	if len(l.taps) == 0 {
		return
	}
	if l.began == 0 {
		// Ticks count from the opening of the session.
		l.began = tick - min(tick-1, uint64((s.engine.now()-s.opened)/frameTime))
	}
	f.Tick, f.Clock = tick-l.began, tick
	for _, t := range l.taps {
		t.Frame(f)
	}
}
