package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"b2bua/events"
)

// postTime is how long a receiver may take to answer Post.
const postTime = 10 * time.Second

// Post delivers an event, as it is encoded, to an address that belongs to no
// webhook of the list, signed as those are. final says that it makes no sense to
// try again.
func Post(ctx context.Context, client *http.Client, address, secret string, event []byte) (final bool, err error) {
	var e struct {
		ID   string      `json:"id"`
		Name events.Name `json:"event"`
	}
	if err := json.Unmarshal(event, &e); err != nil {
		return true, fmt.Errorf("post an event: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, postTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(event))
	if err != nil {
		return true, fmt.Errorf("post an event: %w", cause(err))
	}
	now := time.Now()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("X-Audian-Event", string(e.Name))
	req.Header.Set("X-Audian-Delivery-Id", e.ID)
	sign(req.Header, secret, e.ID, now, event)
	resp, err := client.Do(req)
	if err != nil {
		return errors.Is(err, ErrForbidden), fmt.Errorf("post to %s: %w", shown(req.URL), cause(err))
	}
	defer resp.Body.Close()
	io.CopyN(io.Discard, resp.Body, 4<<10) //nolint:errcheck // leaves the connection good for the next one
	if v := judge(resp.StatusCode, resp.Header, now); v.err != nil {
		return v.final, fmt.Errorf("post to %s: %w", shown(req.URL), v.err)
	}
	return false, nil
}
