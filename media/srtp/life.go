package srtp

import (
	"cmp"
	"errors"
)

// ErrSpent says that a key has been used for as many packets as it may: nothing is
// encrypted or decrypted with it any more (RFC 3711 §9.2).
var ErrSpent = errors.New("srtp: key used up")

// What one master key is good for, unless less was told (RFC 3711 §9.2).
const (
	mostRTP  = 1 << 48
	mostRTCP = 1 << 31
)

// Wear is how far a key has been used up.
type Wear uint8

// The degrees of wear.
const (
	Fresh Wear = iota
	// Worn: the rest lasts for half a minute of sound at least, or is an eighth of
	// the whole, or half of a very short one. It is time for another key.
	Worn
	// Spent: more was to be encrypted or decrypted than may be.
	Spent
)

// restful is half a minute of packets of 20 ms.
const restful = 1500

// life counts what a master key is used for: sound and reports by themselves, all
// sources together (RFC 3711 §9.2).
type life struct{ rtp, rtcp count }

func (m Master) life() life {
	most := cmp.Or(m.Lifetime, mostRTP)
	return life{count{most: most}, count{most: min(most, mostRTCP)}}
}

func (l *life) wear() Wear { return max(l.rtp.wear(), l.rtcp.wear()) }

type count struct {
	used, most uint64
	over       bool
}

// take counts a packet, or refuses it.
func (c *count) take() bool {
	if c.used >= c.most {
		c.over = true
		return false
	}
	c.used++
	return true
}

func (c *count) wear() Wear {
	switch {
	case c.over:
		return Spent
	case c.most-c.used <= max(c.most/8, min(restful, c.most/2)):
		return Worn
	}
	return Fresh
}

// news tells a degree of wear once.
type news struct{ told Wear }

func (n *news) of(w Wear) (Wear, bool) {
	fresh := w > n.told
	n.told = max(n.told, w)
	return w, fresh
}

// Wear is how far our key is used up; news: it was not so when last asked.
func (s *Sender) Wear() (w Wear, news bool) { return s.news.of(s.life.wear()) }

// Wear is how far the far end's keys are used up, the best of them; news: it was
// not so when last asked.
func (r *Receiver) Wear() (w Wear, news bool) {
	w = Spent
	for i := range r.lives {
		w = min(w, r.lives[i].wear())
	}
	return r.news.of(w)
}

// lifeOf finds the key that a packet was encrypted with: its identifier stands
// behind the packet, before the tag in counter mode (RFC 3711 §3.1), at the very end
// with GCM, whose tag belongs to the cipher text (RFC 7714 §8.2).
func (r *Receiver) lifeOf(packet []byte, tag int) *life {
	if len(r.lives) == 1 {
		return &r.lives[0]
	}
	size := r.masters[0].MKISize
	at := max(len(packet)-tag-size, 0)
	mki := uint64(0)
	for _, b := range packet[at:min(at+size, len(packet))] {
		mki = mki<<8 | uint64(b)
	}
	for i, m := range r.masters {
		if m.MKI == mki {
			return &r.lives[i]
		}
	}
	return &r.lives[0]
}
