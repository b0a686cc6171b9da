package store

import (
	"context"
	"time"

	"go.etcd.io/bbolt"

	"b2bua/events"
)

// What came of a delivery so far.
const (
	DeliveryRetrying  = "retrying"
	DeliveryDelivered = "delivered"
	DeliveryFailed    = "failed"  // the receiver refused it, or every attempt failed
	DeliveryDropped   = "dropped" // given up without asking: too many waiting, shutdown, webhook gone
)

// Delivery is one event on its way to one webhook, with all attempts.
type Delivery struct {
	ID            string            `json:"delivery_id"`
	WebhookID     string            `json:"webhook_id"`
	EventID       string            `json:"event_id"`
	Event         events.Name       `json:"event"`
	CallID        string            `json:"call_id,omitempty"`
	Result        string            `json:"result"`
	Reason        string            `json:"reason,omitempty"` // why it failed or was dropped
	Attempts      []DeliveryAttempt `json:"attempts"`
	NextAttemptAt *time.Time        `json:"next_attempt_at,omitempty"`
	CreatedAt     time.Time         `json:"created_at"`
	UpdatedAt     time.Time         `json:"updated_at"`
	Revision      int               `json:"-"`
}

// DeliveryAttempt is one request to the receiver.
type DeliveryAttempt struct {
	At         time.Time `json:"at"`
	StatusCode int       `json:"status_code,omitempty"`
	Error      string    `json:"error,omitempty"`
	DurationMS int64     `json:"duration_ms"`
}

var deliveryKind = recordKind[Delivery]{
	bucket: "deliveries", name: "delivery", prefix: "delv_",
	meta: func(x *Delivery) meta {
		return meta{&x.ID, &x.CreatedAt, &x.UpdatedAt, &x.Revision}
	},
	owner: func(x *Delivery) string { return x.WebhookID },
}

// Deliveries are the delivery log; the owners are webhooks. Of each webhook the
// last ones are kept (Options.DeliveryLog).
func (s *Store) Deliveries() *Records[Delivery] { return s.deliveries }

// SaveDeliveries adds to the delivery log, or brings it up to date, in one
// write. What belongs to a webhook that is deleted by now is left out.
func (s *Store) SaveDeliveries(ctx context.Context, list []Delivery) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := s.batch(func(tx *bbolt.Tx) error {
		owners := make(map[string]bool)
		for i := range list {
			d := &list[i]
			if tx.Bucket([]byte(bucketWebhooks)).Get([]byte(d.WebhookID)) == nil {
				continue
			}
			if d.ID == "" {
				d.ID = events.NewID(deliveryKind.prefix)
			}
			d.CreatedAt, d.UpdatedAt = events.Moment(d.CreatedAt), events.Moment(d.UpdatedAt)
			old, err := s.deliveries.find(tx, d.ID)
			if err != nil {
				return err
			}
			if err := s.deliveries.write(tx, old, d); err != nil {
				return err
			}
			owners[d.WebhookID] = true
		}
		for owner := range owners {
			if err := s.deliveries.trim(tx, owner, s.opt.DeliveryLog); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return storageError("save deliveries", err)
	}
	return nil
}

// trim leaves an owner only its newest records.
func (r *Records[T]) trim(tx *bbolt.Tx, owner string, keep int) error {
	surplus := r.count(tx, owner) - keep
	if surplus <= 0 {
		return nil
	}
	var old []position
	for w := r.walk(tx, Query[T]{Owner: owner}, position{}); len(old) < surplus; {
		at, ok := w.next()
		if !ok {
			break
		}
		old = append(old, at)
	}
	for _, at := range old {
		x, err := r.read(tx, at.id)
		if err != nil {
			return err
		}
		if err := r.erase(tx, x); err != nil {
			return err
		}
	}
	return nil
}
