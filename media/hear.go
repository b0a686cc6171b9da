package media

import (
	"time"

	"b2bua/media/codec"
	"b2bua/media/jitter"
)

// hearing is what makes frames of packets. Many legs never need it: their
// packets are relayed, or nothing comes.
type hearing struct {
	playout *jitter.Playout
	pcm     []int16       // this tick's frame, nil when there is none
	held    time.Duration // for so long its sound was
	ahead   int           // frames of it that the bridge peer's far end has already
	rate    int           // of it
	still   int           // frames in a row in which next to nothing was heard

	along time.Duration // since when frames are made of what is relayed; 0: they are not
	taken int           // packets since then
}

// playing gives what frames are made with.
func (l *leg) playing() *jitter.Playout {
	if l.hearing.playout == nil {
		l.hearing.playout = jitter.NewPlayout(l.terms.rate())
	}
	return l.hearing.playout
}

// nothing is a frame of it.
var nothing [maxFrame]int16

// hear makes this tick's frame of what the far end says, when somebody wants
// it, and shows it to the taps.
func (s *Session) hear(tick uint64, now time.Duration) {
	h := &s.leg.hearing
	h.pcm, h.held = nil, 0
	if tick <= s.leg.lastTick || s.route != buffering && h.along == 0 {
		return
	}
	if h.ahead > 0 {
		h.ahead--
		return
	}
	if h.playout == nil || s.leg.terms == nil {
		h.rate = s.leg.terms.rate()
		h.pcm = nothing[:h.rate/50] // nothing has ever come
	} else {
		h.pcm = h.playout.Frame(s.leg.terms, now)
		if s.leg.parting {
			if last := h.playout.Last(); last != nil {
				h.pcm = last
			} else {
				s.leg.parting = false
			}
		}
		h.rate, h.held = h.playout.Rate(), h.playout.Held()
	}
	s.show(TapFrame{Dir: In, PCM: h.pcm, Rate: h.rate, Held: h.held}, tick)
	lost, end := 0, 0
	if h.playout != nil {
		lost, end = h.playout.MadeUp()
	}
	h.pcm = s.listenIn(h.pcm, h.rate, lost, end)
	h.still = still(h.pcm, h.still)
}

// relayTo has arriving audio sent on to p. What waits to be played is sent on
// first, so that nothing is missing.
func (s *Session) relayTo(p *Session, now time.Duration) {
	r := newRelay(s, p, s.leg.terms, p.leg.terms)
	if r == nil {
		return
	}
	p.leg.credit = 0
	if s.route == buffering {
		s.flush(r, now)
	}
	p.leg.writer, p.leg.last = s, 0
	s.leg.hearing.ahead = 0
	s.route = &r.route
}

// leaveFrames gives back what only frames need: most legs are relayed for most of
// their time.
func (s *Session) leaveFrames() {
	h := &s.leg.hearing
	h.along = 0
	if h.playout == nil {
		return
	}
	st := h.playout.Stats()
	s.count.late += st.Late
	s.count.concealed += st.Concealed
	h.playout, h.pcm = nil, nil
}

// flush sends on what waits to be played, which is played here all the same when
// somebody listens. The far end gets it ahead of time; when the stream goes back to
// frames, as many ticks can pass without a packet while our own delay builds up.
func (s *Session) flush(r *relay, now time.Duration) {
	play := s.leg.hearing.playout
	if play == nil {
		return
	}
	for i := 0; ; i++ {
		b := s.shard.Load().packet[:]
		got, ok := play.Peek(b[headerSize:], i)
		if !ok {
			break
		}
		r.to.leg.credit++
		b = b[:headerSize+got.Len]
		r.forward(packet{
			raw: b, pt: got.PT, seq: got.Seq, ts: got.Timestamp, ssrc: play.SSRC(), payload: b[headerSize:],
		}, false, now)
	}
}

// decoder makes samples of a payload type; nil when it holds none.
func (t *terms) decoder(pt uint8) codec.Codec {
	if kind := t.kind[pt&0x7f]; kind >= 0 && int(kind) < len(t.decoders) {
		return t.decoders[kind]
	}
	return nil
}

// Decoder and Noise tell a playout what payload types are.
func (t *terms) Decoder(pt uint8) jitter.Decoder {
	if d := t.decoder(pt); d != nil {
		return d
	}
	return nil
}

func (t *terms) Noise(pt uint8) bool { return t.kind[pt&0x7f] == noiseKind }

// rate is that of the samples to be sent.
func (t *terms) rate() int {
	if t == nil || t.encoder == nil {
		return sampleRate
	}
	return t.encoder.SampleRate()
}

// sendClock is the clock rate of what we send.
func (t *terms) sendClock() int {
	if t == nil || len(t.send) == 0 {
		return sampleRate
	}
	return t.send[0].Rate
}

// clock is the clock rate of a kind of packet that arrives, 0 for one without
// sound.
func (t *terms) clock(kind int8) int {
	if kind >= 0 && int(kind) < len(t.decoders) {
		return t.decoders[kind].ClockRate()
	}
	return 0
}
