package events

import (
	"crypto/rand"
	"strings"
)

// NewID is prefix followed by 26 random characters (130 bits) of a–z and 2–7.
func NewID(prefix string) string { return prefix + strings.ToLower(rand.Text()) }
