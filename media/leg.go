package media

import (
	"time"

	"b2bua/dtmf"
	"b2bua/media/jitter"
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

	// hearing
	heard   bool // in holds this tick's frame
	in      [frameSize]int16
	decoded *decoded // nil until a frame is made of packets

	// speaking
	feed    any   // what the last frame came from, to hear where it changes
	last    int16 // its last sample
	paused  bool  // nothing was sent last tick
	quiet   int   // frames since the bridge peer was heard
	spurt   bool  // the next packet says that the stream does not run on
	out     [frameSize]int16
	sender  *dtmf.Sender
	tone    dtmf.Tone
	eventTS uint32
	credit  int // frames the far end got ahead of time; see flush

	checkAt  time.Duration
	resumed  time.Duration // since when a stream is due
	lostTold time.Duration // when its silence was told
}

// decoded is what waits between packets and frames. Many legs never need it:
// their packets are relayed, or nothing comes.
type decoded struct {
	fifo    [2 * jitterPayload]int16
	queued  int
	conceal jitter.Concealer
}

// decoding gives what frames are made with.
func (l *leg) decoding() *decoded {
	if l.decoded == nil {
		l.decoded = new(decoded)
	}
	return l.decoded
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
	switch {
	case p != nil && s.relayable(p, now):
		if r := s.route; r == nil || r.relay == nil || r.relay.to != p || r.relay.outdated() {
			s.relayTo(p, now)
		}
	case p != nil || len(s.leg.taps) > 0 || s.detects():
		if s.route != buffering {
			s.toFrames()
		}
	default:
		s.route = nil
	}
}

// relayable: the peer speaks the codec that arrives, and nobody needs samples.
func (s *Session) relayable(p *Session, now time.Duration) bool {
	in, out := s.leg.terms, p.leg.terms
	if in == nil || out == nil || !in.receives || !out.sends || s.leg.muted || s.detects() {
		return false
	}
	if len(s.leg.taps) > 0 || len(p.leg.taps) > 0 || p.leg.play != nil || p.leg.over.sounding() || p.leg.sender.Busy() {
		return false
	}
	if p.leg.writer != nil && p.leg.writer != s {
		return false
	}
	if last := s.count.lastRTP; last == 0 || now-last > staleAfter {
		return false
	}
	if r := s.route; r != nil && r.relay != nil && r.relay.to == p && !r.relay.outdated() {
		return r.relay.pt[s.in.pt] != sdp.NoPT
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

// relayTo has arriving audio sent on to p. What waits in the jitter buffer is
// sent on first, so that nothing is missing.
func (s *Session) relayTo(p *Session, now time.Duration) {
	r := newRelay(s, p, s.leg.terms, p.leg.terms)
	if r == nil {
		return
	}
	p.leg.credit = 0
	if s.route == buffering {
		s.flush(r, now)
	}
	p.leg.writer = s
	s.leaveFrames()
	s.route = &r.route
}

// leaveFrames gives back what only frames need: most legs are relayed for most of
// their time.
func (s *Session) leaveFrames() {
	if s.buffer != nil {
		s.count.late += s.buffer.Stats().Late
	}
	s.buffer, s.leg.decoded = nil, nil
}

// flush sends on what waits in the jitter buffer. The far
// end gets it ahead of time; when the stream goes back to frames, as many ticks
// can pass without a packet while our jitter buffer fills.
func (s *Session) flush(r *relay, now time.Duration) {
	for {
		b := s.shard.Load().packet[:]
		got, ok := s.buffer.Take(b[headerSize:])
		if !ok {
			return
		}
		r.to.leg.credit++
		b = b[:headerSize+got.Len]
		r.forward(packet{
			raw: b, pt: got.PT, seq: got.Seq, ts: got.Timestamp, ssrc: s.buffer.SSRC(), payload: b[headerSize:],
		}, false, now)
	}
}

// toFrames has arriving audio go to the jitter buffer. Coming from a relay,
// concealment begins with what was heard last, to bridge the moment until the
// buffer has something.
func (s *Session) toFrames() {
	old := s.route
	if s.buffer == nil {
		s.buffer = jitter.New(jitter.Default)
	}
	s.buffer.Reset()
	s.route = buffering
	l := &s.leg
	l.discard()
	if old == nil || old.relay == nil {
		return
	}
	d := l.decoding()
	if n := l.decode(old.relay.lastPT, old.relay.last[:old.relay.lastN], d.fifo[:]); n > 0 {
		d.conceal.Good(d.fifo[:n])
	}
}

// discard forgets the samples that wait for the next frame.
func (l *leg) discard() {
	if l.decoded != nil {
		l.decoded.queued = 0
	}
}

// decode makes samples of a payload.
func (l *leg) decode(pt uint8, payload []byte, dst []int16) int {
	if l.terms == nil {
		return 0
	}
	kind := l.terms.kind[pt]
	if kind < 0 || int(kind) >= len(l.terms.decoders) {
		return 0
	}
	return l.terms.decoders[kind].Decode(dst, payload)
}

// hear makes this tick's frame of what the far end says, when somebody wants
// it, and shows it to the taps.
func (s *Session) hear(tick uint64) {
	l := &s.leg
	l.heard = false
	if tick <= l.lastTick || s.route != buffering {
		return
	}
	if l.decoded == nil && !s.buffer.Running() {
		clear(l.in[:]) // nothing has ever come
	} else {
		s.decodeFrame()
	}
	l.heard = true
	s.show(TapFrame{Dir: In, PCM: l.in[:]}, tick)
	copy(l.in[:], s.listenIn(l.in[:], sampleRate, 0, 0))
}

// decodeFrame makes this tick's frame of packets.
func (s *Session) decodeFrame() {
	d := s.leg.decoding()
	for d.queued < frameSize {
		s.pull(d)
	}
	copy(s.leg.in[:], d.fifo[:frameSize])
	copy(d.fifo[:], d.fifo[frameSize:d.queued])
	d.queued -= frameSize
}

// pull adds one packet's samples, or a gap's, to the fifo.
func (s *Session) pull(d *decoded) {
	payload := s.shard.Load().packet[:jitterPayload]
	p := s.buffer.Pull(payload, frameSize-d.queued)
	if p.Gap > 0 {
		d.conceal.Fill(d.fifo[d.queued : d.queued+p.Gap])
		d.queued += p.Gap
		if p.Lost {
			s.count.concealed += uint64(p.Gap)
		}
		return
	}
	if p.Jump {
		d.conceal.Splice()
	}
	n := s.leg.decode(p.PT, payload[:p.Len], d.fifo[d.queued:])
	if skip := min(p.Skip, n); skip > 0 {
		copy(d.fifo[d.queued:], d.fifo[d.queued+skip:d.queued+n])
		n -= skip
	}
	if n == 0 {
		return
	}
	d.conceal.Good(d.fifo[d.queued : d.queued+n])
	d.queued += n
	s.buffer.Advance(n)
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
	f.Tick, f.Rate = tick-l.began, sampleRate
	for _, t := range l.taps {
		t.Frame(f)
	}
}
