package srtp

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"log/slog"
	"strings"
)

// maxKey is the longest master key and salt, those of AEAD_AES_256_GCM.
const maxKey = 32 + 12

// Key is a master key with its salt. It hides what it is from whoever prints,
// logs or marshals it. The octets are behind a pointer, as there are ways to print
// a struct that ask no method (a pointer with a verb that is none for pointers),
// but none that follows pointers within.
type Key struct {
	octets *[maxKey]byte
	size   uint8
}

// hidden is all that is told of a key.
const hidden = "srtp.Key(hidden)"

// String tells nothing.
func (Key) String() string { return hidden }

// GoString tells nothing.
func (Key) GoString() string { return hidden }

// Format tells nothing, whatever the verb.
func (Key) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// LogValue tells nothing.
func (Key) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText tells nothing: not to JSON, YAML or XML either.
func (Key) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// newKey makes a random key for a suite.
func newKey(s Suite) Key {
	k := Key{octets: new([maxKey]byte), size: uint8(s.size())}
	_, _ = rand.Read(k.octets[:k.size]) // never fails
	return k
}

// Equal compares two keys without telling by the time it takes where they differ.
func (k Key) Equal(other Key) bool {
	if k.octets == nil || other.octets == nil {
		return k.octets == other.octets
	}
	return k.size == other.size && subtle.ConstantTimeCompare(k.octets[:], other.octets[:]) == 1
}

// parseKey reads the base64 of an inline key (RFC 4568 §6.1), with its padding
// or without. What it says about a wrong one has nothing of the key in it.
func parseKey(s Suite, text string) (Key, error) {
	k := Key{octets: new([maxKey]byte), size: uint8(s.size())}
	text = strings.TrimRight(text, "=")
	if n := base64.RawStdEncoding.DecodedLen(len(text)); n != s.size() {
		return Key{}, fmt.Errorf("key and salt of %d octets, %s has %d", n, s, s.size())
	}
	if _, err := base64.RawStdEncoding.Decode(k.octets[:k.size], []byte(text)); err != nil {
		return Key{}, errBase64
	}
	return k, nil
}

// inline writes what parseKey reads.
func (k Key) inline() string { return base64.StdEncoding.EncodeToString(k.octets[:k.size]) }

// parts are the master key and the salt.
func (k Key) parts(s Suite) (key, salt []byte) {
	return k.octets[:suites[s].key], k.octets[suites[s].key:s.size()]
}
