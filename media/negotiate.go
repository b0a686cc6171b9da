package media

import (
	"net/netip"
	"strconv"
	"time"

	"b2bua/media/codec"
	"b2bua/media/sdp"
)

// What a payload type that arrives is.
const (
	unknownPT = -1
	eventKind = 126 // telephone-event
	noiseKind = 125 // comfort noise; smaller kinds index terms.decoders
)

// terms is what offer and answer came to, worked out for the packet path. It is
// immutable; a new negotiation makes new terms.
type terms struct {
	sends    bool      // we may send
	receives bool      // something may come
	kind     [128]int8 // of payload types that arrive

	remote     netip.AddrPort
	remoteRTCP netip.AddrPort
	mux        bool // RTCP goes and comes with RTP
	direction  sdp.Direction
	held       bool
	since      time.Duration

	recv     []sdp.Format
	send     []sdp.Format
	eventIn  int
	events   []sdp.Format // all that may come
	eventOut int
	noiseIn  int // comfort noise, sdp.NoPT where it was not agreed on
	noiseOut int
	codecs   []string

	ptime    time.Duration // of the packets we send
	encoder  codec.Codec   // the clock's
	decoders []codec.Codec
}

// A codec that both have is that of the terms before, so that a refresh of the session
// is not heard.
func newTerms(a sdp.Agreement, now time.Duration, before *terms) *terms {
	t := &terms{
		remote: a.Remote, remoteRTCP: a.RemoteRTCP, mux: a.RTCPMux, held: a.Held, since: now,
		direction: a.Direction, sends: a.Direction.Sends(), receives: a.Direction.Receives(),
		recv: a.Recv, send: a.Send, eventIn: a.RecvEvent, eventOut: a.SendEvent, codecs: a.Codecs,
		events: a.RecvEvents, noiseIn: a.RecvNoise, noiseOut: a.SendNoise,
	}
	for i := range t.kind {
		t.kind[i] = unknownPT
	}
	for _, f := range a.Recv {
		if c, ok := before.listens(f); ok {
			t.kind[f.PT] = int8(len(t.decoders))
			t.decoders = append(t.decoders, c)
		}
	}
	for _, f := range a.RecvEvents {
		if t.kind[f.PT&0x7f] == unknownPT {
			t.kind[f.PT&0x7f] = eventKind // of another clock than the codec's, too: some have only one
		}
	}
	if pt := a.RecvNoise; pt >= 0 {
		t.kind[pt] = noiseKind
	} else if t.kind[staticNoise] == unknownPT {
		t.kind[staticNoise] = noiseKind
	}
	if len(a.Send) > 0 {
		t.encoder = before.speaks(a.Send[0])
	}
	if t.encoder == nil {
		t.sends = false
	}
	if t.ptime = a.PTime; t.ptime <= 0 {
		t.ptime = frameTime
	}
	return t
}

// staticNoise is what comfort noise comes as from those who did not ask whether
// it may (RFC 3551 §6).
const staticNoise = 13

func newCodec(f sdp.Format) (codec.Codec, bool) {
	return codec.New(f.Name + "/" + strconv.Itoa(f.Rate))
}

// listens gives the decoder of a format, and speaks the encoder.
func (t *terms) listens(f sdp.Format) (codec.Codec, bool) {
	if t != nil {
		for _, c := range t.decoders {
			if c.Name() == f.Name && c.ClockRate() == f.Rate {
				return c, true
			}
		}
	}
	return newCodec(f)
}

func (t *terms) speaks(f sdp.Format) codec.Codec {
	if t != nil && t.encoder != nil && t.encoder.Name() == f.Name && t.encoder.ClockRate() == f.Rate {
		return t.encoder
	}
	c, _ := newCodec(f)
	return c
}

// Offer is a description of what we want: the first one of a dialog, a later
// one, or the one a far end asks for by a re-INVITE without an offer. Nothing
// changes until Accept. Whether the far end holds us does not show in it: what
// we would do if it let us is for us to say (RFC 6337 §5.3).
func (s *Session) Offer() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.offer(s.willing())
}

// offer writes an offer and remembers what an answer will be an answer to.
func (s *Session) offer(l sdp.Local) []byte {
	s.pending = &l
	return s.versions.Stamp(l.Offer())
}

// Answer takes an offer, the first or a later one, and gives the answer. When
// it fails everything stays as it was (RFC 3264 §8): errors.Is ErrNoCommonCodec
// or sdp.ErrSyntax ask for a 488, and sdp.Warning says why.
func (s *Session) Answer(offer []byte) ([]byte, error) {
	d, err := sdp.Parse(offer)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.willing()
	l.ComfortNoise = true // those who offer it may send it
	if t := s.terms.Load(); t != nil && d.Origin.ID != 0 && d.Origin == s.theirs {
		// By its version the description is the one before (RFC 3264 §8): so is
		// the codec.
		l.Prefer = t.codec()
	}
	answer, a, err := s.answerWith(l, d)
	if err != nil {
		return nil, err
	}
	if err := s.adopt(a); err != nil {
		return nil, err
	}
	s.theirs = d.Origin
	return s.versions.Stamp(answer), nil
}

// Consider says which codecs an offer and we have in common, the one an answer
// would take first, or why there can be none. It changes nothing.
func (s *Session) Consider(offer []byte) ([]string, error) {
	d, err := sdp.Parse(offer)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, a, err := s.willing().Answer(d)
	if err == nil && len(a.Send) == 0 {
		err = ErrNoCommonCodec // a stream that is removed before it was there
	}
	return a.Codecs, err
}

// Accept takes the far end's answer to our last offer. When it fails everything
// stays as it was.
func (s *Session) Accept(answer []byte) error {
	d, err := sdp.Parse(answer)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.willing()
	if s.pending != nil {
		l = *s.pending
	}
	a, err := l.Accept(d)
	if err != nil {
		return err
	}
	if !l.Direction.Receives() && a.Held {
		// Whoever is put on hold may say inactive (RFC 3264 §6.1); that does not
		// mean that it holds us too.
		a.Held = s.Held()
	}
	if err := s.adopt(a); err != nil {
		return err
	}
	s.theirs = d.Origin
	return nil
}

// willing is what we would agree to now.
func (s *Session) willing() sdp.Local {
	l := s.local
	if s.holding {
		l.Direction = sdp.SendOnly
	}
	return l
}

// adopt puts an agreement into force. Sending goes to the address told now; a
// source already learnt is kept while the far end tells the same address.
func (s *Session) adopt(a sdp.Agreement) error {
	if err := s.agreeKeys(a); err != nil {
		return err
	}
	s.local.Layout, s.local.Index, s.local.Bound = a.Layout, a.Index, a.Bound
	t := newTerms(a, s.engine.now(), s.terms.Load())
	moved := s.told != t.remote && (t.remote.Addr().IsValid() || s.terms.Load() == nil)
	if moved {
		s.told = t.remote
	}
	s.terms.Store(t)
	y := s.secret
	s.clocked(func() { s.install(t, y, moved) })
	s.log.Debug("media negotiated", "codec", t.codec(), "remote", t.remote, "sends", t.sends, "receives", t.receives, "encryption", a.Ours.Suite)
	return nil
}

// install puts terms into force on the shard; its lock is held.
func (s *Session) install(t *terms, y *secrecy, moved bool) {
	old := s.leg.terms
	s.leg.terms = t
	s.digits.once.Forget()
	s.secure(y)
	if old == nil || old.held || !old.receives {
		s.leg.resumed = t.since // offers alone keep no silent stream going
	}
	if moved {
		s.answered(t.since)
		s.in.latch.retarget(t.remote)
		s.aim(t.remote)
		s.proof.aimed()
		s.answered(t.since)
	}
}

// ExpectFrom names the address the far end's signalling comes from. A far end
// behind a NAT tells a private address in its descriptions; its stream is then
// believed at once when it comes from here. Once this is known no third host is
// believed.
func (s *Session) ExpectFrom(a netip.Addr) {
	s.clocked(func() { s.trusted = a.Unmap() })
}

// Codecs names the codecs both sides have, the one in use first.
func (s *Session) Codecs() []string {
	if t := s.terms.Load(); t != nil {
		return t.codecs
	}
	return nil
}

// Codec is the codec in use, "" before negotiation.
func (s *Session) Codec() string {
	if t := s.terms.Load(); t != nil {
		return t.codec()
	}
	return ""
}

func (t *terms) codec() string {
	if len(t.send) == 0 {
		return ""
	}
	return t.send[0].Name
}
