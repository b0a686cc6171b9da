package media

import (
	"net/netip"
	"time"
)

// latch decides whose packets are the far end's. A port that takes whatever
// arrives first gives a call's sound to anyone who sprays the port range (RTP
// bleed), and lets anyone speak into it. So: the address told in signalling
// goes first; another one is learnt once, with proof, because NATs exist; then
// only that source and its SSRC are heard, and only it is sent to.
type latch struct {
	source netip.AddrPort
	locked bool
	learnt bool // source is not the one told
	voice  voice

	told      netip.AddrPort // in signalling
	candidate netip.AddrPort
	ssrc      uint32
	seq       uint16
	count     int
	began     time.Duration
}

// proof is how much a source must show before it is believed, when it is not
// the one told: packets in sequence, over a time, with nothing from the one told.
type proof struct {
	packets int
	over    time.Duration
}

var (
	nearProof = proof{5, 60 * time.Millisecond} // the address told cannot be reached from here
	farProof  = proof{50, time.Second}          // it could be
)

// retarget begins anew for an address told in signalling.
func (l *latch) retarget(told netip.AddrPort) {
	*l = latch{told: told}
}

// admit decides about a packet; moved says that sending goes to l.source from
// now on.
func (l *latch) admit(from netip.AddrPort, ssrc uint32, seq uint16, now time.Duration, trusted netip.Addr) (ok, moved bool) {
	if l.locked && from == l.source {
		return true, false
	}
	if from == l.told {
		// The one told is believed at once, even after another was learnt:
		// whoever was quicker than the real far end loses the call again.
		l.lock(from, false)
		return true, true
	}
	if l.locked {
		return false, false
	}
	if from.Addr() == l.told.Addr() || from.Addr() == trusted || l.proven(from, ssrc, seq, now, trusted) {
		l.lock(from, true)
		return true, true
	}
	return false, false
}

func (l *latch) lock(from netip.AddrPort, learnt bool) {
	l.locked, l.source, l.learnt = true, from, learnt
	l.voice = voice{}
}

// final: nobody can take the place of the source any more before the next
// negotiation. Where another was learnt the one told still could, unless no
// packet of his ever comes from where he says he is.
func (l *latch) final() bool {
	return l.locked && (!l.learnt || unreachable(l.told.Addr()) && !unreachable(l.source.Addr()))
}

// proven counts the packets of a candidate. Only one is watched at a time, so
// that many strangers get no further than one.
func (l *latch) proven(from netip.AddrPort, ssrc uint32, seq uint16, now time.Duration, trusted netip.Addr) bool {
	need, may := l.elsewhere(from.Addr(), trusted)
	if !may {
		return false
	}
	if from != l.candidate || ssrc != l.ssrc || seq != l.seq+1 {
		l.candidate, l.ssrc, l.seq, l.count, l.began = from, ssrc, seq, 1, now
		return false
	}
	l.seq = seq
	l.count++
	return l.count >= need.packets && now-l.began >= need.over
}

// elsewhere: may the far end be at a host that is neither the one told nor the
// one its signalling comes from, and how is that proven? A private address told
// is as good as a public one when signalling comes from a private network too:
// nothing translates it on the way. Only with a NAT between may its public side
// be anywhere.
func (l *latch) elsewhere(from, trusted netip.Addr) (proof, bool) {
	switch {
	case trusted.IsValid() && (trusted == l.told.Addr() || unreachable(trusted)):
		return proof{}, false
	case unreachable(l.told.Addr()):
		return nearProof, !unreachable(from)
	}
	return farProof, trusted.IsValid()
}

// unreachable: an address that a NAT hides from a public network, or none at all.
func unreachable(a netip.Addr) bool {
	return !a.IsValid() || a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsLoopback() || sharedSpace.Contains(a)
}

// sharedSpace is that of carrier-grade NATs (RFC 6598).
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")
