package store

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"b2bua/events"
	"b2bua/flows"
)

// Webhook is an endpoint that events are delivered to.
type Webhook struct {
	ID             string    `json:"id"`
	URL            string    `json:"url"`
	Events         []string  `json:"events"` // names, families such as "call.*", or "*"
	Description    string    `json:"description,omitempty"`
	Active         bool      `json:"active"`
	SigningSecret  string    `json:"signing_secret,omitempty"` // whsec_ and base64; shown when it is made
	DisabledReason string    `json:"disabled_reason,omitempty"`
	CreatedAt      time.Time `json:"created_at,omitzero"`
	UpdatedAt      time.Time `json:"updated_at,omitzero"`
	Revision       int       `json:"revision,omitempty"`
}

// NewWebhook is the webhook to decode a create or replace body onto: it is
// active unless the body says otherwise.
func NewWebhook() *Webhook { return &Webhook{Active: true} }

// secretPrefix marks a signing secret (standardwebhooks.com).
const secretPrefix = "whsec_"

// NewSigningSecret makes a secret of 24 random bytes.
func NewSigningSecret() string {
	b := make([]byte, 24)
	rand.Read(b) //nolint:errcheck // crypto/rand.Read never fails
	return secretPrefix + base64.StdEncoding.EncodeToString(b)
}

// SecretBytes is the key a signing secret stands for.
func SecretBytes(secret string) ([]byte, bool) {
	b64, ok := strings.CutPrefix(secret, secretPrefix)
	if !ok {
		return nil, false
	}
	key, err := base64.StdEncoding.DecodeString(b64)
	return key, err == nil && len(key) >= 24 && len(key) <= 64
}

// Wants reports whether events of this name are to be delivered.
func (w *Webhook) Wants(name events.Name) bool {
	return w.Active && slices.ContainsFunc(w.Events, func(pattern string) bool { return covers(pattern, name) })
}

func covers(pattern string, name events.Name) bool {
	if family, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(string(name), family)
	}
	return pattern == string(name)
}

func (w *Webhook) applyDefaults() {
	if w.SigningSecret == "" {
		w.SigningSecret = NewSigningSecret()
	}
	if w.Active {
		w.DisabledReason = ""
	}
}

// validate checks the form of the webhook. Where its URL leads is only looked
// at when it is called.
func (w *Webhook) validate(insecure bool) flows.Problems {
	var problems flows.Problems
	add := func(path, message string) {
		problems = append(problems, flows.Problem{Path: path, Slug: flows.SlugInvalidRequest, Message: message})
	}
	u, err := url.Parse(w.URL)
	switch {
	case w.URL == "":
		add("url", "the address to deliver to is missing")
	case len(w.URL) > 2048:
		add("url", "the address is longer than 2048 characters")
	case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "":
		add("url", "an address such as https://example.com/events is wanted")
	case u.Scheme == "http" && !insecure:
		add("url", "an https address is wanted; http is only for receivers on a private network, where those are allowed")
	case u.User != nil:
		add("url", "name and password do not belong into the address; deliveries are signed instead")
	}
	if len(w.Events) == 0 {
		add("events", `name at least one event, or "*" for all`)
	}
	for _, pattern := range w.Events {
		known := slices.ContainsFunc(events.Names(), func(n events.Name) bool { return covers(pattern, n) })
		family, star := strings.CutSuffix(pattern, "*")
		if !known || star && family != "" && !strings.HasSuffix(family, ".") {
			add("events", "there is no event "+strconv.Quote(pattern))
		}
	}
	if _, ok := SecretBytes(w.SigningSecret); !ok {
		add("signing_secret", "a secret is whsec_ followed by 24 to 64 bytes in base64; leave it away to have one made")
	}
	return problems
}

const bucketWebhooks = "webhooks"

func webhookKind(insecure bool) *kind[Webhook] {
	return &kind[Webhook]{
		bucket: bucketWebhooks, name: "webhook", idField: "id", prefix: "wh_",
		meta: func(x *Webhook) meta {
			return meta{&x.ID, &x.CreatedAt, &x.UpdatedAt, &x.Revision}
		},
		defaults: (*Webhook).applyDefaults,
		validate: func(x *Webhook) flows.Problems { return x.validate(insecure) },
		removed: func(s *Store, tx *bbolt.Tx, id string) error {
			return s.deliveries.trim(tx, id, 0)
		},
	}
}

// ActiveWebhooks are the endpoints that are delivered to now. They are shared:
// not to be changed.
func (s *Store) ActiveWebhooks() []*Webhook {
	return slices.DeleteFunc(s.webhooks.set.Load().values(), func(w *Webhook) bool { return !w.Active })
}

// Webhook is the endpoint with this id.
func (s *Store) Webhook(id string) (*Webhook, error) { return s.webhooks.Get(id) }

// DisableWebhook stops deliveries to an endpoint and says why.
func (s *Store) DisableWebhook(ctx context.Context, id, reason string) error {
	_, err := s.webhooks.Update(ctx, id, "", func(w *Webhook) error {
		w.Active, w.DisabledReason = false, reason
		return nil
	})
	return err
}
