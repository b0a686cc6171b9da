package api

import (
	"context"
	"time"

	"b2bua/flows"
	"b2bua/store"
)

// boxNoun is the row of voicemail boxes.
func (s *Server) boxNoun() noun[flows.VoicemailBox] {
	return noun[flows.VoicemailBox]{
		path: "/v2/voicemail-boxes", name: "Voicemail box", tag: "Voicemail", kind: flows.KindBox, idField: "voicemail_box_id",
		about: "A voicemail box greets a caller and takes a message.",
		rows:  s.Store.Boxes(), fresh: func() *flows.VoicemailBox { return new(flows.VoicemailBox) },
		id:    func(x *flows.VoicemailBox) string { return x.ID },
		gone:  func(ctx context.Context, id string) { s.deleteMessages(ctx, id) },
		aside: "status", more: s.boxStatus,
		hide: func(x *flows.VoicemailBox) { x.PIN = "" },
		keep: func(old, now *flows.VoicemailBox) {
			if now.PIN == "" {
				now.PIN = old.PIN
			}
		},
	}
}

// BoxStatus is how a voicemail box is at the moment. Replies show it beside what
// was configured.
type BoxStatus struct {
	Unread      int       `json:"unread" doc:"Messages that nobody has listened to"`
	Read        int       `json:"read" doc:"Messages that somebody has listened to"`
	HasPIN      bool      `json:"has_pin" doc:"Whether there is a PIN"`
	LockedUntil time.Time `json:"locked_until,omitzero" doc:"Until when no PIN is taken from strangers, after too many wrong ones; a new PIN ends that"`
}

// boxStatus is what replies add to a voicemail box.
func (s *Server) boxStatus(id string) any {
	box, err := s.Store.Boxes().Get(id)
	if err != nil {
		return nil
	}
	is := BoxStatus{HasPIN: box.PIN != "", LockedUntil: s.Store.PINLocked(box)}
	for cursor := ""; ; {
		page, next, err := s.Store.Messages().List(store.Query[store.Message]{Owner: id}, cursor, store.MaxPage)
		if err != nil {
			return nil // the box itself is still worth showing
		}
		for _, m := range page {
			if m.Read {
				is.Read++
			} else {
				is.Unread++
			}
		}
		if cursor = next; next == "" {
			break
		}
	}
	return struct {
		Status BoxStatus `json:"status"`
	}{is}
}
