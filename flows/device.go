package flows

import "time"

// Device is a phone that registers here.
type Device struct {
	ID             string    `json:"device_id"`
	Username       string    `json:"username"`
	Password       string    `json:"password,omitempty"`
	DisplayName    string    `json:"display_name,omitempty"`
	Number         string    `json:"number,omitempty"`
	VoicemailBoxID string    `json:"voicemail_box_id,omitempty"`
	CreatedAt      time.Time `json:"created_at,omitzero"`
	UpdatedAt      time.Time `json:"updated_at,omitzero"`
	Revision       int       `json:"revision,omitempty"`
}

// ApplyDefaults fills in what was left out.
func (d *Device) ApplyDefaults() {
	orElse(&d.DisplayName, d.Username)
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
	problems.addIf("password", checkText(d.Password, 128))
	problems.addIf("display_name", checkText(d.DisplayName, 100))
	if d.Number != "" {
		problems.checkNumber("number", d.Number)
	}
	if d.VoicemailBoxID != "" {
		problems.checkID("voicemail_box_id", d.VoicemailBoxID)
	}
	return problems
}
