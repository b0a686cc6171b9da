package flows

import (
	"fmt"
	"regexp"
	"slices"
	"time"
)

// VoicemailBox takes messages, and gives them to its owner.
type VoicemailBox struct {
	ID               string    `json:"voicemail_box_id"`
	Name             string    `json:"name"`
	Number           string    `json:"number,omitempty"` // digits that phones dial and owners enter
	Greeting         string    `json:"greeting,omitempty"`
	RecordedGreeting string    `json:"recorded_greeting,omitempty"` // id of a prompt that is played instead
	Prompt           string    `json:"prompt,omitempty"`
	MaxDuration      int       `json:"max_duration,omitempty"` // seconds, 120
	MinDuration      int       `json:"min_duration,omitempty"` // seconds of speech, 2
	MaxSilence       int       `json:"max_silence,omitempty"`  // seconds, 10
	MaxMessages      int       `json:"max_messages,omitempty"` // 100
	Language         string    `json:"language,omitempty"`
	Voice            string    `json:"voice,omitempty"`
	Timezone         string    `json:"timezone,omitempty"`    // IANA zone of the times its owner hears; UTC when empty
	Operator         *Operator `json:"operator,omitempty"`    // where the key 0 leads during the greeting
	PIN              string    `json:"pin,omitempty"`         // of its owner; kept hashed
	Notify           *Notify   `json:"notify,omitempty"`      // who is told of new messages
	MWIDevice        string    `json:"mwi_device,omitempty"`  // a device that is told of new messages, besides those whose box it is
	MWIDevices       []string  `json:"mwi_devices,omitempty"` // and further ones
	CreatedAt        time.Time `json:"created_at,omitzero"`
	UpdatedAt        time.Time `json:"updated_at,omitzero"`
	Revision         int       `json:"revision,omitempty"`
}

// Operator is where callers go who want a person instead of a box.
type Operator struct {
	Destination     string          `json:"destination"`
	DestinationType DestinationType `json:"destination_type"`
}

// ApplyDefaults fills in what was left out. A PIN is never kept as it is.
func (b *VoicemailBox) ApplyDefaults() {
	orElse(&b.MaxDuration, 120)
	orElse(&b.MinDuration, 2)
	orElse(&b.MaxSilence, 10)
	orElse(&b.MaxMessages, 100)
	orElse(&b.Language, DefaultLanguage)
	if pinForm.MatchString(b.PIN) {
		b.PIN = hashPIN(b.PIN)
	}
}

var (
	boxNumberForm = regexp.MustCompile(`^[0-9]{2,15}$`)
	promptIDForm  = regexp.MustCompile(`^prompt_[A-Za-z0-9_-]{1,57}$`)
)

// Validate tells everything that is wrong with the box.
func (b *VoicemailBox) Validate() Problems {
	var problems Problems
	problems.checkID("voicemail_box_id", b.ID)
	problems.checkName(b.Name)
	if b.Number != "" && !boxNumberForm.MatchString(b.Number) {
		problems.add("number", "%q is not the number of a box; use 2 to 15 digits", shorten(b.Number))
	}
	problems.addIf("greeting", checkSpeech(b.Greeting))
	problems.addIf("prompt", checkSpeech(b.Prompt))
	if b.RecordedGreeting != "" && !promptIDForm.MatchString(b.RecordedGreeting) {
		problems.add("recorded_greeting", "%q is not the id of a prompt; name one such as prompt_hello, or leave it out", shorten(b.RecordedGreeting))
	}
	problems.checkMost("max_duration", b.MaxDuration, 3600)
	problems.checkMost("min_duration", b.MinDuration, 60)
	if b.MaxDuration > 0 && b.MinDuration > b.MaxDuration {
		problems.add("min_duration", "min_duration is %d, more than max_duration, which is %d; lower it", b.MinDuration, b.MaxDuration)
	}
	problems.checkMost("max_silence", b.MaxSilence, 300)
	problems.checkMost("max_messages", b.MaxMessages, 10000)
	problems.checkVoice(b.Language, b.Voice)
	if b.Timezone != "" {
		if _, err := loadZone(b.Timezone); err != nil {
			problems.add("timezone", "%s", err)
		}
	}
	if o := b.Operator; o != nil {
		problems = append(problems, checkDestination(o.DestinationType, o.Destination, "destination", "destination_type").Under("operator")...)
	}
	if b.PIN != "" && !isHashedPIN(b.PIN) {
		problems.add("pin", "the PIN must be 4 to 12 digits")
	}
	if b.Notify != nil {
		problems = append(problems, b.Notify.Validate().Under("notify")...)
	}
	if b.MWIDevice != "" {
		problems.checkID("mwi_device", b.MWIDevice)
	}
	for i, id := range b.MWIDevices {
		if !ValidID(id) {
			problems.add(fmt.Sprintf("mwi_devices[%d]", i), "%q is not the id of a device; use 1 to 64 letters, digits, _ and -", shorten(id))
		}
	}
	if len(b.MWIDevices) > maxEntries {
		problems.add("mwi_devices", "a list has at most %d entries; this one has %d", maxEntries, len(b.MWIDevices))
	}
	return problems
}

// lights says whether the box asks for the lamp of a device.
func (b *VoicemailBox) lights(device string) bool {
	return b.MWIDevice == device || slices.Contains(b.MWIDevices, device)
}

// Zone is where the owner of the box lives.
func (b *VoicemailBox) Zone() *time.Location {
	if zone, err := loadZone(b.Timezone); err == nil && b.Timezone != "" {
		return zone
	}
	return time.UTC
}

// Welcome is the greeting that callers hear: the one that its owner has
// recorded, or the one that was written.
func (b *VoicemailBox) Welcome() string {
	if b.RecordedGreeting != "" {
		return b.RecordedGreeting
	}
	return b.Greeting
}

// PlainWebhooks tells every webhook of the box that is called without TLS.
func (b *VoicemailBox) PlainWebhooks() Problems {
	var problems Problems
	if b.Notify != nil {
		problems.checkPlain(ToWebhook, b.Notify.Webhook, "notify.webhook")
	}
	if b.Operator != nil {
		problems.checkPlain(b.Operator.DestinationType, b.Operator.Destination, "operator.destination")
	}
	return problems
}
