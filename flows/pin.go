package flows

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"regexp"
	"strings"
)

// pinForm is a PIN as it is given; a kept one has another form.
var pinForm = regexp.MustCompile(`^[0-9]{4,12}$`)

const (
	pinScheme = "pbkdf2-sha256$"
	pinRounds = 60_000 // some 15 ms: a PIN has few digits, and what is slow for one try is slow for all of them
	pinBytes  = 16
)

// hashPIN is what is kept of a PIN: salt and PBKDF2 (RFC 8018 section 5.2).
func hashPIN(pin string) string {
	salt := make([]byte, pinBytes)
	rand.Read(salt) //nolint:errcheck // never fails (crypto/rand)
	return pinScheme + base64.RawStdEncoding.EncodeToString(append(salt, derivePIN(pin, salt)...))
}

func derivePIN(pin string, salt []byte) []byte {
	key, err := pbkdf2.Key(sha256.New, pin, salt, pinRounds, pinBytes)
	if err != nil {
		panic("flows: derive a key: " + err.Error()) // only for lengths that are not asked for here
	}
	return key
}

func isHashedPIN(kept string) bool {
	_, ok := readPIN(kept)
	return ok
}

func readPIN(kept string) (saltAndKey []byte, ok bool) {
	rest, ok := strings.CutPrefix(kept, pinScheme)
	if !ok {
		return nil, false
	}
	raw, err := base64.RawStdEncoding.DecodeString(rest)
	return raw, err == nil && len(raw) == 2*pinBytes
}

// PINMatches says whether pin is the PIN of the box. It takes as long for a box
// without a PIN, and for none at all (nil), so that time tells nothing.
func (b *VoicemailBox) PINMatches(pin string) bool {
	kept := ""
	if b != nil {
		kept = b.PIN
	}
	raw, ok := readPIN(kept)
	if !ok {
		raw = make([]byte, 2*pinBytes)
	}
	same := subtle.ConstantTimeCompare(derivePIN(pin, raw[:pinBytes]), raw[pinBytes:]) == 1
	return same && ok
}
