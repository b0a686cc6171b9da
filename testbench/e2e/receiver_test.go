//go:build e2e

package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// Receiver is a customer's web server: it takes events, and answers where a call should go.
type Receiver struct {
	t *testing.T
	*httptest.Server

	mu       sync.Mutex
	secret   string
	events   []doc
	requests []doc // routing requests
	reply    func() (int, string)
	more     chan struct{}
}

// Listen starts a receiver and subscribes it to all events of the switch.
func Listen(s *Switch) *Receiver {
	s.t.Helper()
	r := &Receiver{t: s.t, more: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /events", r.takeEvent)
	mux.HandleFunc("POST /route", r.takeRequest)
	r.Server = httptest.NewServer(mux)
	s.t.Cleanup(r.Close)
	hook := s.Create("/v2/webhooks", doc{"url": r.URL + "/events", "events": []string{"*"}})
	r.mu.Lock()
	r.secret = hook.str("signing_secret")
	r.mu.Unlock()
	if len(r.secret) < 20 || r.secret[:6] != "whsec_" {
		s.t.Fatalf("signing secret %q", r.secret)
	}
	return r
}

func (r *Receiver) takeEvent(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	mac := hmac.New(sha256.New, []byte(r.secret))
	mac.Write([]byte(req.Header.Get("X-Audian-Timestamp") + "."))
	mac.Write(body)
	if want := "sha256=" + hex.EncodeToString(mac.Sum(nil)); req.Header.Get("X-Audian-Signature") != want {
		r.t.Errorf("event signed %q, want %q", req.Header.Get("X-Audian-Signature"), want)
	}
	var e doc
	if err := json.Unmarshal(body, &e); err != nil {
		r.t.Errorf("event %s: %v", body, err)
	}
	if got := req.Header.Get("X-Audian-Event"); got != e.str("event") {
		r.t.Errorf("event %s delivered as %q", body, got)
	}
	r.events = append(r.events, e)
	close(r.more)
	r.more = make(chan struct{})
}

func (r *Receiver) takeRequest(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	var d doc
	if err := json.Unmarshal(body, &d); err != nil {
		r.t.Errorf("routing request %s: %v", body, err)
	}
	r.requests = append(r.requests, d)
	code, text := r.reply()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, text)
}

// Routes says what is answered to a routing request.
func (r *Receiver) Routes(code int, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reply = func() (int, string) { return code, text }
}

// Await waits for the first event of that name among those not older than the n-th.
func (r *Receiver) Await(name string, within time.Duration) doc {
	r.t.Helper()
	return r.AwaitThat(name, within, func(doc) bool { return true })
}

// AwaitThat waits for an event of that name that fits.
func (r *Receiver) AwaitThat(name string, within time.Duration, fits func(data doc) bool) doc {
	r.t.Helper()
	timeout := time.NewTimer(within)
	defer timeout.Stop()
	for {
		r.mu.Lock()
		var names []string
		for _, e := range r.events {
			if data, _ := e["data"].(map[string]any); e.str("event") == name && fits(data) {
				r.mu.Unlock()
				return e
			}
			names = append(names, e.str("event"))
		}
		more := r.more
		r.mu.Unlock()
		select {
		case <-more:
		case <-timeout.C:
			r.t.Fatalf("no %s within %v; there were %v", name, within, names)
		}
	}
}

// Of lists the events of a call in the order in which they came.
func (r *Receiver) Of(callID string) []doc {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []doc
	for _, e := range r.events {
		if e.str("data", "call_id") == callID {
			list = append(list, e)
		}
	}
	return list
}

// Forget drops what has come so far.
func (r *Receiver) Forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events, r.requests = nil, nil
}

// Requests are the routing requests so far.
func (r *Receiver) Requests() []doc {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]doc(nil), r.requests...)
}
