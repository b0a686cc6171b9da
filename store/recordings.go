package store

import (
	"context"
	"time"

	"go.etcd.io/bbolt"

	"b2bua/events"
)

// Recording is what is known of a recording; its audio is a file.
type Recording struct {
	ID          string     `json:"recording_id"`
	CallID      string     `json:"call_id"`
	Status      string     `json:"status"` // recording | paused | completed | failed | absent
	Format      string     `json:"format"`
	Participant string     `json:"participant,omitempty"`
	Channels    int        `json:"channels"`
	SampleRate  int        `json:"sample_rate"`
	Bitrate     int        `json:"bitrate,omitempty"`
	Duration    float64    `json:"duration"` // seconds
	Size        int64      `json:"size"`     // bytes
	SHA256      string     `json:"sha256,omitempty"`
	Dropped     uint64     `json:"dropped,omitempty"` // frames lost
	Warning     string     `json:"warning,omitempty"`
	Error       string     `json:"error,omitempty"`
	Path        string     `json:"path,omitempty"` // of the file; never shown to clients
	StartedAt   time.Time  `json:"started_at,omitzero"`
	EndedAt     time.Time  `json:"ended_at,omitzero"`
	Reason      string     `json:"reason,omitempty"`     // why it ended
	ExpiresAt   *time.Time `json:"expires_at,omitempty"` // when it is deleted
	Head        []byte     `json:"head,omitempty"`       // while it runs, as JSON: the head of what is told should its process be killed; never shown to clients
	CreatedAt   time.Time  `json:"created_at,omitzero"`
	UpdatedAt   time.Time  `json:"updated_at,omitzero"`
	Revision    int        `json:"revision,omitempty"`
}

var recordingKind = recordKind[Recording]{
	bucket: "recordings", name: "recording", prefix: "rec_",
	meta: func(x *Recording) meta {
		return meta{&x.ID, &x.CreatedAt, &x.UpdatedAt, &x.Revision}
	},
	owner: func(x *Recording) string { return x.CallID },
}

// Told is what is told of the recording's end.
func (r *Recording) Told() *events.Recording {
	f := &events.Recording{
		Event: events.RecordingCompleted, RecordingID: r.ID, Status: r.Status, Format: r.Format, Channels: r.Channels,
		Duration: r.Duration, Size: r.Size, SHA256: r.SHA256, Dropped: r.Dropped, Reason: r.Reason, Error: r.Error, At: r.EndedAt,
	}
	if r.Size > 0 {
		f.URL = "/v2/recordings/" + r.ID + "/audio"
	}
	if r.Status != "completed" {
		f.Event = events.RecordingFailed
	}
	return f
}

// CompleteRecording keeps the last state of a recording together with the event
// that tells of it: both are kept, or neither.
func (s *Store) CompleteRecording(ctx context.Context, r *Recording, told events.Event) error {
	return s.recordings.save(ctx, r, func(tx *bbolt.Tx) error { return putUntold(tx, told) })
}

// Recordings are the index of all recordings; their owners are calls.
func (s *Store) Recordings() *Records[Recording] { return s.recordings }

// Message is a voicemail message; its audio is a file.
type Message struct {
	ID         string    `json:"message_id"`
	BoxID      string    `json:"voicemail_box_id"`
	CallID     string    `json:"call_id"`
	From       string    `json:"from"`
	FromName   string    `json:"from_name,omitempty"`
	Read       bool      `json:"read"`
	Format     string    `json:"format"`
	Channels   int       `json:"channels"`
	SampleRate int       `json:"sample_rate"`
	Duration   float64   `json:"duration"` // seconds
	Size       int64     `json:"size"`     // bytes
	SHA256     string    `json:"sha256,omitempty"`
	Warning    string    `json:"warning,omitempty"`
	Path       string    `json:"path,omitempty"` // of the file; never shown to clients
	CreatedAt  time.Time `json:"created_at,omitzero"`
	UpdatedAt  time.Time `json:"updated_at,omitzero"`
	Revision   int       `json:"revision,omitempty"`
}

var messageKind = recordKind[Message]{
	bucket: "messages", name: "message", prefix: "msg_",
	meta: func(x *Message) meta {
		return meta{&x.ID, &x.CreatedAt, &x.UpdatedAt, &x.Revision}
	},
	owner: func(x *Message) string { return x.BoxID },
}

// Messages are the index of all voicemail messages; their owners are boxes.
func (s *Store) Messages() *Records[Message] { return s.messages }
