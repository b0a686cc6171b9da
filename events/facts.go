package events

import "time"

// Head is what every fact says first: which call, and where in its story.
type Head struct {
	CallID       string            `json:"call_id"`
	Sequence     int               `json:"sequence"` // per call, from 1
	CallFlowID   string            `json:"call_flow_id,omitempty"`
	FlowRevision int               `json:"flow_revision,omitempty"`
	Tags         map[string]string `json:"tags,omitempty"` // not to be changed after Publish
}

// Header gives every fact that embeds a Head its part of the Fact interface.
func (h *Head) Header() *Head { return h }

// Fact is something that happened to a call. Facts are pointers and are not
// changed once they are published: all listeners share them.
type Fact interface {
	Name() Name
	Header() *Head
}

// timed is a fact that carries moments, so that they can be brought to the
// precision events are told in.
type timed interface{ times() []*time.Time }

// Initiated says that a call came in or was placed.
type Initiated struct {
	Head
	CallType     string    `json:"call_type"` // inbound | outbound
	From         string    `json:"from"`
	To           string    `json:"to"`
	Verstat      string    `json:"verstat,omitempty"`       // of calls from trunks: passed | failed | none
	Attestation  string    `json:"attestation,omitempty"`   // A | B | C, of a number that passed
	DivertedFrom string    `json:"diverted_from,omitempty"` // the number that sent the call on last
	InitiatedAt  time.Time `json:"initiated_at"`
}

// Ringing says that somebody is being rung, or that the caller hears ringing.
type Ringing struct {
	Head
	RingingAt time.Time `json:"ringing_at"`
}

// Answered says that the call was answered, and by whom: a number, a device, a
// menu, a voicemail box or "application".
type Answered struct {
	Head
	AnsweredBy string    `json:"answered_by"`
	AnsweredAt time.Time `json:"answered_at"`
}

// Routed says which way the call was sent and why. RuleIndex is the rule's
// place in the flow, from 0; nil when a menu option, fallback, webhook or API
// command chose.
type Routed struct {
	Head
	RuleIndex       *int   `json:"rule_index"`
	Pattern         string `json:"pattern,omitempty"`
	Destination     string `json:"destination"`
	DestinationType string `json:"destination_type"`
	Because         string `json:"because"`
}

// Bridged says that the caller and another party hear each other.
type Bridged struct {
	Head
	BridgedTo string    `json:"bridged_to"`
	BridgedAt time.Time `json:"bridged_at"`
}

// DTMF says that a key was pressed. It is not told while a sensitive menu
// collects.
type DTMF struct {
	Head
	Digit      string `json:"digit"`
	DurationMS int64  `json:"duration_ms"`
	Method     string `json:"method"` // rfc4733 | inband | info
}

// Gathered is the result of a menu or of gather-dtmf. Digits stay empty when
// the menu is sensitive.
type Gathered struct {
	Head
	MenuID     string `json:"menu_id,omitempty"`
	Digits     string `json:"digits"`
	Terminator string `json:"terminator"`
	Reason     string `json:"reason"`
	Attempts   int    `json:"attempts"`
	BargedIn   bool   `json:"barged_in"`
	DurationMS int64  `json:"duration_ms"`
}

// Held says that one party put the other on hold.
type Held struct {
	Head
	By     string    `json:"by"` // caller | callee | api
	HeldAt time.Time `json:"held_at"`
}

// Resumed says that a hold ended. One of the API's also ends when the party
// leaves that the caller talked to.
type Resumed struct {
	Head
	By        string    `json:"by"`
	ResumedAt time.Time `json:"resumed_at"`
}

// Transferred tells how a transfer came out.
type Transferred struct {
	Head
	Destination     string    `json:"destination"`
	DestinationType string    `json:"destination_type"`
	TransferType    string    `json:"transfer_type"` // blind | attended
	By              string    `json:"by"`            // caller | callee | api
	Result          string    `json:"result"`
	SIPCode         int       `json:"sip_code,omitempty"`
	SIPReason       string    `json:"sip_reason,omitempty"`
	TransferredAt   time.Time `json:"transferred_at"`
}

// Completed ends the story of a call that was answered. Of Completed and
// Failed exactly one is told, once, and nothing of the call's own after it.
type Completed struct {
	Head
	Duration         float64   `json:"duration"` // seconds, from answer to end
	CompletionReason string    `json:"completion_reason"`
	HangupSource     string    `json:"hangup_source"` // caller | callee | system | api
	SIPCode          int       `json:"sip_code,omitempty"`
	SIPReason        string    `json:"sip_reason,omitempty"`
	Quality          []Quality `json:"quality,omitempty"` // of the sound, leg by leg
	EndedAt          time.Time `json:"ended_at"`
}

// Failed ends the story of a call that reached nobody.
type Failed struct {
	Head
	FailureReason string    `json:"failure_reason"`
	HangupSource  string    `json:"hangup_source,omitempty"`
	SIPCode       int       `json:"sip_code,omitempty"`
	SIPReason     string    `json:"sip_reason,omitempty"`
	Attempts      []Attempt `json:"attempts"`
	EndedAt       time.Time `json:"ended_at"`
}

// Recording tells of a recording. Event is one of the recording names.
type Recording struct {
	Head
	Event       Name      `json:"-"`
	RecordingID string    `json:"recording_id"`
	Status      string    `json:"status"` // recording | paused | completed | failed
	Format      string    `json:"format,omitempty"`
	Channels    int       `json:"channels,omitempty"`
	Duration    float64   `json:"duration,omitempty"` // seconds
	Size        int64     `json:"size,omitempty"`     // bytes
	SHA256      string    `json:"sha256,omitempty"`
	Dropped     uint64    `json:"dropped,omitempty"` // frames lost because encoder or disk were too slow
	URL         string    `json:"url,omitempty"`     // path of the audio below the API's address
	Reason      string    `json:"reason,omitempty"`  // stopped | max_duration | disk_full | write_failed | interrupted
	Error       string    `json:"error,omitempty"`
	At          time.Time `json:"at"`
}

// Voicemail tells of a message. Event is one of the voicemail names.
type Voicemail struct {
	Head
	Event          Name      `json:"-"`
	MessageID      string    `json:"message_id,omitempty"`
	VoicemailBoxID string    `json:"voicemail_box_id"`
	From           string    `json:"from"`
	Duration       float64   `json:"duration"` // seconds
	RecordingID    string    `json:"recording_id,omitempty"`
	URL            string    `json:"url,omitempty"`
	Reason         string    `json:"reason,omitempty"`
	At             time.Time `json:"at"`
}

// Playback tells of audio played by an API command. Event is one of the
// playback names.
type Playback struct {
	Head
	Event      Name      `json:"-"`
	PlaybackID string    `json:"playback_id"`
	Reason     string    `json:"reason,omitempty"`   // finished | stopped | interrupted | failed
	Duration   float64   `json:"duration,omitempty"` // seconds played
	At         time.Time `json:"at"`
}

// Test is told to one endpoint, on request, and belongs to no call.
type Test struct {
	Head
	WebhookID string `json:"webhook_id"`
	Message   string `json:"message"`
}
