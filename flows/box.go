package flows

import "time"

// VoicemailBox takes messages.
type VoicemailBox struct {
	ID          string    `json:"voicemail_box_id"`
	Name        string    `json:"name"`
	Greeting    string    `json:"greeting,omitempty"`
	Prompt      string    `json:"prompt,omitempty"`
	MaxDuration int       `json:"max_duration,omitempty"` // seconds, 120
	MinDuration int       `json:"min_duration,omitempty"` // seconds of speech, 2
	MaxSilence  int       `json:"max_silence,omitempty"`  // seconds, 10
	MaxMessages int       `json:"max_messages,omitempty"` // 100
	Language    string    `json:"language,omitempty"`
	Voice       string    `json:"voice,omitempty"`
	MWIDevice   string    `json:"mwi_device,omitempty"` // a device that is told of new messages, besides those whose box it is
	CreatedAt   time.Time `json:"created_at,omitzero"`
	UpdatedAt   time.Time `json:"updated_at,omitzero"`
	Revision    int       `json:"revision,omitempty"`
}

// ApplyDefaults fills in what was left out.
func (b *VoicemailBox) ApplyDefaults() {
	orElse(&b.MaxDuration, 120)
	orElse(&b.MinDuration, 2)
	orElse(&b.MaxSilence, 10)
	orElse(&b.MaxMessages, 100)
	orElse(&b.Language, DefaultLanguage)
}

// Validate tells everything that is wrong with the box.
func (b *VoicemailBox) Validate() Problems {
	var problems Problems
	problems.checkID("voicemail_box_id", b.ID)
	problems.checkName(b.Name)
	problems.addIf("greeting", checkSpeech(b.Greeting))
	problems.addIf("prompt", checkSpeech(b.Prompt))
	problems.checkMost("max_duration", b.MaxDuration, 3600)
	problems.checkMost("min_duration", b.MinDuration, 60)
	if b.MaxDuration > 0 && b.MinDuration > b.MaxDuration {
		problems.add("min_duration", "min_duration is %d, more than max_duration, which is %d; lower it", b.MinDuration, b.MaxDuration)
	}
	problems.checkMost("max_silence", b.MaxSilence, 300)
	problems.checkMost("max_messages", b.MaxMessages, 10000)
	if b.MWIDevice != "" {
		problems.checkID("mwi_device", b.MWIDevice)
	}
	problems.checkVoice(b.Language, b.Voice)
	return problems
}
