package store

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"

	"b2bua/events"
)

// ErrBoxFull says that a voicemail box takes no more messages.
var ErrBoxFull = errors.New("the voicemail box is full")

// Draft is a message that is being left. Whoever finds one at the start of the
// switch finds the file of a caller who was cut off, and makes a message of it.
type Draft struct {
	Message
	Head   events.Head `json:"head"`    // of the events of its call
	MinLen float64     `json:"min_len"` // seconds of sound below which it is none
}

var draftKind = recordKind[Draft]{
	bucket: "drafts", name: "draft of a message", prefix: "msg_",
	meta: func(x *Draft) meta {
		return meta{&x.ID, &x.CreatedAt, &x.UpdatedAt, &x.Revision}
	},
	owner: func(x *Draft) string { return x.BoxID },
}

// OpenDraft keeps a place in a box that holds at most so many messages, those
// that are being left counted in; ErrBoxFull when there is none.
func (s *Store) OpenDraft(ctx context.Context, d *Draft, most int) error {
	err := s.drafts.save(ctx, d, func(tx *bbolt.Tx) error {
		// The draft itself is counted.
		if s.messages.count(tx, d.BoxID)+s.drafts.count(tx, d.BoxID) > most {
			return ErrBoxFull
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("open a message: %w", err)
	}
	return nil
}

// DropDraft gives up a message; that there is none is fine.
func (s *Store) DropDraft(ctx context.Context, id string) error {
	if _, err := s.drafts.Delete(ctx, id, ""); err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("drop a message: %w", err)
	}
	return nil
}

// Drafts are all messages being left, or left over.
func (s *Store) Drafts() (all []*Draft, err error) {
	for cursor := ""; ; {
		page, next, err := s.drafts.List(Query[Draft]{}, cursor, MaxPage)
		if err != nil {
			return nil, fmt.Errorf("read what is left of messages: %w", err)
		}
		all = append(all, page...)
		if cursor = next; next == "" {
			return all, nil
		}
	}
}

// Receive makes a message of its draft, at once with the event that tells of it
// and with the notices that go out: all of it is kept, or nothing.
func (s *Store) Receive(ctx context.Context, m *Message, told events.Event, notices []*Notice) error {
	err := s.messages.save(ctx, m, func(tx *bbolt.Tx) error {
		if d, err := s.drafts.find(tx, m.ID); err != nil {
			return err
		} else if d != nil {
			if err := s.drafts.erase(tx, d); err != nil {
				return err
			}
		}
		if err := putUntold(tx, told); err != nil {
			return err
		}
		for _, n := range notices {
			if err := s.notices.place(tx, n); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep message %s: %w", m.ID, err)
	}
	return nil
}
