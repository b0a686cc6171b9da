package flows

import (
	"cmp"
	"time"
)

// CallFlow says how the calls to a number are handled.
type CallFlow struct {
	ID            string            `json:"call_flow_id"`
	Name          string            `json:"name"`
	PhoneNumber   string            `json:"phone_number,omitempty"`
	Description   string            `json:"description,omitempty"`
	Active        bool              `json:"active"`
	Routing       []Rule            `json:"routing"`
	Recording     *Recording        `json:"recording,omitempty"`
	Timezone      string            `json:"timezone,omitempty"` // IANA zone of spoken times; UTC when empty
	Tags          map[string]string `json:"tags,omitempty"`
	Tests         []FlowTest        `json:"tests,omitempty"`
	TestsRequired bool              `json:"tests_required,omitempty"` // the flow is saved only when its tests hold
	CreatedAt     time.Time         `json:"created_at,omitzero"`
	UpdatedAt     time.Time         `json:"updated_at,omitzero"`
	Revision      int               `json:"revision,omitempty"`
}

// NewCallFlow is the flow to decode a create or replace body onto: a flow is
// active unless the body says otherwise.
func NewCallFlow() *CallFlow { return &CallFlow{Active: true} }

// Rule sends the calls that its pattern and conditions select to a destination.
type Rule struct {
	Pattern         string          `json:"pattern"`
	Destination     string          `json:"destination"`
	DestinationType DestinationType `json:"destination_type"`
	Conditions      *Conditions     `json:"conditions,omitempty"`
	Fallback        *Fallback       `json:"fallback,omitempty"`
	Reason          string          `json:"reason,omitempty"` // of hangup and reject
}

// Fallback is where a call goes when its destination could not be reached.
type Fallback struct {
	Timeout  int             `json:"timeout,omitempty"` // seconds of ringing before it; 0 means DefaultRing
	Action   DestinationType `json:"action"`
	ActionID string          `json:"action_id,omitempty"`
}

// Conditions select calls; all that are given must hold. A list of numbers holds
// when the caller is in it: an empty one selects nobody, a missing one does not
// look at the caller.
type Conditions struct {
	TimeRange      *TimeRange `json:"time_range,omitempty"`
	BlockedNumbers []string   `json:"blocked_numbers,omitzero"`
	AllowedNumbers []string   `json:"allowed_numbers,omitzero"`
	Anonymous      *bool      `json:"anonymous,omitempty"`
	Calendar       string     `json:"calendar,omitempty"`       // id of a calendar
	CalendarState  string     `json:"calendar_state,omitempty"` // open (default) | closed
	Verstat        []string   `json:"verstat,omitzero"`         // passed | failed | none
}

// TimeRange holds from start up to, not including, end by the wall clock of its
// zone. An end before the start means overnight; days then name the day of the
// start.
type TimeRange struct {
	Start    string   `json:"start"`
	End      string   `json:"end"`
	Timezone string   `json:"timezone"`
	Days     []string `json:"days,omitempty"`
}

// Recording says whether and how calls are recorded.
type Recording struct {
	Enabled     bool   `json:"enabled"`
	Format      string `json:"format,omitempty"`       // mp3 (default) | wav
	Participant string `json:"participant,omitempty"`  // all (default) | caller | callee
	Channels    string `json:"channels,omitempty"`     // mono (default) | dual: caller left, callee right
	SampleRate  int    `json:"sample_rate,omitempty"`  // hertz; mp3 16000, wav 8000
	Bitrate     int    `json:"bitrate,omitempty"`      // of mp3, bit/s; 32000 for each channel
	Start       string `json:"start,omitempty"`        // on_answer (default) | on_bridge
	MaxDuration int    `json:"max_duration,omitempty"` // seconds, 14400
	Beep        bool   `json:"beep,omitempty"`         // a tone at the start
	Announce    string `json:"announce,omitempty"`     // what the parties are told at the start
	Language    string `json:"language,omitempty"`     // of announce
	Voice       string `json:"voice,omitempty"`
	PauseMode   string `json:"pause_mode,omitempty"` // silence (default) | skip
	// RetentionDays is for how long the recording is kept; 0: as configured.
	RetentionDays int `json:"retention_days,omitempty"`
}

// When a flow's recording starts.
const (
	RecordOnAnswer = "on_answer"
	RecordOnBridge = "on_bridge"
)

// Begins is when the recording starts.
func (r *Recording) Begins() string { return cmp.Or(r.Start, RecordOnAnswer) }

const (
	// DefaultRing is how long a destination rings when no fallback says.
	DefaultRing = 60 * time.Second
	// DefaultApplication is how long a call waits for API control.
	DefaultApplication = 60 * time.Second
	// DefaultBoxID is the voicemail box that exists from the first start.
	DefaultBoxID = "voicemail_default"
	// DefaultLanguage is the language of everything spoken, unless one is named.
	DefaultLanguage = "en-US"
)

// DestinationType says what a destination is.
type DestinationType string

// The destination types. Those of the API's page first.
const (
	ToMenu        DestinationType = "ivr_menu"
	ToNumber      DestinationType = "phone_number"
	ToVoicemail   DestinationType = "voicemail"
	ToQueue       DestinationType = "queue"
	ToWebhook     DestinationType = "webhook"
	ToDevice      DestinationType = "device"           // a device id, or the username it registers with
	ToSIP         DestinationType = "sip"              // a SIP URI
	ToRingGroup   DestinationType = "ring_group"       // a queue that rings everybody
	ToFlow        DestinationType = "call_flow"        // go on in another flow
	ToHangup      DestinationType = "hangup"           // destination (or reason): why
	ToReject      DestinationType = "reject"           // before answer; destination (or reason): the cause
	ToApplication DestinationType = "application"      // ring until API commands take over
	ToAccess      DestinationType = "voicemail_access" // an owner listens: a box, or * for the one that is asked for
	ToSay         DestinationType = "say"              // destination: the text to speak, with {time} and {date}
)
