package media

import (
	"time"

	"b2bua/media/codec"
)

// Those who listen in (taps, the detector of tones) do not change what the bridge
// peer is sent: packets are relayed, and frames are made of them besides. Frames take
// the place of a relay only where the peer is to hear something else. The stream must
// not break there: the last packets are decoded before, so that the sound can go on
// from them, and so can an encoder that takes the stream over from the far end's.

// How many packets are decoded before frames take over. Codecs without a history
// need the last pitch periods, to bridge the moment until there is something to play;
// the predictors of the others need a while to forget where they began. What waits
// for longer than takeOverMost gets frames whatever was heard.
const (
	primeShort   = 3
	primeLong    = 12
	takeOverMost = 400 * time.Millisecond
)

// alongside has frames made of what is relayed, or ends that.
func (s *Session) alongside(on bool, now time.Duration) {
	h := &s.leg.hearing
	switch {
	case !on:
		s.leaveFrames()
	case h.along == 0:
		h.along, h.taken = max(now, 1), 0
		s.wake()
	}
}

// prepared reports whether frames can take the place of the relay now. Until then it
// goes on.
func (s *Session) prepared(p *Session, now time.Duration) bool {
	h := &s.leg.hearing
	if p == nil || !s.relayed(p) || now-s.got.lastRTP > staleAfter {
		return true
	}
	s.alongside(true, now)
	need := primeShort
	if s.leg.terms.remembers() && !s.replaced(p) {
		need = primeLong
	}
	return h.taken >= need || now-h.along >= takeOverMost
}

// replaced: the peer is to hear something else than this leg.
func (s *Session) replaced(p *Session) bool {
	return s.leg.muted || p.leg.play != nil || p.leg.sender.Busy()
}

// remembers: what a packet of the codec sounds like depends on those before it.
func (t *terms) remembers() bool {
	switch t.codec() {
	case codec.G722, codec.Opus:
		return true
	}
	return false
}

// stays: the stream that is made of frames goes on, though it could be relayed. A
// decoder that has followed our encoder does not know the history of the far end's,
// and the packets of the one sound wrong behind those of the other: until they have
// come together in a pause of the speech, where it is not heard.
func (s *Session) stays() bool {
	return s.leg.terms.remembers() && s.leg.hearing.still < stillFrames && s.leg.hearing.playout != nil
}

// A pause: so many frames in a row whose samples have no more than so much power.
const (
	stillFrames = 3
	stillPower  = 100 * 100
)

// still counts frames of silence.
func still(pcm []int16, before int) int {
	var sum int64
	for _, v := range pcm {
		sum += int64(v) * int64(v)
	}
	if sum > stillPower*int64(len(pcm)) {
		return 0
	}
	return before + 1
}

// toFrames has arriving audio made into frames, from which what the peer is sent is
// made. Coming from a relay, all that the peer has heard is decoded, and the sound
// goes on from there: what is made up bridges the moment until the next packet.
func (s *Session) toFrames() {
	l := &s.leg
	h := &l.hearing
	old := s.route
	s.route = buffering
	h.ahead, h.still = 0, 0
	if old == nil || old.relay == nil || l.terms == nil || h.playout == nil || h.along == 0 {
		if h.playout != nil {
			h.playout.Reset()
		}
		if n := &s.in.pause; n.at > 0 && n.at == s.got.lastRTP && l.terms != nil {
			l.playing().Push(l.terms, n.packet, n.at) // it lasts still
		}
		return
	}
	p := old.relay.to
	if len(l.taps) > 0 || len(p.leg.taps) > 0 || p.leg.over.sounding() {
		p.leg.credit = 0 // nothing is to be missed meanwhile
	}
	h.along = 0
	h.ahead = p.leg.credit
	last, _ := h.playout.Overtake(l.terms).(codec.Codec)
	heard := h.playout.Played(frameTime)
	if last == nil || len(heard) == 0 {
		return
	}
	p.leg.last = heard[len(heard)-1]
	if to := p.leg.terms; to == old.relay.out {
		codec.Continue(to.encoder, last, heard, h.playout.Lead(l.terms, codec.Lead(last)))
	}
}
