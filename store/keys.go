package store

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"time"

	"b2bua/events"
	"b2bua/flows"
)

// Scope is what an API key may do; each includes those before it.
type Scope string

// The scopes.
const (
	ScopeRead  Scope = "read"
	ScopeWrite Scope = "write"
	ScopeAdmin Scope = "admin"
)

var scopeRank = map[Scope]int{ScopeRead: 1, ScopeWrite: 2, ScopeAdmin: 3}

// Allows reports whether a key of this scope may do what need asks for.
func (s Scope) Allows(need Scope) bool {
	return scopeRank[need] > 0 && scopeRank[s] >= scopeRank[need]
}

// APIKey is a key without the key: only its hash is kept. A key has at least
// 128 random bits, so a plain SHA-256 cannot be searched.
type APIKey struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Scope     Scope      `json:"scope"`
	Hint      string     `json:"hint"`           // the first characters, to recognise it by
	Hash      string     `json:"hash,omitempty"` // hex SHA-256; never shown to clients
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
	CreatedAt time.Time  `json:"created_at,omitzero"`
	UpdatedAt time.Time  `json:"updated_at,omitzero"`
	Revision  int        `json:"revision,omitempty"`
}

const (
	keyPrefix = "b2b_"
	// configKeyID is the id of the key given in the config file.
	configKeyID = "key_config"
	// minConfigured is how long a key given in the config file must be.
	minConfigured = 16
)

var keyKind = kind[APIKey]{
	bucket: "api_keys", name: "API key", idField: "id", prefix: "key_",
	meta: func(x *APIKey) meta {
		return meta{&x.ID, &x.CreatedAt, &x.UpdatedAt, &x.Revision}
	},
	defaults: func(*APIKey) {},
	validate: func(x *APIKey) flows.Problems {
		var problems flows.Problems
		if x.Name == "" || len(x.Name) > 100 {
			problems = append(problems, flows.Problem{Path: "name", Slug: flows.SlugInvalidRequest, Message: "a name of 1 to 100 bytes is wanted"})
		}
		if scopeRank[x.Scope] == 0 {
			problems = append(problems, flows.Problem{Path: "scope", Slug: flows.SlugInvalidRequest, Message: "the scope is read, write or admin"})
		}
		if len(x.Hash) != hex.EncodedLen(sha256.Size) {
			problems = append(problems, flows.Problem{Path: "hash", Slug: flows.SlugInvalidRequest, Message: "a key is made by CreateKey"})
		}
		return problems
	},
}

// Keys are the API keys, for listing, renaming and deleting them.
func (s *Store) Keys() *Collection[APIKey] { return s.keys }

// CreateKey makes an API key. The secret is given once and not kept.
func (s *Store) CreateKey(ctx context.Context, name string, scope Scope) (secret string, key *APIKey, err error) {
	secret = events.NewID(keyPrefix)
	key = newKey(secret, name, scope)
	if err := s.keys.Create(ctx, key); err != nil {
		return "", nil, err
	}
	return secret, key, nil
}

func newKey(secret, name string, scope Scope) *APIKey {
	return &APIKey{Name: name, Scope: scope, Hint: hint(secret), Hash: hash(secret)}
}

func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// hint shows at most a quarter of a secret.
func hint(secret string) string { return secret[:min(8, len(secret)/4)] + "…" }

// FindKey is the key a client presents, unless it is unknown or revoked. It
// takes the same time for every secret: all hashes are compared, in full.
func (s *Store) FindKey(secret string) (*APIKey, bool) {
	sum := []byte(hash(secret))
	var found *entry[APIKey]
	for _, e := range s.keys.set.Load().order {
		if subtle.ConstantTimeCompare(sum, []byte(e.value.Hash)) == 1 && e.value.RevokedAt == nil {
			found = e
		}
	}
	if found == nil {
		return nil, false
	}
	key, err := found.copy()
	return key, err == nil
}

// RevokeKey makes a key useless for ever; it stays in the list.
func (s *Store) RevokeKey(ctx context.Context, id string) error {
	_, err := s.keys.Update(ctx, id, "", func(k *APIKey) error {
		if k.RevokedAt == nil {
			now := events.Moment(s.now())
			k.RevokedAt = &now
		}
		return nil
	})
	return err
}

// EnsureAdminKey sees to it that somebody can administer. A key configured is
// taken as it is, and the one configured before ends. Without one, and when no
// admin key is there (on the very first start), it makes one, to be shown once.
func (s *Store) EnsureAdminKey(configured string) (made string, err error) {
	ctx := context.Background()
	if err := s.setConfigKey(ctx, configured); err != nil {
		return "", fmt.Errorf("configured admin key: %w", err)
	}
	if s.hasAdmin() {
		return "", nil
	}
	made, _, err = s.CreateKey(ctx, "first admin key", ScopeAdmin)
	return made, err
}

func (s *Store) hasAdmin() bool {
	for _, e := range s.keys.set.Load().order {
		if e.value.Scope == ScopeAdmin && e.value.RevokedAt == nil {
			return true
		}
	}
	return false
}

func (s *Store) setConfigKey(ctx context.Context, secret string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.keys.set.Load().byID[configKeyID]
	if secret != "" && len(secret) < minConfigured {
		return invalid("http.admin_key", flows.SlugInvalidRequest, "the key is shorter than %d characters", minConfigured)
	}
	if old == nil && secret == "" || old != nil && old.value.Hash == hash(secret) {
		return nil
	}
	var b batch
	next := s.keys.set.Load()
	if old != nil {
		next = s.keys.remove(&b, next, configKeyID)
	}
	if secret != "" {
		key := newKey(secret, "from the config file", ScopeAdmin)
		key.ID = configKeyID
		key.CreatedAt = s.stamp()
		key.UpdatedAt, key.Revision = key.CreatedAt, 1
		e, err := s.keys.newEntry(key, originConfig)
		if err != nil {
			return err
		}
		s.keys.add(&b, next, e)
	}
	return s.commit(ctx, &b)
}
