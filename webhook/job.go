package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"b2bua/events"
	"b2bua/store"
)

// job is one event on its way to one endpoint.
type job struct {
	note  store.Delivery // as the delivery log shows it
	body  []byte
	first time.Time // of the first attempt

	parcel *parcel // nil: nobody asks when it is settled
}

func newJob(webhook string, e events.Event, body []byte) *job {
	j := &job{body: body, note: store.Delivery{
		ID: events.NewID("delv_"), WebhookID: webhook, EventID: e.ID, Event: e.Name, CreatedAt: time.Now(),
	}}
	if e.Data != nil {
		j.note.CallID = e.Data.Header().CallID
	}
	return j
}

// verdict is what an attempt came to.
type verdict struct {
	err   error         // nil: delivered
	final bool          // trying again makes no sense
	gone  bool          // the receiver wants nothing any more
	after time.Duration // as Retry-After asks
}

func (v verdict) reason() string {
	if v.err == nil {
		return ""
	}
	return v.err.Error()
}

// maxRetryAfter bounds what a receiver may ask for.
const maxRetryAfter = 6 * time.Hour

// attempt makes one request and notes it in the job.
func (d *Deliverer) attempt(ctx context.Context, w *store.Webhook, j *job) verdict {
	begun := time.Now()
	if j.first.IsZero() {
		j.first = begun
	}
	code, v := d.post(ctx, w, j, begun)
	// The log keeps the notes of earlier attempts: this one gets a list of its own.
	j.note.Attempts = append(slices.Clip(j.note.Attempts), store.DeliveryAttempt{
		At: events.Moment(begun), StatusCode: code, Error: v.reason(), DurationMS: time.Since(begun).Milliseconds(),
	})
	return v
}

func (d *Deliverer) post(ctx context.Context, w *store.Webhook, j *job, now time.Time) (int, verdict) {
	ctx, cancel := context.WithTimeout(ctx, d.cfg.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(j.body))
	if err != nil {
		return 0, verdict{err: cause(err), final: true}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("X-Audian-Event", string(j.note.Event))
	req.Header.Set("X-Audian-Delivery-Id", j.note.ID)
	sign(req.Header, w.SigningSecret, j.note.EventID, now, j.body)
	resp, err := d.client.Do(req)
	if err != nil {
		err = cause(err)
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("no answer within %s", d.cfg.Timeout)
		}
		return 0, verdict{err: err, final: errors.Is(err, ErrForbidden)}
	}
	defer resp.Body.Close()
	// What a receiver says is not used, but a short reply read to its end
	// leaves the connection good for the next event.
	io.CopyN(io.Discard, resp.Body, 4<<10) //nolint:errcheck // see above
	return resp.StatusCode, judge(resp.StatusCode, resp.Header, now)
}

// judge sorts answers: success, try again, or never again.
func judge(code int, h http.Header, now time.Time) verdict {
	if code >= 200 && code < 300 {
		return verdict{}
	}
	v := verdict{err: fmt.Errorf("the answer is %s", strings.TrimSpace(strconv.Itoa(code)+" "+http.StatusText(code)))}
	switch code {
	case http.StatusGone:
		v.final, v.gone = true, true
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
	default:
		v.final = code >= 400 && code < 500
	}
	if !v.final {
		v.after = retryAfter(h.Get("Retry-After"), now)
	}
	return v
}

// retryAfter reads Retry-After (RFC 9110 §10.2.3), seconds or a date.
func retryAfter(s string, now time.Time) time.Duration {
	var d time.Duration
	if n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 32); err == nil {
		d = time.Duration(n) * time.Second
	} else if at, err := http.ParseTime(s); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, 0), maxRetryAfter)
}
