package digest

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"sync"
	"time"
)

// sealer makes nonces that carry their own proof: nothing is remembered of a
// challenge until somebody answers it with the right password.
type sealer struct {
	key   [32]byte
	decoy string // the password unknown users are checked against
}

func newSealer() sealer {
	var s sealer
	var decoy [16]byte
	_, _ = rand.Read(s.key[:]) // never fails (crypto/rand)
	_, _ = rand.Read(decoy[:])
	s.decoy = hex.EncodeToString(decoy[:])
	return s
}

const (
	saltSize  = 8
	proofSize = 16
	nonceSize = 8 + saltSize + proofSize
)

func (s sealer) issue(now time.Time, source string) string {
	var b [nonceSize]byte
	binary.BigEndian.PutUint64(b[:8], uint64(now.UnixNano()))
	_, _ = rand.Read(b[8 : 8+saltSize])
	copy(b[8+saltSize:], s.proof(b[:8+saltSize], source))
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// open tells when a nonce was issued, if it was issued by us to this source.
func (s sealer) open(nonce, source string) (issued time.Time, ok bool) {
	var b [nonceSize]byte
	if len(nonce) != base64.RawURLEncoding.EncodedLen(nonceSize) {
		return time.Time{}, false
	}
	if _, err := base64.RawURLEncoding.Strict().Decode(b[:], []byte(nonce)); err != nil {
		return time.Time{}, false
	}
	if !hmac.Equal(b[8+saltSize:], s.proof(b[:8+saltSize], source)) {
		return time.Time{}, false
	}
	return time.Unix(0, int64(binary.BigEndian.Uint64(b[:8]))), true
}

func (s sealer) proof(head []byte, source string) []byte {
	m := hmac.New(sha256.New, s.key[:])
	m.Write(head)
	m.Write([]byte(source))
	return m.Sum(nil)[:proofSize]
}

const maxCounters = 8192

// counters remembers the highest nc of each nonce that was answered rightly, so
// that no request can be replayed (RFC 7616 §5.12). When it is full the oldest
// nonce is forgotten together with every nonce issued before it: those are stale
// from then on, so forgetting never opens a replay.
type counters struct {
	mu      sync.Mutex
	limit   int
	highest map[string]uint32
	queue   []counted // by time of first use, which is nearly that of issue
	oldest  time.Time // nonces issued up to here are no longer accepted
}

type counted struct {
	nonce  string
	issued time.Time
}

func newCounters(limit int) counters {
	return counters{limit: limit, highest: map[string]uint32{}}
}

// rise accepts nc when it is higher than any before.
func (c *counters) rise(nonce string, issued time.Time, nc uint32) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	last, known := c.highest[nonce]
	if known {
		if nc <= last {
			return false
		}
		c.highest[nonce] = nc
		return true
	}
	if !issued.After(c.oldest) {
		return false
	}
	if len(c.queue) == c.limit {
		c.forget()
	}
	c.highest[nonce] = nc
	c.queue = append(c.queue, counted{nonce, issued})
	return true
}

func (c *counters) forget() {
	// A quarter at a time, so that the cost of moving the queue is spread.
	n := max(c.limit/4, 1)
	for _, q := range c.queue[:n] {
		delete(c.highest, q.nonce)
		if q.issued.After(c.oldest) {
			c.oldest = q.issued
		}
	}
	c.queue = append(c.queue[:0], c.queue[n:]...)
}
