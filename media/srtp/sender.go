package srtp

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

// ErrUsed says that a packet would have been encrypted with key stream that
// another one has used already, or may have.
var ErrUsed = errors.New("srtp: index used before")

// Sender encrypts the packets of one stream.
type Sender struct {
	ctx    *srtp.Context
	rtp    rtp.Header
	rtcp   rtcp.Header
	used   used
	growth int
	life   life
	news   news
}

// NewSender makes a sender with the first key of c.
func NewSender(c Crypto) (*Sender, error) {
	ctx, err := c.context()
	if err != nil {
		return nil, err
	}
	return &Sender{ctx: ctx, growth: Overhead + c.Masters[0].MKISize, life: c.Masters[0].life()}, nil
}

// Growth is how much longer a packet may become.
func (s *Sender) Growth() int { return s.growth }

// RTP encrypts a packet into dst, which may be the packet itself when it has
// Growth octets of room behind it. It fails without harm for a packet whose number
// was used: the same key stream under two packets would give both away, and with
// GCM the key of the authentication, too (RFC 7714 §8.1).
func (s *Sender) RTP(dst, packet []byte) ([]byte, error) {
	if len(packet) < 12 {
		return nil, errShort
	}
	if !s.used.take(binary.BigEndian.Uint32(packet[8:]), binary.BigEndian.Uint16(packet[2:])) {
		return nil, ErrUsed
	}
	if !s.life.rtp.take() {
		return nil, ErrSpent
	}
	out, err := s.ctx.EncryptRTP(dst, packet, &s.rtp)
	if err != nil {
		return nil, fmt.Errorf("encrypt rtp: %w", err)
	}
	return out, nil
}

// RTCP encrypts a compound packet into dst, as RTP does.
func (s *Sender) RTCP(dst, packet []byte) ([]byte, error) {
	if !s.life.rtcp.take() {
		return nil, ErrSpent
	}
	out, err := s.ctx.EncryptRTCP(dst, packet, &s.rtcp)
	if err != nil {
		return nil, fmt.Errorf("encrypt rtcp: %w", err)
	}
	return out, nil
}

// used remembers which indexes of a stream (RFC 3711 §3.3.1) have been sent. What
// is older than the window counts as used.
type used struct {
	started bool
	ssrc    uint32
	highest uint64    // index: rollover counter and number
	window  [2]uint64 // bit n: highest-n was sent
}

const usedWindow = 128

// take notes a number; it is false for one that was taken before, and for one
// before the first: there is no rollover counter below 0. A Sender has one source
// for all its life; another one is refused.
func (u *used) take(ssrc uint32, seq uint16) bool {
	if !u.started {
		*u = used{started: true, ssrc: ssrc, highest: uint64(seq), window: [2]uint64{1}}
		return true
	}
	if ssrc != u.ssrc {
		return false
	}
	if ahead := seq - uint16(u.highest); ahead != 0 && ahead < 1<<15 {
		u.shift(uint(ahead))
		u.highest += uint64(ahead)
		u.window[0] |= 1
		return true
	}
	behind := uint(uint16(u.highest) - seq)
	if behind >= usedWindow || uint64(behind) > u.highest || u.window[behind/64]>>(behind%64)&1 != 0 {
		return false
	}
	u.window[behind/64] |= 1 << (behind % 64)
	return true
}

func (u *used) shift(n uint) {
	switch {
	case n >= usedWindow:
		u.window = [2]uint64{}
	case n >= 64:
		u.window = [2]uint64{0, u.window[0] << (n - 64)}
	default:
		u.window = [2]uint64{u.window[0] << n, u.window[1]<<n | u.window[0]>>(64-n)}
	}
}
