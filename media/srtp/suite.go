package srtp

import (
	"strings"

	"github.com/pion/srtp/v3"
)

// Suite is a crypto-suite: a cipher, and how packets are authenticated. The zero
// value is none, which stands for sound in the clear.
type Suite uint8

// The suites, the one that is offered first first: the counter mode with a
// Galois MAC costs half of what the one with SHA-1 does, and every phone has
// AES_CM_128_HMAC_SHA1_80, which RFC 4568 §6.2 makes mandatory.
const (
	None            Suite = iota
	AEAD128GCM            // AEAD_AES_128_GCM (RFC 7714 §14.2)
	AEAD256GCM            // AEAD_AES_256_GCM
	AESCM128SHA1x80       // AES_CM_128_HMAC_SHA1_80 (RFC 4568 §6.2.1)
	AESCM128SHA1x32       // AES_CM_128_HMAC_SHA1_32 (RFC 4568 §6.2.2)
)

// suites tells what is to be known of each: the name in descriptions, and the
// lengths of master key and salt in octets.
var suites = [...]struct {
	name      string
	key, salt int
	profile   srtp.ProtectionProfile
}{
	None:            {name: "none"},
	AEAD128GCM:      {"AEAD_AES_128_GCM", 16, 12, srtp.ProtectionProfileAeadAes128Gcm},
	AEAD256GCM:      {"AEAD_AES_256_GCM", 32, 12, srtp.ProtectionProfileAeadAes256Gcm},
	AESCM128SHA1x80: {"AES_CM_128_HMAC_SHA1_80", 16, 14, srtp.ProtectionProfileAes128CmHmacSha1_80},
	AESCM128SHA1x32: {"AES_CM_128_HMAC_SHA1_32", 16, 14, srtp.ProtectionProfileAes128CmHmacSha1_32},
}

// Overhead is how many octets a packet grows by at most without an MKI: an AEAD
// tag of 16 and, in SRTCP, the index of 4 (RFC 7714 §9.2).
const Overhead = 20

// Suites lists all suites, in the order of preference.
func Suites() []Suite {
	return []Suite{AEAD128GCM, AEAD256GCM, AESCM128SHA1x80, AESCM128SHA1x32}
}

// String is the suite's name in descriptions.
func (s Suite) String() string {
	if int(s) < len(suites) {
		return suites[s].name
	}
	return suites[None].name
}

// suiteNamed finds a suite by its name, which is case-sensitive by the grammar
// of RFC 4568 §9.1 and by no means everywhere else.
func suiteNamed(name string) Suite {
	for s := AEAD128GCM; int(s) < len(suites); s++ {
		if strings.EqualFold(suites[s].name, name) {
			return s
		}
	}
	return None
}

// tags are the lengths of what stands behind the identifier of the key in RTP and in
// RTCP, where counter mode has 80 bits always (RFC 4568 §6.2.2).
func (s Suite) tags() (rtp, rtcp int) {
	switch s {
	case AESCM128SHA1x80:
		return 10, 10
	case AESCM128SHA1x32:
		return 4, 10
	}
	return 0, 0
}

// size is the length of master key and salt together.
func (s Suite) size() int { return suites[s].key + suites[s].salt }
