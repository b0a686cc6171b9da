package media

import (
	"net/netip"
	"time"
)

// latch decides whose packets are the far end's. A port that takes whatever
// arrives first gives a call's sound to anyone who sprays the port range (RTP
// bleed), and lets anyone speak into it. So sources have ranks: the address told
// in signalling goes first; then any port of that host, or of the one that signals,
// because NATs exist; then, where neither can be known, one that proves itself.
// One source and its SSRC are heard, and only it is sent to; a source of a higher
// rank takes its place, whoever was quicker.
type latch struct {
	source netip.AddrPort
	rank   rank // of the source; nobody: there is none yet
	voice  voice

	told      netip.AddrPort // in signalling
	candidate netip.AddrPort
	ssrc      uint32
	seq       uint16
	count     int
	began     time.Duration
}

// rank is how much there is to say that a source is the far end.
type rank uint8

// The ranks, lowest first.
const (
	nobody    rank = iota
	elsewhere      // a third host, which has proven itself
	near           // the host told, or the one that signals
	exact          // the address told
)

// proof is what a third host must show before it is believed: packets in sequence,
// over a time, with nothing from the one told.
const (
	proofPackets = 5
	proofTime    = 60 * time.Millisecond
)

// retarget begins anew for an address told in signalling.
func (l *latch) retarget(told netip.AddrPort) {
	*l = latch{told: told}
}

// admit decides about a packet; moved says that sending goes to l.source from
// now on.
func (l *latch) admit(from netip.AddrPort, ssrc uint32, seq uint16, now time.Duration, trusted netip.Addr) (ok, moved bool) {
	if l.locked() && from == l.source {
		return true, false
	}
	r := l.ranks(from, trusted)
	if r <= l.rank || r == elsewhere && !l.proven(from, ssrc, seq, now) {
		return false, false
	}
	l.source, l.rank, l.voice = from, r, voice{}
	return true, true
}

func (l *latch) locked() bool { return l.rank > nobody }

// learnt: the source is not the one told.
func (l *latch) learnt() bool { return l.locked() && l.rank < exact }

// final: nobody can take the place of the source any more before the next
// negotiation. Where another was learnt the one told still could, unless no
// packet of his ever comes from where he says he is.
func (l *latch) final() bool {
	switch l.rank {
	case exact:
		return true
	case near:
		return unreachable(l.told.Addr()) && !unreachable(l.source.Addr())
	}
	return false
}

// ranks says how much speaks for a source. A third host is believed only when the
// far end has told an address behind a NAT and nobody knows where it signals from:
// the public side of the NAT may be anywhere then. Who signals from a public address
// sends from there, and a private address told is as good as a public one when
// signalling comes from a private network too: nothing translates it on the way.
func (l *latch) ranks(from netip.AddrPort, trusted netip.Addr) rank {
	switch {
	case from == l.told:
		return exact
	case from.Addr() == l.told.Addr() || from.Addr() == trusted:
		return near
	case !trusted.IsValid() && unreachable(l.told.Addr()) && !unreachable(from.Addr()):
		return elsewhere
	}
	return nobody
}

// proven counts the packets of a candidate. Only one is watched at a time, so
// that many strangers get no further than one.
func (l *latch) proven(from netip.AddrPort, ssrc uint32, seq uint16, now time.Duration) bool {
	if from != l.candidate || ssrc != l.ssrc || seq != l.seq+1 {
		l.candidate, l.ssrc, l.seq, l.count, l.began = from, ssrc, seq, 1, now
		return false
	}
	l.seq = seq
	l.count++
	return l.count >= proofPackets && now-l.began >= proofTime
}

// unreachable: an address that a NAT hides from a public network, or none at all.
func unreachable(a netip.Addr) bool {
	return !a.IsValid() || a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsLoopback() || sharedSpace.Contains(a)
}

// sharedSpace is that of carrier-grade NATs (RFC 6598).
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")
