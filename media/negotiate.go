package media

import (
	"net/netip"
	"time"

	"b2bua/media/codec"
	"b2bua/media/sdp"
)

// What a payload type that arrives is.
const (
	unknownPT = -1
	eventKind = 126 // telephone-event; smaller kinds index terms.decoders
)

// terms is what offer and answer came to, worked out for the packet path. It is
// immutable; a new negotiation makes new terms.
type terms struct {
	remote     netip.AddrPort
	target     int // counts the changes of remote
	remoteRTCP netip.AddrPort
	sends      bool // we may send
	receives   bool // something may come
	held       bool
	since      time.Duration

	kind     [128]int8 // of payload types that arrive
	recv     []sdp.Format
	send     []sdp.Format
	eventIn  int
	eventOut int
	codecs   []string

	encoder  codec.Codec // the clock's
	decoders []codec.Codec
}

func newTerms(a sdp.Agreement, now time.Duration) *terms {
	t := &terms{
		remote: a.Remote, remoteRTCP: a.RemoteRTCP, held: a.Held, since: now,
		sends: a.Direction.Sends(), receives: a.Direction.Receives(),
		recv: a.Recv, send: a.Send, eventIn: a.RecvEvent, eventOut: a.SendEvent, codecs: a.Codecs,
	}
	for i := range t.kind {
		t.kind[i] = unknownPT
	}
	for _, f := range a.Recv {
		if c, ok := codec.New(f.Name); ok {
			t.kind[f.PT] = int8(len(t.decoders))
			t.decoders = append(t.decoders, c)
		}
	}
	if t.eventIn >= 0 {
		t.kind[t.eventIn] = eventKind
	}
	if len(a.Send) > 0 {
		t.encoder, _ = codec.New(a.Send[0].Name)
	}
	if t.encoder == nil {
		t.sends = false
	}
	return t
}

// Offer is a description of what we want: the first one of a dialog, or a new
// one after SetHold. Nothing changes until Accept.
func (s *Session) Offer() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.versions.Stamp(s.willing().Offer())
}

// Answer takes an offer, the first or a later one, and gives the answer. When
// it fails everything stays as it was (RFC 3264 §8): errors.Is ErrNoCommonCodec
// asks for a 488, sdp.ErrSyntax for a 400.
func (s *Session) Answer(offer []byte) ([]byte, error) {
	d, err := sdp.Parse(offer)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	answer, a, err := s.willing().Answer(d)
	if err != nil {
		return nil, err
	}
	s.adopt(a)
	return s.versions.Stamp(answer), nil
}

// Accept takes the far end's answer to our offer.
func (s *Session) Accept(answer []byte) error {
	d, err := sdp.Parse(answer)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.willing().Accept(d)
	if err != nil {
		return err
	}
	s.adopt(a)
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
func (s *Session) adopt(a sdp.Agreement) {
	s.local.Layout, s.local.Index = a.Layout, a.Index
	if a.RecvEvent >= 0 {
		// A payload type keeps its meaning for the dialog (RFC 3264 §8.3.2).
		s.local.EventPT = a.RecvEvent
	}
	t := newTerms(a, s.engine.now())
	moved := s.told != t.remote && (t.remote.Addr().IsValid() || s.target == 0)
	if moved {
		s.told = t.remote
		s.target++
	}
	t.target = s.target
	s.terms.Store(t)
	if moved {
		dest := t.remote
		s.dest.Store(&dest)
	}
	s.log.Debug("media negotiated", "codec", t.codec(), "remote", t.remote, "sends", t.sends, "receives", t.receives)
}

// SetHold puts the far end on hold, or takes it off: the next Offer, or Answer,
// says so.
func (s *Session) SetHold(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holding = on
}

// ExpectFrom names the address the far end's signalling comes from. A far end
// behind a NAT tells a private address in its descriptions; its stream is then
// believed at once when it comes from here, and only after some proof when it
// comes from elsewhere.
func (s *Session) ExpectFrom(a netip.Addr) {
	a = a.Unmap()
	s.trusted.Store(&a)
}

// Held reports whether the far end has put us on hold.
func (s *Session) Held() bool {
	t := s.terms.Load()
	return t != nil && t.held
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
