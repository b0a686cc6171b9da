package dtmf

import (
	"strings"
	"time"
)

// How a digit reached us, or how it leaves.
const (
	MethodRFC4733 = "rfc4733"
	MethodInfo    = "info"
	MethodInband  = "inband"
)

// Digit is one key pressed and released.
type Digit struct {
	// Symbol is one of 0-9, *, #, A-D, or Flash.
	Symbol byte
	// Duration is how long the key was held, as far as it could be told.
	Duration time.Duration
	// Method is one of the Method constants.
	Method string
}

// symbols holds the sixteen keys at their RFC 4733 §3.2 event codes, and the hook
// flash behind them.
const symbols = "0123456789*#ABCD!"

// Flash is the hook pressed for a moment: no key, but it travels as one. It has
// no tones.
const Flash = '!'

// Code is the RFC 4733 event code of a symbol.
func Code(symbol byte) (code byte, ok bool) {
	if symbol >= 'a' && symbol <= 'd' {
		symbol -= 'a' - 'A'
	}
	i := strings.IndexByte(symbols, symbol)
	return byte(max(i, 0)), i >= 0
}

// Symbol is the key of an RFC 4733 event code, or Flash; ok is false for the codes
// that are neither (tones, modem signals).
func Symbol(code byte) (symbol byte, ok bool) {
	if int(code) >= len(symbols) {
		return 0, false
	}
	return symbols[code], true
}

// Valid reports whether s holds nothing but keys.
func Valid(s string) bool {
	for i := range len(s) {
		if _, ok := Code(s[i]); !ok || s[i] == Flash {
			return false
		}
	}
	return true
}
