package media

import (
	"fmt"
	"net/netip"

	"b2bua/media/sdp"
	"b2bua/media/srtp"
)

// maxSealed is the longest packet that is sent when it is encrypted.
const maxSealed = headerSize + maxPacket + srtp.Overhead + 8

// secrecy is what encrypts and decrypts a leg's stream (RFC 3711). It is immutable;
// what is in it belongs to the shard.
type secrecy struct {
	ours, theirs srtp.Crypto
	sender       *srtp.Sender
	receiver     *srtp.Receiver
	past         []heardWith // what the far end has used before theirs
}

// heardWith is a key of the far end with the counters that belong to it.
type heardWith struct {
	theirs   srtp.Crypto
	receiver *srtp.Receiver
}

// maxPast is how many keys are kept: a far end that goes from suite to suite comes
// back to one of them.
const maxPast = 4

// before is the receiver that a key was in use with; nil: it is a new one.
func (y *secrecy) before(theirs srtp.Crypto) *srtp.Receiver {
	for _, k := range y.past {
		if theirs.Same(k.theirs) {
			return k.receiver
		}
	}
	return nil
}

// next is what an agreement makes of it; nil: the sound is in the clear. What the
// far end encrypts as before is decrypted as before, with the rollover counter and
// the replay window that belong to the key, and so is ours (RFC 3711 §3.3.1).
func (y *secrecy) next(a sdp.Agreement) (*secrecy, error) {
	if !a.Ours.Valid() {
		return nil, nil
	}
	if y == nil {
		y = &secrecy{}
	}
	n := &secrecy{ours: a.Ours, theirs: a.Theirs, sender: y.sender, receiver: y.receiver}
	var err error
	if !a.Ours.Same(y.ours) {
		if n.sender, err = srtp.NewSender(a.Ours); err != nil {
			return nil, fmt.Errorf("encrypt: %w", err)
		}
	}
	if a.Theirs.Same(y.theirs) {
		n.past = y.past
		return n, nil
	}
	if y.receiver != nil {
		n.past = append([]heardWith{{y.theirs, y.receiver}}, y.past[:min(len(y.past), maxPast-1)]...)
	}
	if n.receiver = y.before(a.Theirs); n.receiver != nil {
		return n, nil
	}
	if n.receiver, err = srtp.NewReceiver(a.Theirs); err != nil {
		return nil, fmt.Errorf("decrypt: %w", err)
	}
	return n, nil
}

// unseal is the packet that came, decrypted where the leg is encrypted. What new
// keys do not fit may be on its way with the old ones still, until the far end has
// used the new ones. ok is false for a packet that the far end has not sent, or not
// now: it is dropped and counted, and has no other effect, however many there are
// (CVE-2021-41105).
func (s *Session) unseal(raw []byte, open func(r *srtp.Receiver, dst, raw []byte) ([]byte, error)) (clear []byte, ok bool) {
	if s.secrecy == nil {
		return raw, true
	}
	dst := s.shard.Load().clear[:0]
	clear, err := open(s.secrecy.receiver, dst, raw)
	if err == nil {
		s.before = nil
		return clear, true
	}
	if s.before != nil {
		if clear, err = open(s.before, dst, raw); err == nil {
			return clear, true
		}
	}
	s.refuse(WrongKey)
	return nil, false
}

// secure puts keys into force on the shard; its lock is held.
func (s *Session) secure(y *secrecy) {
	if old := s.secrecy; y == nil {
		s.before = nil
	} else if old != nil && old.receiver != y.receiver {
		s.before = old.receiver
	}
	s.secrecy = y
}

// proven is an address that needs no other proof: who has the key is the far end,
// wherever he is.
func (s *Session) proven(from netip.AddrPort) netip.Addr {
	if s.secrecy != nil {
		return from.Addr()
	}
	return s.trusted
}

// seal is a packet as it is to be sent; ok is false when it must not be.
func (s *Session) seal(packet []byte, seal func(to *srtp.Sender, dst, packet []byte) ([]byte, error)) (sealed []byte, ok bool) {
	if s.secrecy == nil {
		return packet, true
	}
	sealed, err := seal(s.secrecy.sender, s.shard.Load().sealed[:0], packet)
	return sealed, err == nil
}

// answerWith answers an offer. When the far end comes with a new key, or with one
// for the first time again, we take a new one, too: whoever has the call now need
// not be who had it before (RFC 4568 §5.1.4).
func (s *Session) answerWith(l sdp.Local, offer *sdp.Description) (*sdp.Description, sdp.Agreement, error) {
	answer, a, err := l.Answer(offer)
	if err != nil || s.secret == nil || !a.Theirs.Valid() || a.Theirs.Same(s.secret.theirs) {
		return answer, a, err
	}
	l.Keys = srtp.NewSet()
	s.local.Keys = l.Keys
	return l.Answer(offer)
}

// Renew has the next offer, or answer, bring a new key of ours: it is time when OnWorn
// tells so. A far end whose own key is worn is asked for a new one by nothing else, as
// there is nothing else in an offer that could ask (RFC 4568 §7.1.4).
func (s *Session) Renew() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.secret == nil {
		return
	}
	suite := s.secret.ours.Suite
	s.local.Keys = s.local.Keys.Renew(suite)
	for _, c := range s.local.Keys {
		if c.Suite == suite {
			s.local.InUse.Masters = c.Masters
		}
	}
}

// worn tells the owner when a key is worn, and when it is spent (RFC 3711 §9.2).
func (s *Session) worn(sh *shard) {
	if s.secrecy == nil || s.opts.OnWorn == nil {
		return
	}
	ours, again := s.secrecy.sender.Wear()
	theirs, news := s.secrecy.receiver.Wear()
	if !again && !news {
		return
	}
	spent := max(ours, theirs) == srtp.Spent
	sh.later(s, "keys", func() { s.opts.OnWorn(spent) })
}

// encryption names the suite, "" in the clear.
func (s *Session) encryption() string {
	if s.secrecy == nil {
		return ""
	}
	return s.secrecy.ours.Suite.String()
}

// agreeKeys works out what an agreement means for the keys; the session's mutex is
// held. A key that was in use is never used again after a time in the clear: the
// counters it began with are gone. The same goes for a suite that was left for another.
func (s *Session) agreeKeys(a sdp.Agreement) error {
	y, err := s.secret.next(a)
	if err != nil {
		return err
	}
	switch {
	case s.secret == nil:
	case y == nil:
		s.local.Keys = srtp.NewSet()
	case y.ours.Suite != s.secret.ours.Suite:
		s.local.Keys = s.local.Keys.Renew(s.secret.ours.Suite)
	}
	s.secret, s.local.InUse = y, a.Ours
	return nil
}
