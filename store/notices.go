package store

import (
	"encoding/json"
	"time"

	"go.etcd.io/bbolt"

	"b2bua/events"
)

// What carries a notice.
const (
	ByEmail   = "email"
	ByWebhook = "webhook"
)

// Notice is one thing to be sent to somebody because of a new message: it stays
// until it was sent, or until sending it makes no sense any more.
type Notice struct {
	ID        string          `json:"notice_id"`
	BoxID     string          `json:"voicemail_box_id"`
	MessageID string          `json:"message_id"`
	Carrier   string          `json:"carrier"` // email | webhook
	To        string          `json:"to"`
	Body      json.RawMessage `json:"body,omitempty"` // of a webhook
	Attempts  int             `json:"attempts"`
	DueAt     time.Time       `json:"due_at,omitzero"`
	Error     string          `json:"error,omitempty"` // of the last attempt
	CreatedAt time.Time       `json:"created_at,omitzero"`
	UpdatedAt time.Time       `json:"updated_at,omitzero"`
	Revision  int             `json:"revision,omitempty"`
}

var noticeKind = recordKind[Notice]{
	bucket: "notices", name: "notice", prefix: "note_",
	meta: func(x *Notice) meta {
		return meta{&x.ID, &x.CreatedAt, &x.UpdatedAt, &x.Revision}
	},
	owner: func(x *Notice) string { return x.BoxID },
}

// Notices are what is to be sent; their owners are boxes.
func (s *Store) Notices() *Records[Notice] { return s.notices }

// place puts a new record into the file, together with something else.
func (r *Records[T]) place(tx *bbolt.Tx, x *T) error {
	m := r.k.meta(x)
	if *m.id == "" {
		*m.id = events.NewID(r.k.prefix)
	}
	*m.created = events.Moment(r.s.now())
	*m.updated, *m.revision = *m.created, 1
	return r.write(tx, nil, x)
}
