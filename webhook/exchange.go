package webhook

import (
	"encoding/json"
	"fmt"
	"time"
)

// Exchange is what was asked of a routing webhook and what came back.
type Exchange struct {
	URL      string // without its query
	Key      string // X-Idempotency-Key of all tries
	Request  json.RawMessage
	Tries    []Try // those that ended, in that order
	Reply    *RouteReply
	Err      error
	Duration time.Duration
}

// Try is one request of an exchange.
type Try struct {
	At       time.Time
	Status   int    // 0: no answer
	Body     string // the beginning of the reply
	Error    string
	Duration time.Duration
}

// String tells the exchange in one sentence.
func (x Exchange) String() string {
	if x.Reply != nil {
		return fmt.Sprintf("the webhook %s chose %s %q within %d ms", x.URL, x.Reply.DestinationType, x.Reply.Destination, x.Duration.Milliseconds())
	}
	if x.Err != nil {
		return fmt.Sprintf("the webhook %s gave no decision: %v", x.URL, x.Err)
	}
	return "the webhook " + x.URL + " gave no decision"
}

// Detail tells it in full, for a trace.
func (x Exchange) Detail() map[string]any {
	tries := make([]map[string]any, len(x.Tries))
	for i, t := range x.Tries {
		tries[i] = map[string]any{"at": t.At, "duration_ms": t.Duration.Milliseconds()}
		if t.Status != 0 {
			tries[i]["status_code"] = t.Status
		}
		if t.Body != "" {
			tries[i]["reply"] = t.Body
		}
		if t.Error != "" {
			tries[i]["error"] = t.Error
		}
	}
	d := map[string]any{
		"url": x.URL, "idempotency_key": x.Key, "request": x.Request, "tries": tries, "duration_ms": x.Duration.Milliseconds(),
	}
	if x.Err != nil {
		d["error"] = x.Err.Error()
	}
	return d
}
