package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var question = RouteRequest{
	CallID: "call_xyz789", From: "+14155552672", To: "+14155552671", CallType: "inbound",
	Timestamp: time.Date(2024, 1, 15, 10, 30, 0, 123456, time.UTC),
}

const decision = `{"destination":"+14155552673","destination_type":"phone_number","tags":{"routed_by":"webhook","queue":"support"}}`

func said(body string) http.Header {
	return http.Header{"Content-Type": {"application/json; charset=utf-8"}, "Test-Body": {body}}
}

func router(r http.RoundTripper) *Router {
	return NewRouter(&http.Client{Transport: r}, RouterConfig{Secret: testSecret}, quiet)
}

// TestDocumentedQuestion holds the question and the answer against the
// documented example.
func TestDocumentedQuestion(t *testing.T) {
	r := newReceiver(func(int, hit) (int, http.Header, time.Duration) { return http.StatusOK, said(decision), 0 })
	reply, x, err := router(r).Ask(t.Context(), "https://user:pw@example.com/route?token=geheim", question)
	if err != nil {
		t.Fatal(err)
	}
	if reply.Destination != "+14155552673" || reply.DestinationType != "phone_number" || reply.Tags["queue"] != "support" || len(reply.Tags) != 2 {
		t.Errorf("the reply is %+v", reply)
	}
	h := r.got()[0]
	const want = `{"call_id":"call_xyz789","from":"+14155552672","to":"+14155552671","call_type":"inbound","timestamp":"2024-01-15T10:30:00Z"}`
	if h.body != want || h.header.Get("X-Idempotency-Key") != x.Key || h.header.Get("Content-Type") != "application/json" {
		t.Errorf("asked %s with %v", h.body, h.header)
	}
	verify(t, h, testSecret)
	detail, err := json.Marshal(x.Detail())
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{want, `"status_code":200`, `"url":"https://example.com/route"`} {
		if !strings.Contains(string(detail), part) {
			t.Errorf("the trace lacks %s: %s", part, detail)
		}
	}
	if s := x.String() + string(detail); strings.Contains(s, "geheim") || strings.Contains(s, "pw@") || !strings.Contains(s, `phone_number "+14155552673"`) {
		t.Errorf("the trace: %s", s)
	}
}

// TestReplies goes through what receivers say.
func TestReplies(t *testing.T) {
	for _, c := range []struct {
		code  int
		typ   string
		body  string
		want  string // part of the error, "" when good
		tries int
	}{
		{200, "application/json", decision, "", 1},
		{201, "application/problem+json", decision, "", 1},
		{200, "", decision, "", 1},
		{200, "application/json", `{"destination":"ivr_main","destination_type":"ivr_menu","note":{"x":[1]}}`, "", 1},
		{200, "text/html", decision, "not application/json", 1},
		{200, ";", decision, "not application/json", 1},
		{200, "application/json", "", "not the JSON", 1},
		{200, "application/json", "null", "not valid", 1},
		{200, "application/json", "[]", "not the JSON", 1},
		{200, "application/json", decision + decision, "not the JSON", 1},
		{200, "application/json", `{"destination":5,"destination_type":"phone_number"}`, "not the JSON", 1},
		{200, "application/json", `{"destination":"12","destination_type":"phone_number"}`, "not valid", 1},
		{200, "application/json", `{"destination":"+14155552673","destination_type":"phone"}`, "not valid", 1},
		{200, "application/json", `{"destination":"+14155552673"}`, "not valid", 1},
		{200, "application/json", `{"destination":"+14155552673","destination_type":"phone_number","tags":{"a":1}}`, "not the JSON", 1},
		{200, "application/json", `{"destination":"+14155552673","destination_type":"phone_number","tags":{"":"1"}}`, "not valid", 1},
		{200, "application/json", strings.Repeat(" ", replyLimit) + "{}", "longer than", 1},
		{200, "application/json", strings.Repeat("[", 200_000), "not the JSON", 1},
		{204, "", "", "not the JSON", 1},
		{302, "", "", "redirects are not followed", 1},
		{404, "", "", "404", 1},
		{429, "", "", "429", 1},
		{500, "", "", "500", 2},
		{503, "application/json", decision, "503", 2},
		{0, "", "", "connection refused", 2},
	} {
		r := newReceiver(func(int, hit) (int, http.Header, time.Duration) {
			h := said(c.body)
			h.Set("Content-Type", c.typ)
			if c.typ == "" {
				h.Del("Content-Type")
			}
			return c.code, h, 0
		})
		reply, x, err := router(r).Ask(t.Context(), "https://example.com/route", question)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) || len(x.Tries) != c.tries || len(r.got()) != c.tries {
			t.Errorf("%d %s %.60s: %+v, %v, %d tries", c.code, c.typ, c.body, reply, err, len(x.Tries))
		}
		if err != nil && (reply.Destination != "" || x.Err == nil || !strings.Contains(x.String(), "no decision")) {
			t.Errorf("%d %.60s: %+v %s", c.code, c.body, reply, x)
		}
		for _, h := range r.got() {
			if h.header.Get("X-Idempotency-Key") != x.Key {
				t.Error("the keys differ")
			}
		}
	}
}

// TestBudget has receivers of every slowness, on virtual time.
func TestBudget(t *testing.T) {
	const never = time.Hour
	for _, c := range []struct {
		name   string
		delays []time.Duration // of the first and the second request
		codes  []int
		good   bool
		took   time.Duration
		sent   int
	}{
		{"quick", []time.Duration{time.Second}, []int{200}, true, time.Second, 1},
		{"slow", []time.Duration{4 * time.Second, never}, []int{200, 200}, true, 4 * time.Second, 2},
		{"the first one lost", []time.Duration{never, time.Second}, []int{200, 200}, true, 4 * time.Second, 2},
		{"never", []time.Duration{never, never}, []int{200, 200}, false, 5 * time.Second, 2},
		{"fails late", []time.Duration{2 * time.Second, 2 * time.Second}, []int{500, 200}, true, 4 * time.Second, 2},
		{"fails and hangs", []time.Duration{2 * time.Second, never}, []int{500, 200}, false, 5 * time.Second, 2},
		{"fails twice", []time.Duration{time.Second, time.Second}, []int{502, 502}, false, 2 * time.Second, 2},
		{"connects never", []time.Duration{2 * time.Second, 2 * time.Second}, []int{0, 0}, false, 4 * time.Second, 2},
		{"the second one fails first", []time.Duration{4900 * time.Millisecond, time.Second}, []int{200, 500}, true, 4900 * time.Millisecond, 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newReceiver(func(n int, _ hit) (int, http.Header, time.Duration) { return c.codes[n], said(decision), c.delays[n] })
			begun := time.Now()
			_, x, err := router(r).Ask(t.Context(), "https://example.com/route", question)
			if took := time.Since(begun); (err == nil) != c.good || took != c.took || x.Duration != took || len(r.got()) != c.sent || len(x.Tries) != c.sent {
				t.Errorf("%s: %v after %s, %d sent, %d tries", c.name, err, took, len(r.got()), len(x.Tries))
			}
		})
	}
}

func TestCallerHangsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(func(int, hit) (int, http.Header, time.Duration) { return http.StatusOK, said(decision), time.Hour })
		ro := router(r)
		for range 10 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			begun := time.Now()
			_, _, err := ro.Ask(ctx, "https://example.com/route", question)
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != time.Second {
				t.Errorf("%v after %s", err, time.Since(begun))
			}
		}
		if len(r.got()) != 10 {
			t.Error("callers who hang up opened the breaker")
		}
	})
}

// TestRealReceivers does it over real sockets.
func TestRealReceivers(t *testing.T) {
	var first atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/good":
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, decision)
		case "/resets":
			if first.CompareAndSwap(false, true) {
				panic(http.ErrAbortHandler)
			}
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, decision)
		case "/moved":
			http.Redirect(w, r, "/good", http.StatusTemporaryRedirect)
		case "/huge":
			w.Header().Set("Content-Type", "application/json")
			for range 3000 {
				if _, err := w.Write(make([]byte, 1<<10)); err != nil {
					return
				}
			}
		case "/drips":
			w.Header().Set("Content-Type", "application/json")
			for {
				if _, err := io.WriteString(w, " "); err != nil {
					return
				}
				w.(http.Flusher).Flush()
				select {
				case <-time.After(10 * time.Millisecond):
				case <-r.Context().Done():
					return
				}
			}
		}
	}))
	defer server.Close()
	ro := NewRouter(NewClient(Guard{AllowPrivate: true}), RouterConfig{}, quiet)
	hasty := NewRouter(NewClient(Guard{AllowPrivate: true}), RouterConfig{Timeout: 300 * time.Millisecond, SecondAfter: 200 * time.Millisecond}, quiet)
	for path, want := range map[string]string{
		"/good": "", "/moved": "redirects", "/huge": "longer than", "/drips": "no answer within",
	} {
		begun, asking := time.Now(), ro
		if path == "/drips" {
			asking = hasty
		}
		_, _, err := asking.Ask(t.Context(), server.URL+path, question)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) || time.Since(begun) > 6*time.Second {
			t.Errorf("%s: %v after %s", path, err, time.Since(begun))
		}
	}
	if _, _, err := ro.Ask(t.Context(), server.URL+"/resets", question); err != nil || !first.Load() {
		t.Errorf("reset once: %v", err)
	}
	closed := server.URL
	server.Close()
	if _, x, err := ro.Ask(t.Context(), closed+"/good", question); err == nil || len(x.Tries) != 2 {
		t.Errorf("nobody there: %v, %d tries", err, len(x.Tries))
	}
	strict := NewRouter(NewClient(Guard{AllowHTTP: true}), RouterConfig{}, quiet)
	if _, x, err := strict.Ask(t.Context(), closed, question); !errors.Is(err, ErrForbidden) || len(x.Tries) != 1 {
		t.Errorf("loopback: %v, %d tries", err, len(x.Tries))
	}
	if _, _, err := strict.Ask(t.Context(), "https://[::1", question); err == nil {
		t.Error("a broken URL was asked")
	}
}

func FuzzDecide(f *testing.F) {
	f.Add([]byte(decision))
	f.Add([]byte(`{"destination":"x","destination_type":"hangup"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		reply, err := decide(raw)
		if err != nil {
			return
		}
		again, err := json.Marshal(reply)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decide(again); err != nil {
			t.Errorf("%s was accepted, and %s is not: %v", raw, again, err)
		}
	})
}
