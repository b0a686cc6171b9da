package store

import "time"

// Recording is what is known of a recording; its audio is a file.
type Recording struct {
	ID          string    `json:"recording_id"`
	CallID      string    `json:"call_id"`
	Status      string    `json:"status"` // recording | paused | completed | failed | absent
	Format      string    `json:"format"`
	Participant string    `json:"participant,omitempty"`
	Channels    int       `json:"channels"`
	SampleRate  int       `json:"sample_rate"`
	Bitrate     int       `json:"bitrate,omitempty"`
	Duration    float64   `json:"duration"` // seconds
	Size        int64     `json:"size"`     // bytes
	SHA256      string    `json:"sha256,omitempty"`
	Dropped     uint64    `json:"dropped,omitempty"` // frames lost
	Warning     string    `json:"warning,omitempty"`
	Error       string    `json:"error,omitempty"`
	Path        string    `json:"path,omitempty"` // of the file; never shown to clients
	StartedAt   time.Time `json:"started_at,omitzero"`
	EndedAt     time.Time `json:"ended_at,omitzero"`
	CreatedAt   time.Time `json:"created_at,omitzero"`
	UpdatedAt   time.Time `json:"updated_at,omitzero"`
	Revision    int       `json:"revision,omitempty"`
}

var recordingKind = recordKind[Recording]{
	bucket: "recordings", name: "recording", prefix: "rec_",
	meta: func(x *Recording) meta {
		return meta{&x.ID, &x.CreatedAt, &x.UpdatedAt, &x.Revision}
	},
	owner: func(x *Recording) string { return x.CallID },
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
