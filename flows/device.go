package flows

import (
	"fmt"
	"strings"
	"time"
)

// Device is a phone that registers here.
type Device struct {
	ID             string    `json:"device_id"`
	Username       string    `json:"username"`
	Password       string    `json:"password,omitempty"`
	DisplayName    string    `json:"display_name,omitempty"`
	Number         string    `json:"number,omitempty"`
	VoicemailBoxID string    `json:"voicemail_box_id,omitempty"`
	AllowOutbound  []string  `json:"allow_outbound,omitempty"` // numbers it may dial by the trunks: +14155552671, +1415* or *; empty means none
	MaxCalls       int       `json:"max_calls,omitempty"`      // such calls at once; 0 means DefaultDeviceCalls
	DTMF           string    `json:"dtmf,omitempty"`           // auto (default) | rfc4733 | inband | info
	Hold           string    `json:"hold,omitempty"`           // music (default) | relay
	SRTP           string    `json:"srtp,omitempty"`           // off (default) | optional | required
	CreatedAt      time.Time `json:"created_at,omitzero"`
	UpdatedAt      time.Time `json:"updated_at,omitzero"`
	Revision       int       `json:"revision,omitempty"`
}

// DefaultDeviceCalls is how many calls to the outside a device that names no
// limit may have at once: enough for a person, too few for toll fraud to pay.
const DefaultDeviceCalls = 4

// ApplyDefaults fills in what was left out.
func (d *Device) ApplyDefaults() {
	orElse(&d.DisplayName, d.Username)
	orElse(&d.MaxCalls, DefaultDeviceCalls)
	orElse(&d.DTMF, DTMFAuto)
	orElse(&d.Hold, HoldMusic)
	orElse(&d.SRTP, SRTPOff)
}

// Validate tells everything that is wrong with the device.
func (d *Device) Validate() Problems {
	var problems Problems
	problems.checkID("device_id", d.ID)
	switch {
	case d.Username == "":
		problems.add("username", "the username is missing; give the one the phone registers with")
	case !usernameForm.MatchString(d.Username):
		problems.add("username", "%q cannot be a SIP username; use 1 to 64 letters, digits and . _ - +", shorten(d.Username))
	}
	if d.Password == "" {
		problems.add("password", "the password is missing; without one anybody could register as this device")
	}
	problems.addIf("password", checkText(d.Password, maxSecret))
	problems.addIf("display_name", checkText(d.DisplayName, maxShown))
	if d.Number != "" {
		problems.checkNumber("number", d.Number)
	}
	if d.VoicemailBoxID != "" {
		problems.checkID("voicemail_box_id", d.VoicemailBoxID)
	}
	if len(d.AllowOutbound) > maxEntries {
		problems.add("allow_outbound", "a list has at most %d entries; this one has %d", maxEntries, len(d.AllowOutbound))
	}
	for i, entry := range d.AllowOutbound {
		if !validPermission(entry) {
			problems.addNumber(fmt.Sprintf("allow_outbound[%d]", i),
				"%q is neither a number nor the beginning of one; write +14155552671, +1415* or * for all", shorten(entry))
		}
	}
	problems.checkMost("max_calls", d.MaxCalls, 1000)
	problems.checkOneOf("dtmf", d.DTMF, "", DTMFAuto, DTMFEvents, DTMFTones, DTMFInfo)
	problems.checkOneOf("hold", d.Hold, "", HoldMusic, HoldRelay)
	problems.checkOneOf("srtp", d.SRTP, "", SRTPOff, SRTPOptional, SRTPRequired)
	return problems
}

// MayDial says whether the device may call this number, in E.164, by the trunks.
func (d *Device) MayDial(number string) bool { return permitted(d.AllowOutbound, number) }

// permitted says whether a list of validPermission has this number.
func permitted(list []string, number string) bool {
	if _, err := ParseNumber(number); err != nil {
		return false
	}
	for _, entry := range list {
		if prefix, many := strings.CutSuffix(entry, "*"); entry == number || many && strings.HasPrefix(number, prefix) {
			return true
		}
	}
	return false
}

// MostCalls is how many calls to the outside the device may have at once.
func (d *Device) MostCalls() int {
	if d.MaxCalls <= 0 {
		return DefaultDeviceCalls
	}
	return d.MaxCalls
}

// validPermission accepts a number, the beginning of one, and * for all.
func validPermission(entry string) bool {
	prefix, many := strings.CutSuffix(entry, "*")
	if !many {
		_, err := ParseNumber(entry)
		return err == nil
	}
	return prefix == "" || len(prefix) <= 15 && prefix[0] == '+' && onlyDigits(prefix[1:])
}
