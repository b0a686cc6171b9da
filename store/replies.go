package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"b2bua/events"
)

// ReplyAge is how long the reply to a request with an Idempotency-Key is kept.
const ReplyAge = 24 * time.Hour

// Reply is an HTTP reply that is given again to the same request.
type Reply struct {
	Status int                 `json:"status"`
	Header map[string][]string `json:"header,omitempty"`
	Body   []byte              `json:"body,omitempty"`
}

// keptReply is a reply in the file.
type keptReply struct {
	Print []byte    `json:"print"` // SHA-256 of the request
	At    time.Time `json:"at"`
	Reply Reply     `json:"reply"`
}

// replies knows which requests are being worked on.
type replies struct {
	mu      sync.Mutex
	running map[string][sha256.Size]byte
}

// Claim is the right, and the duty, to work on a request: end it with Keep or
// Release.
type Claim struct {
	s     *Store
	key   string
	print [sha256.Size]byte
	once  sync.Once
}

// ClaimReply begins a request with an Idempotency-Key. key must hold whose key
// it is, too; request is all that makes two requests the same (method, path,
// body). It gives the reply kept from the same request, or a claim to work on
// it. Another request under the same key is an ErrConflict, the same request
// still running ErrBusy.
func (s *Store) ClaimReply(key string, request []byte) (*Claim, *Reply, error) {
	print := sha256.Sum256(request)
	s.replies.mu.Lock()
	defer s.replies.mu.Unlock()
	if running, ok := s.replies.running[key]; ok {
		if running != print {
			return nil, nil, fmt.Errorf("the Idempotency-Key belongs to another request: %w", ErrConflict)
		}
		return nil, nil, ErrBusy
	}
	kept, err := s.keptReply(key)
	if err != nil {
		return nil, nil, err
	}
	if kept != nil && s.now().Sub(kept.At) < ReplyAge {
		if !bytes.Equal(kept.Print, print[:]) {
			return nil, nil, fmt.Errorf("the Idempotency-Key belongs to another request: %w", ErrConflict)
		}
		return nil, &kept.Reply, nil
	}
	if s.replies.running == nil {
		s.replies.running = make(map[string][sha256.Size]byte)
	}
	s.replies.running[key] = print
	return &Claim{s: s, key: key, print: print}, nil, nil
}

// Keep keeps the reply for ReplyAge and ends the claim.
func (c *Claim) Keep(ctx context.Context, r Reply) error {
	defer c.Release()
	raw, err := json.Marshal(keptReply{Print: c.print[:], At: events.Moment(c.s.now()), Reply: r})
	if err != nil {
		return fmt.Errorf("keep reply: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	err = c.s.batch(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte(bucketReplies)).Put(replyKey(c.key), raw)
	})
	return storageError("keep reply", err)
}

// Release ends the claim without a reply: the same request may be tried again.
// After Keep it does nothing.
func (c *Claim) Release() {
	c.once.Do(func() {
		c.s.replies.mu.Lock()
		defer c.s.replies.mu.Unlock()
		delete(c.s.replies.running, c.key)
	})
}

// replyKey is the key's hash: clients may send keys longer than bbolt takes.
func replyKey(key string) []byte {
	sum := sha256.Sum256([]byte(key))
	return sum[:]
}

func (s *Store) keptReply(key string) (kept *keptReply, err error) {
	err = s.view(func(tx *bbolt.Tx) error {
		raw := tx.Bucket([]byte(bucketReplies)).Get(replyKey(key))
		if raw == nil {
			return nil
		}
		kept = new(keptReply)
		return json.Unmarshal(raw, kept)
	})
	return kept, err
}
