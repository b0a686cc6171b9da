package srtp

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

// ErrSources says that a far end has used more sources than one key is kept for.
var ErrSources = errors.New("srtp: too many sources")

var errShort = errors.New("srtp: too short for a packet")

const (
	// replayWindow is how far behind packets may come (RFC 3711 §3.3.2 wants 64
	// at least): more than two seconds of sound.
	replayWindow = 128
	// maxSources is how many sources a far end may use with one key. Each is
	// remembered, so that nothing it sent can be sent again.
	maxSources = 256
)

// Receiver authenticates and decrypts what one far end sends.
type Receiver struct {
	ctx     *srtp.Context
	rtp     rtp.Header
	rtcp    rtcp.Header
	ssrc    uint32 // the source heard last
	sources int    // of RTP; 0: none yet
	reports int    // of RTCP

	masters         []Master
	lives           []life // theirs
	tagRTP, tagRTCP int
	news            news
}

// NewReceiver makes a receiver for what is sent with the keys of c.
func NewReceiver(c Crypto) (*Receiver, error) {
	ctx, err := c.context(srtp.SRTPReplayProtection(replayWindow), srtp.SRTCPReplayProtection(replayWindow))
	if err != nil {
		return nil, err
	}
	for _, m := range c.Masters[1:] {
		key, salt := m.Key.parts(c.Suite)
		if err := ctx.AddCipherForMKI(m.mki(), key, salt); err != nil {
			return nil, fmt.Errorf("srtp: second key: %w", err)
		}
	}
	r := &Receiver{ctx: ctx, masters: c.Masters}
	for _, m := range c.Masters {
		r.lives = append(r.lives, m.life())
	}
	r.tagRTP, r.tagRTCP = c.Suite.tags()
	return r, nil
}

// RTP authenticates a packet and decrypts it into dst, which may be the packet
// itself. An error says that it is not the far end's, or was here before: it is
// to be dropped, and that is all; the receiver is as it was (CVE-2021-41105).
func (r *Receiver) RTP(dst, packet []byte) ([]byte, error) {
	if len(packet) < 12 {
		return nil, errShort
	}
	ssrc := binary.BigEndian.Uint32(packet[8:])
	known := r.sources > 0 && ssrc == r.ssrc
	if !known {
		if _, known = r.ctx.ROC(ssrc); !known && r.sources >= maxSources {
			return nil, ErrSources
		}
	}
	life := r.lifeOf(packet, r.tagRTP) // before it is written over
	out, err := r.ctx.DecryptRTP(dst, packet, &r.rtp)
	if err != nil {
		return nil, err
	}
	if !life.rtp.take() {
		return nil, ErrSpent
	}
	if !known {
		r.sources++
	}
	r.ssrc = ssrc
	return out, nil
}

// RTCP authenticates and decrypts a compound packet, as RTP does.
func (r *Receiver) RTCP(dst, packet []byte) ([]byte, error) {
	if len(packet) < 8 {
		return nil, errShort
	}
	_, known := r.ctx.Index(binary.BigEndian.Uint32(packet[4:]))
	if !known && r.reports >= maxSources {
		return nil, ErrSources
	}
	life := r.lifeOf(packet, r.tagRTCP)
	out, err := r.ctx.DecryptRTCP(dst, packet, &r.rtcp)
	if err != nil {
		return nil, err
	}
	if !life.rtcp.take() {
		return nil, ErrSpent
	}
	if !known {
		r.reports++
	}
	return out, nil
}

// context is pion's for the first key.
func (c Crypto) context(opts ...srtp.ContextOption) (*srtp.Context, error) {
	if !c.Valid() {
		return nil, fmt.Errorf("%w: no key", ErrUnsupported)
	}
	m := c.Masters[0]
	if m.MKISize > 0 {
		opts = append(opts, srtp.MasterKeyIndicator(m.mki()))
	}
	key, salt := m.Key.parts(c.Suite)
	ctx, err := srtp.CreateContext(key, salt, suites[c.Suite].profile, opts...)
	if err != nil {
		return nil, fmt.Errorf("srtp: %w", err)
	}
	return ctx, nil
}

// mki is the identifier as packets carry it.
func (m Master) mki() []byte {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], m.MKI)
	return b[8-m.MKISize:]
}
