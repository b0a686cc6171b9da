package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2bua/events"
	"b2bua/store"
)

// TestSchedule has a receiver that never works: five attempts at the minutes
// agreed, the same body and ids each time, and then no more.
func TestSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, r := newBook("a"), newReceiver(always(http.StatusInternalServerError))
		d := start(t, b, r, Config{})
		e := d.tell("call_1", 1)
		time.Sleep(3 * time.Hour)
		hits := r.got()
		if len(hits) != 5 {
			t.Fatalf("%d attempts", len(hits))
		}
		for i, minute := range []int{0, 1, 6, 21, 51} {
			if h := hits[i]; h.at != time.Duration(minute)*time.Minute || h.body != hits[0].body ||
				h.header.Get("Webhook-Id") != e.ID || h.header.Get("X-Audian-Delivery-ID") != hits[0].header.Get("X-Audian-Delivery-ID") {
				t.Errorf("attempt %d at %s: %v %s", i, h.at, h.header, h.body)
			}
			verify(t, hits[i], testSecret)
		}
		log := b.deliveries()
		if len(log) != 1 || log[0].Result != store.DeliveryFailed || len(log[0].Attempts) != 5 || log[0].NextAttemptAt != nil || log[0].Attempts[4].StatusCode != http.StatusInternalServerError {
			t.Errorf("the log: %+v", log)
		}
		if s := d.Stats(); s != (Stats{Retried: 4, Failed: 1}) {
			t.Errorf("stats %+v", s)
		}
		d.stop()
	})
}

// verify checks both signatures with code of its own.
func verify(t *testing.T, h hit, secret string) {
	t.Helper()
	ts := h.header.Get("X-Audian-Timestamp")
	audian := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(audian, "%s.%s", ts, h.body)
	if got, want := h.header.Get("X-Audian-Signature"), fmt.Sprintf("sha256=%x", audian.Sum(nil)); got != want {
		t.Errorf("X-Audian-Signature %s instead of %s", got, want)
	}
	key, err := base64.StdEncoding.DecodeString(strings.Split(secret, "_")[1])
	if err != nil {
		t.Fatal(err)
	}
	standard := hmac.New(sha256.New, key)
	fmt.Fprintf(standard, "%s.%s.%s", h.header.Get("webhook-id"), h.header.Get("webhook-timestamp"), h.body)
	if got, want := h.header.Get("webhook-signature"), "v1,"+base64.StdEncoding.EncodeToString(standard.Sum(nil)); got != want {
		t.Errorf("webhook-signature %s instead of %s", got, want)
	}
	if ts != h.header.Get("webhook-timestamp") {
		t.Error("the timestamps differ")
	}
}

// TestStandardVector is the example of the Standard Webhooks specification.
func TestStandardVector(t *testing.T) {
	h := http.Header{}
	sign(h, testSecret, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if got := h.Get("webhook-signature"); got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Errorf("signed %s", got)
	}
}

func TestBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, r := newBook("a"), newReceiver(always(http.StatusNoContent))
		d := start(t, b, r, Config{})
		at := time.Date(2024, 1, 15, 10, 30, 0, 0, time.UTC)
		e := events.New(&events.Ringing{Head: events.Head{CallID: "call_xyz789", Sequence: 2}, RingingAt: at.Add(2 * time.Second)}, at)
		d.bus.Publish(e)
		synctest.Wait()
		d.stop()
		want := `{"id":"` + e.ID + `","event":"call.ringing","timestamp":"2024-01-15T10:30:00Z","version":"v1",` +
			`"data":{"call_id":"call_xyz789","ringing_at":"2024-01-15T10:30:02Z","sequence":2}}`
		hits := r.got()
		if len(hits) != 1 || hits[0].body != want {
			t.Fatalf("got %+v\nwant %s", hits, want)
		}
		if h := hits[0].header; h.Get("X-Audian-Event") != "call.ringing" || h.Get("Content-Type") != "application/json" || !strings.HasPrefix(h.Get("X-Audian-Delivery-ID"), "delv_") {
			t.Errorf("headers %v", h)
		}
		if log := b.deliveries(); len(log) != 1 || log[0].Result != store.DeliveryDelivered || log[0].EventID != e.ID || log[0].CallID != "call_xyz789" || log[0].ID != hits[0].header.Get("X-Audian-Delivery-ID") {
			t.Errorf("the log: %+v", log)
		}
	})
}

// TestVerdicts has every kind of first answer, and counts the attempts.
func TestVerdicts(t *testing.T) {
	for code, attempts := range map[int]int{
		200: 1, 204: 1, 299: 1, 301: 2, 400: 1, 401: 1, 404: 1, 408: 2, 413: 1, 422: 1, 425: 2, 429: 2, 500: 2, 503: 2, 0: 2, 100: 2,
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBook("a")
			r := newReceiver(func(n int, _ hit) (int, http.Header, time.Duration) {
				if n == 0 {
					return code, nil, 0
				}
				return http.StatusOK, nil, 0
			})
			d := start(t, b, r, Config{})
			d.tell("call_1", 1)
			time.Sleep(2 * time.Hour)
			d.stop()
			if n := len(r.got()); n != attempts {
				t.Errorf("%d: %d attempts", code, n)
			}
			good := attempts == 2 || code >= 200 && code < 300
			if log := b.deliveries(); (log[0].Result == store.DeliveryDelivered) != good || strings.Contains(fmt.Sprint(log), "geheim") {
				t.Errorf("%d: %+v", code, log)
			}
			if b.whyDisabled() != "" {
				t.Errorf("%d disabled it", code)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2024, 1, 15, 10, 30, 0, 0, time.UTC)
	for s, want := range map[string]time.Duration{
		"": 0, "120": 2 * time.Minute, "-1": 0, "x": 0, "99999999": maxRetryAfter, "99999999999999999999": 0,
		"Mon, 15 Jan 2024 10:35:00 GMT": 5 * time.Minute, "Mon, 15 Jan 2024 10:25:00 GMT": 0,
	} {
		if got := retryAfter(s, now); got != want {
			t.Errorf("%q: %s", s, got)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(func(n int, _ hit) (int, http.Header, time.Duration) {
			if n == 0 {
				return http.StatusTooManyRequests, http.Header{"Retry-After": {"300"}}, 0
			}
			return http.StatusOK, nil, 0
		})
		d := start(t, newBook("a"), r, Config{})
		d.tell("call_1", 1)
		time.Sleep(time.Hour)
		d.stop()
		if hits := r.got(); len(hits) != 2 || hits[1].at != 5*time.Minute {
			t.Errorf("attempts %v", hits)
		}
	})
}

// TestOrderPerCall has a receiver that fails now and then and takes its time:
// each call's events succeed in order, and other calls do not wait for them.
func TestOrderPerCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBook("a")
		var done []string
		r := newReceiver(nil)
		r.answer = func(n int, h hit) (int, http.Header, time.Duration) {
			var e events.Event
			if err := json.Unmarshal([]byte(h.body), &e); err != nil {
				t.Error(err)
			}
			if head := e.Data.Header(); n%7 != 3 {
				r.mu.Lock()
				done = append(done, fmt.Sprint(head.CallID, " ", head.Sequence))
				r.mu.Unlock()
				return http.StatusOK, nil, time.Duration(n%5) * time.Second
			}
			return http.StatusBadGateway, nil, time.Second
		}
		d := start(t, b, r, Config{})
		for n := range 10 {
			for call := range 20 {
				d.tell(fmt.Sprint("call_", call), n)
			}
			time.Sleep(time.Second)
		}
		time.Sleep(24 * time.Hour)
		d.stop()
		next := map[string]int{}
		for _, s := range done {
			call, n, _ := strings.Cut(s, " ")
			if n != fmt.Sprint(next[call]) {
				t.Errorf("%s was told %s instead of %d", call, n, next[call])
			}
			next[call]++
		}
		if len(done) != 200 || r.most > 8 || r.most < 2 {
			t.Errorf("%d of 200 came, %d at once", len(done), r.most)
		}
	})
}

// TestNoCallWaitsForAnother has the events of one call fail: those of another
// come at once.
func TestNoCallWaitsForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(func(_ int, h hit) (int, http.Header, time.Duration) {
			if strings.Contains(h.body, "call_bad") {
				return http.StatusInternalServerError, nil, 0
			}
			return http.StatusOK, nil, 0
		})
		d := start(t, newBook("a"), r, Config{})
		for n := range 3 {
			d.tell("call_bad", n)
			d.tell("call_good", n)
		}
		synctest.Wait()
		if s := d.Stats(); s.Delivered != 3 || s.Waiting != 3 || s.Retried != 1 {
			t.Errorf("stats %+v", s)
		}
		d.stop()
	})
}

func TestEndpointsAreApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBook("slow", "fast", "picky", "off")
		b.change("picky", func(w *store.Webhook) { w.Events = []string{"recording.*"} })
		b.change("off", func(w *store.Webhook) { w.Active = false })
		r := newReceiver(func(_ int, h hit) (int, http.Header, time.Duration) {
			if strings.HasPrefix(h.host, "slow") {
				return http.StatusOK, nil, time.Hour
			}
			return http.StatusOK, nil, 0
		})
		d := start(t, b, r, Config{})
		for n := range 10 {
			d.tell("call_1", n)
		}
		time.Sleep(time.Second)
		count := map[string]int{}
		for _, h := range r.got() {
			count[h.host]++
		}
		if count["fast.example"] != 10 || count["slow.example"] != 1 || len(count) != 2 {
			t.Errorf("hits %v", count)
		}
		time.Sleep(10 * time.Second)
		if log := b.deliveries(); !strings.Contains(log[len(log)-1].Reason, "no answer within 10s") {
			t.Errorf("the slow one: %+v", log[len(log)-1])
		}
		d.stop()
	})
}

// TestHeardBeforeRun delivers what was told between New and Run.
func TestHeardBeforeRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(always(http.StatusOK))
		d := start(t, newBook("a"), r, Config{})
		d.tell("call_1", 1)
		d.stop()
		if len(r.got()) != 1 {
			t.Errorf("%d attempts", len(r.got()))
		}
	})
}

func TestJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, random := range []float64{0, 0.999999} {
			r := newReceiver(always(http.StatusInternalServerError))
			d := start(t, newBook("a"), r, Config{})
			d.random = func() float64 { return random }
			d.tell("call_1", 1)
			time.Sleep(2 * time.Hour)
			hits := r.got()
			for i, minute := range []time.Duration{0, 1, 6, 21, 51} {
				before := []time.Duration{0, 1, 5, 15, 30}[i] * time.Minute
				if off := hits[i].at - minute*time.Minute; off.Abs() > before/10 || i > 0 && off == 0 {
					t.Errorf("attempt %d at %s", i, hits[i].at)
				}
			}
			d.stop()
		}
	})
}

func TestTestEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBook("a")
		b.change("a", func(w *store.Webhook) { w.Active = false })
		r := newReceiver(func(n int, _ hit) (int, http.Header, time.Duration) {
			return []int{http.StatusOK, http.StatusTeapot}[n], nil, 0
		})
		d := start(t, b, r, Config{})
		good, err := d.Test(t.Context(), "a")
		if err != nil || good.Result != store.DeliveryDelivered || good.Event != events.WebhookTest || len(good.Attempts) != 1 {
			t.Errorf("%+v %v", good, err)
		}
		bad, err := d.Test(t.Context(), "a")
		if err != nil || bad.Result != store.DeliveryFailed || !strings.Contains(bad.Reason, "418") {
			t.Errorf("%+v %v", bad, err)
		}
		if _, err := d.Test(t.Context(), "b"); err == nil {
			t.Error("a webhook that is not there was tested")
		}
		verify(t, r.got()[0], testSecret)
		if !strings.Contains(r.got()[0].body, `"event":"webhook.test"`) || len(b.deliveries()) != 2 {
			t.Errorf("body %s", r.got()[0].body)
		}
		d.stop()
	})
}
