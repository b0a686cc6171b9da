package events

import (
	"maps"
	"slices"
	"time"
)

// Status is the state of a call as its record shows it.
type Status = string

// The states a record goes through.
const (
	StatusInitiated  Status = "initiated"
	StatusRinging    Status = "ringing"
	StatusInProgress Status = "in_progress"
	StatusCompleted  Status = "completed"
	StatusFailed     Status = "failed"
)

// Attempt is one try to reach somebody.
type Attempt struct {
	Destination     string     `json:"destination"`
	DestinationType string     `json:"destination_type,omitempty"`
	Via             string     `json:"via,omitempty"` // the trunk or device tried
	StartedAt       time.Time  `json:"started_at"`
	RingingAt       *time.Time `json:"ringing_at,omitempty"`
	AnsweredAt      *time.Time `json:"answered_at,omitempty"`
	EndedAt         *time.Time `json:"ended_at,omitempty"`
	Result          string     `json:"result"`
	SIPCode         int        `json:"sip_code,omitempty"` // as the far end sent it
	SIPReason       string     `json:"sip_reason,omitempty"`
	Detail          string     `json:"detail,omitempty"`
	SIPCallID       string     `json:"sip_call_id,omitempty"` // of the leg
}

func (a *Attempt) times() []*time.Time {
	return present(&a.StartedAt, a.RingingAt, a.AnsweredAt, a.EndedAt)
}

// Quality is how the sound of one leg came here, and what the far end reported
// of ours.
type Quality struct {
	Leg        string  `json:"leg"`           // caller, or the destination that was reached
	Via        string  `json:"via,omitempty"` // its trunk or device
	Codec      string  `json:"codec"`
	Encryption string  `json:"encryption,omitempty"` // the crypto-suite of SRTP; none: in the clear
	Received   uint64  `json:"packets_received"`
	Sent       uint64  `json:"packets_sent"`
	Lost       float64 `json:"lost"`            // part of the packets that did not come, or too late, 0 to 1
	Jitter     float64 `json:"jitter"`          // seconds, of arrival (RFC 3550)
	RTT        float64 `json:"rtt,omitempty"`   // seconds there and back, by RTCP
	MOS        float64 `json:"mos,omitempty"`   // 1 to 4.5, estimated from the above (ITU-T G.107); left out when nothing came
	FarLost    float64 `json:"far_lost"`        // part of our packets that the far end missed, as it reported last
	Refused    uint64  `json:"packets_refused"` // from strangers, or with a wrong key
}

// Diversion is a number from which a call was sent on before it came here, and
// why, in the words of RFC 5806.
type Diversion struct {
	Number string `json:"number"`
	Reason string `json:"reason"`
}

// Problem is an error as the API shows it.
type Problem struct {
	Error   string `json:"error"`
	Message string `json:"message"`
	Code    int    `json:"code"`
}

// CallRecord is what is known of a call, live or ended.
type CallRecord struct {
	CallID           string            `json:"call_id"`
	CallType         string            `json:"call_type"` // inbound | outbound
	Status           Status            `json:"status"`
	From             string            `json:"from"`
	To               string            `json:"to"`
	CallFlowID       string            `json:"call_flow_id,omitempty"`
	FlowRevision     int               `json:"flow_revision,omitempty"`
	Tags             map[string]string `json:"tags,omitempty"`
	InitiatedAt      time.Time         `json:"initiated_at"`
	RingingAt        *time.Time        `json:"ringing_at,omitempty"`
	AnsweredAt       *time.Time        `json:"answered_at,omitempty"`
	EndedAt          *time.Time        `json:"ended_at,omitempty"`
	Duration         float64           `json:"duration"` // seconds, from answer to end
	AnsweredBy       string            `json:"answered_by,omitempty"`
	BridgedTo        string            `json:"bridged_to,omitempty"`
	CompletionReason string            `json:"completion_reason,omitempty"`
	FailureReason    string            `json:"failure_reason,omitempty"`
	HangupSource     string            `json:"hangup_source,omitempty"`
	SIPCode          int               `json:"sip_code,omitempty"`
	SIPReason        string            `json:"sip_reason,omitempty"`
	Trunk            string            `json:"trunk_id,omitempty"`  // the call came in by
	Device           string            `json:"device_id,omitempty"` // the call came in from
	SIPCallID        string            `json:"sip_call_id,omitempty"`
	ReplacedBy       []string          `json:"replaced_by,omitempty"` // Call-IDs of phones that took the caller's place
	Diversions       []Diversion       `json:"diversions,omitempty"`  // before it came here, the first one first
	Verstat          string            `json:"verstat,omitempty"`     // of calls from trunks: passed | failed | none
	Attestation      string            `json:"attestation,omitempty"` // A | B | C, of a number that passed
	Attempts         []Attempt         `json:"attempts,omitempty"`
	Recordings       []string          `json:"recordings,omitempty"`
	Quality          []Quality         `json:"quality,omitempty"` // of the sound, leg by leg
	Error            *Problem          `json:"error,omitempty"`
}

// Ended reports whether the call is over.
func (r *CallRecord) Ended() bool { return r.EndedAt != nil }

// Clone is a copy that shares nothing with r.
func (r CallRecord) Clone() CallRecord {
	r.Tags = maps.Clone(r.Tags)
	r.Attempts = slices.Clone(r.Attempts)
	for i := range r.Attempts {
		a := &r.Attempts[i]
		a.RingingAt, a.AnsweredAt, a.EndedAt = copied(a.RingingAt), copied(a.AnsweredAt), copied(a.EndedAt)
	}
	r.Recordings = slices.Clone(r.Recordings)
	r.ReplacedBy = slices.Clone(r.ReplacedBy)
	r.Quality = slices.Clone(r.Quality)
	r.Diversions = slices.Clone(r.Diversions)
	r.RingingAt, r.AnsweredAt, r.EndedAt = copied(r.RingingAt), copied(r.AnsweredAt), copied(r.EndedAt)
	r.Error = copied(r.Error)
	return r
}

// Round brings every moment of the record to the precision Moment gives.
func (r *CallRecord) Round() {
	ts := present(&r.InitiatedAt, r.RingingAt, r.AnsweredAt, r.EndedAt)
	for i := range r.Attempts {
		ts = append(ts, r.Attempts[i].times()...)
	}
	for _, t := range ts {
		*t = Moment(*t)
	}
}

func copied[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

func present(ts ...*time.Time) []*time.Time {
	return slices.DeleteFunc(ts, func(t *time.Time) bool { return t == nil })
}
