package srtp

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// What makes a crypto attribute useless. Such an attribute is passed over; the
// stream is refused when all of them are (RFC 4568 §5.1.2).
var (
	// ErrSyntax: it cannot be understood.
	ErrSyntax = errors.New("srtp: malformed crypto attribute")
	// ErrUnsupported: it asks for something that is not done here.
	ErrUnsupported = errors.New("srtp: unsupported crypto attribute")

	errBase64 = errors.New("key is not base64")
)

// MaxCrypto is how many crypto attributes of a stream are looked at.
const MaxCrypto = 16

// maxMasters is how many keys one attribute may have.
const maxMasters = 4

// Crypto is a crypto attribute (RFC 4568 §4): what its writer encrypts with.
type Crypto struct {
	Tag   int
	Suite Suite
	// Masters are the keys, mostly one. The first is sent with.
	Masters []Master
}

// Master is a key with the identifier that packets name it by (RFC 3711 §3.1).
type Master struct {
	Key Key
	// MKI is the identifier, and MKISize its length in octets; 0: there is none.
	MKI     uint64
	MKISize int
	// Lifetime is how many packets the key is good for, as its writer has told;
	// 0: not told, which is as many as there can be.
	Lifetime uint64
}

// New makes an attribute with a random key.
func New(tag int, s Suite) Crypto {
	return Crypto{Tag: tag, Suite: s, Masters: []Master{{Key: newKey(s)}}}
}

// Valid reports whether there is anything to encrypt with.
func (c Crypto) Valid() bool { return c.Suite != None && len(c.Masters) > 0 }

// Same reports whether both do the same to packets: then what is known of the
// stream, the rollover counter above all, goes on (RFC 3711 §3.3.1). A lifetime told
// anew makes no new key: what was used is used.
func (c Crypto) Same(d Crypto) bool {
	return c.Suite == d.Suite && slices.EqualFunc(c.Masters, d.Masters, func(a, b Master) bool {
		return a.MKI == b.MKI && a.MKISize == b.MKISize && a.Key.Equal(b.Key)
	})
}

// String tells tag and suite.
func (c Crypto) String() string { return fmt.Sprintf("%d %s", c.Tag, c.Suite) }

// Attribute is the value of a=crypto (RFC 4568 §9.1). It has the key in it, and
// is for descriptions only.
func (c Crypto) Attribute() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s ", c.Tag, c.Suite)
	for i, m := range c.Masters {
		if i > 0 {
			b.WriteByte(';')
		}
		b.WriteString("inline:" + m.Key.inline())
		if n := m.Lifetime; n > 0 && n&(n-1) == 0 {
			fmt.Fprintf(&b, "|2^%d", bits.TrailingZeros64(n))
		} else if n > 0 {
			fmt.Fprintf(&b, "|%d", n)
		}
		if m.MKISize > 0 {
			fmt.Fprintf(&b, "|%d:%d", m.MKI, m.MKISize)
		}
	}
	return b.String()
}

// Parse reads the value of an a=crypto attribute:
//
//	tag suite inline:<key||salt>["|" lifetime]["|" MKI ":" length][";inline:"…] [session parameters]
//
// Suites and parameters that are not known make it useless, and so does every
// parameter that would weaken the protection. Errors never quote a key.
func Parse(value string) (Crypto, error) {
	f := strings.Fields(value)
	if len(f) < 3 {
		return Crypto{}, fmt.Errorf("%w: want tag, suite and key", ErrSyntax)
	}
	tag, err := strconv.ParseUint(f[0], 10, 32)
	if err != nil || tag == 0 || tag > 999_999_999 {
		return Crypto{}, fmt.Errorf("%w: tag", ErrSyntax)
	}
	c := Crypto{Tag: int(tag), Suite: suiteNamed(f[1])}
	if c.Suite == None {
		return Crypto{}, fmt.Errorf("%w: suite", ErrUnsupported)
	}
	for _, p := range f[3:] {
		if !harmless(p) {
			return Crypto{}, fmt.Errorf("%w: session parameter", ErrUnsupported)
		}
	}
	for _, param := range strings.Split(f[2], ";") {
		m, err := c.Suite.master(param)
		if err != nil {
			return Crypto{}, err
		}
		if len(c.Masters) == maxMasters {
			return Crypto{}, fmt.Errorf("%w: more than %d keys", ErrUnsupported, maxMasters)
		}
		c.Masters = append(c.Masters, m)
	}
	if !c.tellsApart() {
		return Crypto{}, fmt.Errorf("%w: keys without identifiers of their own", ErrSyntax)
	}
	return c, nil
}

// harmless reports whether a session parameter changes nothing that matters: the
// hint about the replay window (RFC 4568 §6.3.6), and what its writer marks as
// not needed by a hyphen (§6.3.7). Key derivation rates, FEC, and packets without
// encryption or authentication are not done here.
func harmless(param string) bool {
	if strings.HasPrefix(param, "-") {
		return true
	}
	name, value, _ := strings.Cut(param, "=")
	if !strings.EqualFold(name, "WSH") {
		return false
	}
	n, err := strconv.ParseUint(value, 10, 31)
	return err == nil && n >= 64
}

// master reads one key parameter.
func (s Suite) master(param string) (Master, error) {
	method, info, _ := strings.Cut(param, ":")
	if !strings.EqualFold(method, "inline") {
		return Master{}, fmt.Errorf("%w: key method", ErrUnsupported)
	}
	parts := strings.Split(info, "|")
	key, err := parseKey(s, parts[0])
	if err != nil {
		return Master{}, fmt.Errorf("%w: %w", ErrSyntax, err)
	}
	m := Master{Key: key}
	rest := parts[1:]
	if len(rest) > 0 && !strings.Contains(rest[0], ":") {
		if m.Lifetime = parseLifetime(rest[0]); m.Lifetime == 0 {
			return Master{}, fmt.Errorf("%w: lifetime", ErrSyntax)
		}
		rest = rest[1:]
	}
	if len(rest) > 0 {
		if m.MKI, m.MKISize, err = parseMKI(rest[0]); err != nil {
			return Master{}, err
		}
		rest = rest[1:]
	}
	if len(rest) > 0 {
		return Master{}, fmt.Errorf("%w: key parameters", ErrSyntax)
	}
	return m, nil
}

// parseLifetime reads a number of packets, as it is or as 2^n: at most the 2^48
// that one key is good for (RFC 3711 §9.2). 0: it is none.
func parseLifetime(text string) uint64 {
	if exponent, power := strings.CutPrefix(text, "2^"); power {
		n, err := strconv.ParseUint(exponent, 10, 8)
		if err != nil || n > 48 {
			return 0
		}
		return 1 << n
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n > mostRTP {
		return 0
	}
	return n
}

// parseMKI reads an identifier and its length. It may be up to 128 octets long;
// more than eight are not taken.
func parseMKI(text string) (mki uint64, size int, err error) {
	value, length, _ := strings.Cut(text, ":")
	n, err := strconv.ParseUint(length, 10, 8)
	if err != nil || n < 1 || n > 128 {
		return 0, 0, fmt.Errorf("%w: MKI length", ErrSyntax)
	}
	if n > 8 {
		return 0, 0, fmt.Errorf("%w: MKI of %d octets", ErrUnsupported, n)
	}
	mki, err = strconv.ParseUint(value, 10, 64)
	if err != nil || n < 8 && mki>>(8*n) != 0 {
		return 0, 0, fmt.Errorf("%w: MKI", ErrSyntax)
	}
	return mki, int(n), nil
}

// tellsApart reports whether packets show which of the keys is theirs: several
// need identifiers of one length, all different (RFC 4568 §6.1).
func (c Crypto) tellsApart() bool {
	for i, m := range c.Masters {
		for _, n := range c.Masters[:i] {
			if m.MKISize == 0 || m.MKISize != n.MKISize || m.MKI == n.MKI {
				return false
			}
		}
	}
	return true
}
