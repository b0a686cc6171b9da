package phone

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/srtp/v3"
)

// The suites of SRTP that a phone can do.
const (
	CM80   = "AES_CM_128_HMAC_SHA1_80"
	CM32   = "AES_CM_128_HMAC_SHA1_32"
	GCM128 = "AEAD_AES_128_GCM"
	GCM256 = "AEAD_AES_256_GCM"
)

// suites tells the length of master key and salt of each suite.
var suites = map[string]struct {
	key, salt int
	profile   srtp.ProtectionProfile
}{
	CM80:   {16, 14, srtp.ProtectionProfileAes128CmHmacSha1_80},
	CM32:   {16, 14, srtp.ProtectionProfileAes128CmHmacSha1_32},
	GCM128: {16, 12, srtp.ProtectionProfileAeadAes128Gcm},
	GCM256: {32, 12, srtp.ProtectionProfileAeadAes256Gcm},
}

const (
	plain  = "RTP/AVP"
	secure = "RTP/SAVP"
)

// cryptoLine is an a=crypto line (RFC 4568).
type cryptoLine struct {
	tag   int
	suite string
	key   string // base64
	life  string // how many packets it is for; empty: not told
}

func (l cryptoLine) String() string {
	if l.life != "" {
		return fmt.Sprintf("a=crypto:%d %s inline:%s|%s\r\n", l.tag, l.suite, l.key, l.life)
	}
	return fmt.Sprintf("a=crypto:%d %s inline:%s\r\n", l.tag, l.suite, l.key)
}

// readCrypto reads the value of a crypto attribute; ok is false for what the phone
// does not know.
func readCrypto(value string) (l cryptoLine, ok bool) {
	f := strings.Fields(value)
	if len(f) != 3 {
		return l, false // parameters are beyond it
	}
	tag, err := strconv.Atoi(f[0])
	key, inline := strings.CutPrefix(f[2], "inline:")
	if _, known := suites[f[1]]; err != nil || !inline || !known || strings.Contains(key, "|") {
		return l, false
	}
	return cryptoLine{tag: tag, suite: f[1], key: key}, true
}

// randomLine makes a key.
func randomLine(tag int, suite string) cryptoLine {
	s := suites[suite]
	key := make([]byte, s.key+s.salt)
	_, _ = rand.Read(key) // never fails
	return cryptoLine{tag: tag, suite: suite, key: base64.StdEncoding.EncodeToString(key)}
}

// Rekey makes new keys for the next description.
func (c *Call) Rekey() {
	c.phone.mu.Lock()
	defer c.phone.mu.Unlock()
	c.keys = nil
}

// Encryption is the suite the call uses; empty: none.
func (c *Call) Encryption() string {
	c.audio.mu.Lock()
	defer c.audio.mu.Unlock()
	return c.audio.ours.suite
}

// own are the phone's keys, made when they are first needed; mu is held.
func (c *Call) own() []cryptoLine {
	if c.keys == nil {
		for i, suite := range c.phone.cfg.SRTP {
			l := randomLine(i+1, suite)
			l.life = c.phone.cfg.Quirks.KeyLife
			c.keys = append(c.keys, l)
		}
	}
	return c.keys
}

// protection is what an offer of ours says; mu is held.
func (c *Call) protection() (profile string, lines []cryptoLine) {
	switch q := c.phone.cfg.Quirks; {
	case len(c.phone.cfg.SRTP) == 0:
		return plain, nil
	case q.Opportunistic:
		return plain, c.own()
	}
	return secure, c.own()
}

// protect chooses the keys for an offer; ok is false when it cannot be taken. mu is
// held.
func (c *Call) protect(s session) (ours, theirs cryptoLine, ok bool) {
	for _, theirs := range s.crypto {
		at := slices.IndexFunc(c.own(), func(l cryptoLine) bool { return l.suite == theirs.suite })
		if at >= 0 {
			ours := c.own()[at]
			ours.tag = theirs.tag
			return ours, theirs, true
		}
	}
	return ours, theirs, s.profile == plain && !c.phone.cfg.SRTPOnly
}

// protected finds what an answer has taken; mu is held.
func (c *Call) protected(s session) (ours, theirs cryptoLine, ok bool) {
	for _, theirs := range s.crypto {
		for _, ours := range c.own() {
			if ours.tag == theirs.tag && ours.suite == theirs.suite {
				return ours, theirs, len(s.crypto) == 1
			}
		}
	}
	return ours, theirs, s.profile == plain && !c.phone.cfg.SRTPOnly
}

// encrypt begins with keys, if they are not those in use; mu is held.
func (a *audio) encrypt(ours, theirs cryptoLine) error {
	var err error
	if ours != a.ours {
		if a.seal, err = ours.context(); err != nil {
			return err
		}
	}
	if theirs != a.theirs {
		if a.open, err = theirs.context(srtp.SRTPReplayProtection(64)); err != nil {
			return err
		}
	}
	a.ours, a.theirs = ours, theirs
	return nil
}

// context is nil without a key.
func (l cryptoLine) context(opts ...srtp.ContextOption) (*srtp.Context, error) {
	if l.suite == "" {
		return nil, nil
	}
	key, err := base64.StdEncoding.DecodeString(l.key)
	if s := suites[l.suite]; err == nil && len(key) == s.key+s.salt {
		return srtp.CreateContext(key[:s.key], key[s.key:], s.profile, opts...)
	}
	return nil, fmt.Errorf("key of %s: wrong length", l.suite)
}

// sealed is a packet as it goes out; mu is held.
func (a *audio) sealed(packet []byte) [][]byte {
	if a.seal != nil {
		var err error
		if packet, err = a.seal.EncryptRTP(nil, packet, nil); err != nil {
			return nil
		}
	}
	if a.tamper != nil {
		return a.tamper(packet)
	}
	return [][]byte{packet}
}

// opened is a packet that came, or nil when it is not the other end's; mu is held.
func (a *audio) opened(packet []byte) []byte {
	if a.open == nil {
		return packet
	}
	out, err := a.open.DecryptRTP(nil, packet, nil)
	if err != nil {
		a.heard.stats.Forged++
		return nil
	}
	return out
}

// Tamper lets f do something to every packet on its way out, after it was encrypted:
// what f gives is sent instead. nil ends that.
func (c *Call) Tamper(f func(packet []byte) [][]byte) {
	c.audio.mu.Lock()
	defer c.audio.mu.Unlock()
	c.audio.tamper = f
}

// Source goes on with another SSRC.
func (c *Call) Source(ssrc uint32) {
	c.audio.mu.Lock()
	defer c.audio.mu.Unlock()
	c.audio.ssrc = ssrc
}

// Keys are the phone's own, as its descriptions have them.
func (c *Call) Keys() []string {
	c.phone.mu.Lock()
	defer c.phone.mu.Unlock()
	var all []string
	for _, l := range c.keys {
		all = append(all, l.key)
	}
	return all
}

// Wire is the last packet that came, as it came.
func (c *Call) Wire() []byte {
	c.audio.mu.Lock()
	defer c.audio.mu.Unlock()
	return slices.Clone(c.audio.wire)
}
