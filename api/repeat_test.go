package api_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"b2bua/api"
)

func TestIdempotency(t *testing.T) {
	b := newBench(t)
	first := b.want(b.do("POST", "/v2/call-flows", simpleFlow, "Idempotency-Key", "k1"), 201)
	again := b.want(b.do("POST", "/v2/call-flows", simpleFlow, "Idempotency-Key", "k1"), 201)
	if again.Header().Get("Idempotent-Replayed") != "true" || first.Header().Get("Idempotent-Replayed") != "" {
		t.Errorf("headers %v, then %v", first.Header(), again.Header())
	}
	if first.Body.String() != again.Body.String() {
		t.Errorf("replayed %s, first was %s", again.Body, first.Body)
	}
	for _, name := range []string{"Location", "ETag", "Content-Type"} {
		if first.Header().Get(name) == "" || first.Header().Get(name) != again.Header().Get(name) {
			t.Errorf("%s: %q, then %q", name, first.Header().Get(name), again.Header().Get(name))
		}
	}
	b.want(b.do("POST", "/v2/call-flows", strings.Replace(simpleFlow, "Direct", "Other", 1), "Idempotency-Key", "k1"), 409, "conflict")
	b.want(b.do("POST", "/v2/ivr-menus", simpleFlow, "Idempotency-Key", "k1"), 409, "conflict")
	b.want(b.do("POST", "/v2/call-flows", simpleFlow, "Idempotency-Key", strings.Repeat("k", 300)), 400, "invalid_request")
	if n := b.store.Flows().Len(); n != 1 {
		t.Errorf("%d flows were made", n)
	}
	// A refusal is replayed too.
	b.want(b.do("POST", "/v2/call-flows", `{}`, "Idempotency-Key", "k2"), 400)
	if a := b.want(b.do("POST", "/v2/call-flows", `{}`, "Idempotency-Key", "k2"), 400); a.Header().Get("Idempotent-Replayed") != "true" {
		t.Error("a refusal was worked out again")
	}
	// Actions happen once.
	l := b.begin("call_a")
	for range 3 {
		b.want(b.do("POST", "/v2/calls/call_a/answer", `{}`, "Idempotency-Key", "k3"), 200)
	}
	if len(l.asked) != 1 {
		t.Errorf("the call was asked %d times", len(l.asked))
	}
	// Another client's key of the same name is another key.
	other, _, err := b.store.CreateKey(t.Context(), "other", "write")
	if err != nil {
		t.Fatal(err)
	}
	if a := b.want(b.do("POST", "/v2/call-flows", simpleFlow, "Idempotency-Key", "k1", "X-Auth-Token", other), 201); a.str("call_flow_id") == first.str("call_flow_id") {
		t.Error("one client got another's reply")
	}
	// A replayed creation of an API key does not show the key.
	made := b.want(b.do("POST", "/v2/api-keys", `{"name":"x"}`, "Idempotency-Key", "k4"), 201)
	replayed := b.want(b.do("POST", "/v2/api-keys", `{"name":"x"}`, "Idempotency-Key", "k4"), 201)
	if made.str("key") == "" || replayed.str("key") != "" || replayed.str("id") != made.str("id") {
		t.Errorf("made %s, replayed %s", made.Body, replayed.Body)
	}
}

// Digits that the caller was promised nobody keeps are not on the disk for a
// day: the same request asks again.
func TestSensitiveDigitsAreNotKept(t *testing.T) {
	b := newBench(t)
	l := b.begin("call_a")
	for i, tc := range []struct {
		body  string
		asked int // after it was sent twice
	}{
		{`{"prompt":"Your card","max_digits":16,"sensitive":true}`, 2},
		{`{"prompt":"Your card","max_digits":16, "\u0073ensitive" : true}`, 2},
		{`{"prompt":"Your choice","max_digits":1,"sensitive":false}`, 1},
		{`{"prompt":"Your choice","max_digits":1}`, 1},
	} {
		before, key := len(l.asked), "gather-"+strconv.Itoa(i)
		for range 2 {
			if a := b.want(b.do("POST", "/v2/calls/call_a/gather-dtmf", tc.body, "Idempotency-Key", key), 200); a.str("digits") != "12" {
				t.Errorf("%s: replied %s", tc.body, a.Body)
			}
		}
		if asked := len(l.asked) - before; asked != tc.asked {
			t.Errorf("%s: the caller was asked %d times, want %d", tc.body, asked, tc.asked)
		}
	}
	// A menu for such digits holds none: it is still made once.
	menu := `{"name":"Card","prompt":"Your card","max_digits":16,"sensitive":true,"options":[{"digit":"1","destination":"voicemail_default","destination_type":"voicemail"}]}`
	first := b.want(b.do("POST", "/v2/ivr-menus", menu, "Idempotency-Key", "menu"), 201)
	if again := b.want(b.do("POST", "/v2/ivr-menus", menu, "Idempotency-Key", "menu"), 201); again.str("menu_id") != first.str("menu_id") {
		t.Errorf("made %s, then %s", first.Body, again.Body)
	}
}

func TestRateLimit(t *testing.T) {
	now := time.Date(2024, 1, 15, 10, 30, 0, 0, time.UTC)
	b := newBench(t, func(d *api.Deps) {
		d.Config.RateLimit = api.RateLimit{PerSecond: 2, Burst: 3}
		d.Now = func() time.Time { return now }
	})
	for left := 2; left >= 0; left-- {
		a := b.want(b.do("GET", "/v2/trunks", ""), 200)
		if a.Header().Get("RateLimit-Limit") != "3" || a.Header().Get("RateLimit-Remaining") != strconv.Itoa(left) {
			t.Errorf("headers %v", a.Header())
		}
	}
	a := b.want(b.do("GET", "/v2/trunks", ""), 429, "rate_limited")
	if a.Header().Get("Retry-After") != "1" || a.Header().Get("RateLimit-Reset") != "2" {
		t.Errorf("headers %v", a.Header())
	}
	other, _, err := b.store.CreateKey(t.Context(), "other", "read")
	if err != nil {
		t.Fatal(err)
	}
	b.want(b.do("GET", "/v2/trunks", "", "X-Auth-Token", other), 200)
	now = now.Add(500 * time.Millisecond)
	b.want(b.do("GET", "/v2/trunks", ""), 200)
	b.want(b.do("GET", "/v2/trunks", ""), 429)
	// Guessing keys is held to the rate of the address.
	for range 3 {
		b.want(b.do("GET", "/v2/trunks", "", "X-Auth-Token", "guess"), 401)
	}
	b.want(b.do("GET", "/v2/trunks", "", "X-Auth-Token", "guess"), 429)
}
