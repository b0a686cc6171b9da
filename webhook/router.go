package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"b2bua/events"
	"b2bua/flows"
)

// ErrSkipped says that a routing webhook was not asked because it failed
// repeatedly a moment ago.
var ErrSkipped = errors.New("not asked: it failed repeatedly a moment ago")

// RouteRequest is what a routing webhook is told: the documented fields first.
type RouteRequest struct {
	CallID       string            `json:"call_id"`
	From         string            `json:"from"`
	To           string            `json:"to"`
	CallType     string            `json:"call_type"`
	Timestamp    time.Time         `json:"timestamp"`
	CallFlowID   string            `json:"call_flow_id,omitempty"`
	FlowRevision int               `json:"flow_revision,omitempty"`
	Tags         map[string]string `json:"tags,omitempty"`
}

// RouteReply is its decision.
type RouteReply struct {
	Destination     string            `json:"destination"`
	DestinationType string            `json:"destination_type"`
	Tags            map[string]string `json:"tags,omitempty"`
}

// RouterConfig are a router's limits; the zero value means the defaults.
type RouterConfig struct {
	// Secret signs the requests, as an endpoint's secret signs events. Empty
	// means that they are not signed.
	Secret string
	// Timeout is for one question in all; 0 means 5 s.
	Timeout time.Duration
	// SecondAfter is when the second request goes out if there is no answer
	// to the first one yet; 0 means 3 s. Whichever answers first counts.
	SecondAfter time.Duration
	// BreakAfter is after how many failures in a row an address is left
	// alone; 0 means 5.
	BreakAfter int
	// BreakFor is for how long; 0 means 30 s.
	BreakFor time.Duration
}

const (
	replyLimit = 1 << 20
	replyShown = 2 << 10 // of the reply, in a trace
)

// Router asks routing webhooks where calls go.
type Router struct {
	client   *http.Client
	cfg      RouterConfig
	log      *slog.Logger
	breakers breakers
}

// NewRouter makes a router that asks with a client made by NewClient.
func NewRouter(client *http.Client, cfg RouterConfig, log *slog.Logger) *Router {
	if cfg.Timeout <= 0 {
		cfg.Timeout = 5 * time.Second
	}
	if cfg.SecondAfter <= 0 {
		cfg.SecondAfter = 3 * time.Second
	}
	if cfg.BreakAfter <= 0 {
		cfg.BreakAfter = 5
	}
	if cfg.BreakFor <= 0 {
		cfg.BreakFor = 30 * time.Second
	}
	return &Router{client: client, cfg: cfg, log: log, breakers: breakers{after: cfg.BreakAfter, pause: cfg.BreakFor}}
}

// Ask asks the webhook at address where a call goes. The reply is validated
// like a rule of a flow. The exchange tells, for the call's trace, what was
// asked and answered, also when there is an error.
func (r *Router) Ask(ctx context.Context, address string, ask RouteRequest) (RouteReply, Exchange, error) {
	begun := time.Now()
	x := Exchange{Key: events.NewID("idem_")}
	ask.Timestamp = events.Moment(ask.Timestamp)
	body, err := json.Marshal(ask)
	if err != nil {
		return RouteReply{}, x, fmt.Errorf("routing webhook: encode the request: %w", err)
	}
	x.Request = body
	u, err := url.Parse(address)
	if err != nil {
		return RouteReply{}, x, fmt.Errorf("routing webhook: %w", cause(err))
	}
	x.URL = shown(u)
	if !r.breakers.allow(address, begun) {
		x.Err = ErrSkipped
		return RouteReply{}, x, fmt.Errorf("routing webhook %s: %w", x.URL, ErrSkipped)
	}
	reply, err := r.race(ctx, address, &x)
	x.Duration = time.Since(begun)
	if ctx.Err() == nil {
		if r.breakers.result(address, time.Now(), !retriable(err)) {
			r.log.Warn("routing webhook fails repeatedly", "url", x.URL, "pause", r.cfg.BreakFor)
		}
	} else {
		r.breakers.unasked(address)
	}
	if err != nil {
		x.Err = err
		return RouteReply{}, x, fmt.Errorf("routing webhook %s: %w", x.URL, err)
	}
	x.Reply = &reply
	return reply, x, nil
}

// Try is Ask for somebody who wants to know how a webhook does: neither is it
// skipped after failures, nor do failures here count.
func (r *Router) Try(ctx context.Context, address string, ask RouteRequest) (RouteReply, Exchange, error) {
	cfg := r.cfg
	cfg.BreakAfter = math.MaxInt
	return NewRouter(r.client, cfg, r.log).Ask(ctx, address, ask)
}

// once is one request.
func (r *Router) once(ctx context.Context, address, key string, body []byte) (reply RouteReply, try Try, err error) {
	begun := time.Now()
	try.At = events.Moment(begun)
	defer func() {
		try.Duration = time.Since(begun)
		if err != nil {
			try.Error = err.Error()
		}
	}()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return reply, try, cause(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("X-Idempotency-Key", key)
	if r.cfg.Secret != "" {
		sign(req.Header, r.cfg.Secret, key, begun, body)
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return reply, try, unanswered(err)
	}
	defer resp.Body.Close()
	try.Status = resp.StatusCode
	if err := statusError(resp); err != nil {
		return reply, try, err
	}
	raw, err := io.ReadAll(&limited{resp.Body, replyLimit})
	try.Body = string(raw[:min(len(raw), replyShown)])
	if errors.Is(err, ErrTooLarge) {
		return reply, try, fmt.Errorf("the reply is longer than %d bytes", replyLimit)
	}
	if err != nil {
		return reply, try, unanswered(err)
	}
	reply, err = decide(raw)
	return reply, try, err
}

// unanswered is the error of a request that brought no whole answer.
func unanswered(err error) error {
	if err = cause(err); errors.Is(err, ErrForbidden) {
		return err
	}
	return transient{err}
}

func statusError(resp *http.Response) error {
	switch {
	case resp.StatusCode >= 500:
		return transient{fmt.Errorf("the answer is %s", resp.Status)}
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return fmt.Errorf("the answer is %s, and redirects are not followed", resp.Status)
	case resp.StatusCode < 200 || resp.StatusCode >= 300:
		return fmt.Errorf("the answer is %s", resp.Status)
	}
	typ := resp.Header.Get("Content-Type")
	if typ == "" {
		return nil
	}
	media, _, err := mime.ParseMediaType(typ)
	if err != nil || media != "application/json" && !strings.HasSuffix(media, "+json") {
		return fmt.Errorf("the reply is %q, not application/json", typ)
	}
	return nil
}

// decide reads and checks a decision. Fields that are not known are left to the
// receiver's own purposes.
func decide(raw []byte) (RouteReply, error) {
	var reply RouteReply
	if err := json.Unmarshal(raw, &reply); err != nil {
		return RouteReply{}, fmt.Errorf("the reply is not the JSON that is wanted: %w", err)
	}
	rule := flows.Rule{
		Pattern: "*", Destination: reply.Destination, DestinationType: flows.DestinationType(reply.DestinationType),
	}
	rule.ApplyDefaults()
	problems := append(rule.ValidateDestination(), flows.CheckTags(reply.Tags).Under("tags")...)
	if err := problems.Err(); err != nil {
		return RouteReply{}, fmt.Errorf("the decision is not valid: %w", err)
	}
	reply.Destination, reply.DestinationType = rule.Destination, string(rule.DestinationType)
	return reply, nil
}
