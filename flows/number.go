package flows

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nyaruka/phonenumbers"
)

// PhoneNumber is a DID the switch owns.
type PhoneNumber struct {
	Number      string    `json:"phone_number"`
	CallFlowID  string    `json:"call_flow_id,omitempty"`
	Description string    `json:"description,omitempty"`
	CreatedAt   time.Time `json:"created_at,omitzero"`
	UpdatedAt   time.Time `json:"updated_at,omitzero"`
	Revision    int       `json:"revision,omitempty"`
}

// ParseNumber reads a number as the API takes it: E.164 with its + and nothing
// else, 7 to 15 digits, and a country code that exists. Whether the number is in
// use is not asked: numbers set aside for fiction are good. The error says what
// to write.
func ParseNumber(s string) (e164 string, err error) {
	if s == "" {
		return "", errors.New("the number is missing; write it as +14155552671")
	}
	if s[0] != '+' || !onlyDigits(s[1:]) {
		return "", fmt.Errorf("%q is not a phone number; write + and 7 to 15 digits, without spaces, such as +14155552671", shorten(s))
	}
	if n := len(s) - 1; n < 7 || n > 15 {
		return "", fmt.Errorf("%q has %d digits; a phone number has + and 7 to 15", shorten(s), n)
	}
	if !hasCountryCode(s[1:]) {
		return "", fmt.Errorf("%q begins with no country code that exists; write the number as +14155552671", s)
	}
	return s, nil
}

// E164 is a number as people dial it, in E.164: with its plus, without it, or
// with the 00 that stands for it in most of the world. Anything else stays as it
// is.
func E164(user string) string {
	for _, s := range []string{user, "+" + user, "+" + strings.TrimPrefix(user, "00")} {
		if number, err := ParseNumber(s); err == nil {
			return number
		}
	}
	return user
}

// hasCountryCode says whether digits begin with a country code in use: one to
// three digits, none of which begins another (ITU-T E.164). Parsing the whole
// number would cost ten times as much, which lists of thousands would feel.
func hasCountryCode(digits string) bool {
	code := 0
	for i := range 3 {
		code = code*10 + int(digits[i]-'0')
		if code != 0 && phonenumbers.GetRegionCodeForCountryCode(code) != phonenumbers.UNKNOWN_REGION {
			return digits[0] != '0'
		}
	}
	return false
}

func onlyDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// shorten keeps a message readable whatever was sent.
func shorten(s string) string {
	if len(s) <= 40 {
		return s
	}
	return s[:40] + "…"
}

// ApplyDefaults fills in what was left out; a number has nothing to fill in.
func (n *PhoneNumber) ApplyDefaults() {}

// Validate tells everything that is wrong with the number.
func (n *PhoneNumber) Validate() Problems {
	var problems Problems
	problems.checkNumber("phone_number", n.Number)
	if n.CallFlowID != "" {
		problems.checkID("call_flow_id", n.CallFlowID)
	}
	problems.addIf("description", checkSpeech(n.Description))
	return problems
}
