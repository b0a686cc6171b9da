package store_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"b2bua/events"
	"b2bua/flows"
	"b2bua/store"
)

func webhook() *store.Webhook {
	w := store.NewWebhook()
	w.URL, w.Events = "https://example.com/events", []string{"*"}
	return w
}

func call(n int) events.CallRecord {
	return events.CallRecord{
		CallID: fmt.Sprintf("call_%03d", n), CallType: "inbound", Status: events.StatusCompleted,
		From: number(n % 3), To: number(9), CallFlowID: []string{"cf_a", "cf_b"}[n%2],
		InitiatedAt: moment.Add(time.Duration(n) * time.Minute), Tags: map[string]string{"n": fmt.Sprint(n % 5)},
	}
}

func TestCalls(t *testing.T) {
	s := fresh(t)
	for n := range 50 {
		ok(t, s.SaveCall(ctx, call(n), nil))
	}
	step := []flows.Step{{At: moment, Kind: flows.StepRule, Text: "rule 0 holds", Detail: map[string]any{"n": 1.0}}}
	again := call(7)
	again.Duration = 12.5
	ended := moment.Add(time.Hour + time.Nanosecond)
	again.EndedAt = &ended
	ok(t, s.SaveCall(ctx, again, step))
	ok(t, s.SaveCall(ctx, again, nil))
	got, err := s.Call("call_007")
	ok(t, err)
	if got.Duration != 12.5 || !got.EndedAt.Equal(moment.Add(time.Hour)) {
		t.Errorf("call 7 is %+v", got)
	}
	trace, err := s.Trace("call_007")
	ok(t, err)
	if !reflect.DeepEqual(trace, step) {
		t.Errorf("its trace is %+v", trace)
	}
	if trace, err := s.Trace("call_008"); err != nil || len(trace) != 0 {
		t.Errorf("a call without trace: %v %v", trace, err)
	}
	_, err = s.Trace("call_999")
	wants(t, err, store.ErrNotFound)
	_, err = s.Call("call_999")
	wants(t, err, store.ErrNotFound)
}

func TestCallLists(t *testing.T) {
	s := fresh(t)
	for n := range 50 {
		ok(t, s.SaveCall(ctx, call(n), nil))
	}
	for what, c := range map[string]struct {
		filter store.CallFilter
		want   func(n int) bool
	}{
		"all":      {store.CallFilter{}, func(int) bool { return true }},
		"flow":     {store.CallFilter{CallFlowID: "cf_b"}, func(n int) bool { return n%2 == 1 }},
		"from":     {store.CallFilter{From: number(1)}, func(n int) bool { return n%3 == 1 }},
		"tag":      {store.CallFilter{Tags: map[string]string{"n": "2"}}, func(n int) bool { return n%5 == 2 }},
		"any tag":  {store.CallFilter{Tags: map[string]string{"n": ""}}, func(int) bool { return true }},
		"no tag":   {store.CallFilter{Tags: map[string]string{"x": ""}}, func(int) bool { return false }},
		"status":   {store.CallFilter{Status: events.StatusFailed}, func(int) bool { return false }},
		"time":     {store.CallFilter{Since: moment.Add(10 * time.Minute), Until: moment.Add(20 * time.Minute)}, func(n int) bool { return n >= 10 && n < 20 }},
		"flowtime": {store.CallFilter{CallFlowID: "cf_a", Since: moment.Add(10 * time.Minute), Until: moment.Add(20 * time.Minute)}, func(n int) bool { return n >= 10 && n < 20 && n%2 == 0 }},
	} {
		var want []string
		for n := range 50 {
			if c.want(n) {
				want = append(want, fmt.Sprintf("call_%03d", n))
			}
		}
		for _, newest := range []bool{false, true} {
			f := c.filter
			f.Newest = newest
			var got []string
			for cursor, more := "", true; more; more = cursor != "" {
				page, next, err := s.Calls(f, cursor, 4)
				ok(t, err)
				for _, r := range page {
					if newest {
						got = append([]string{r.CallID}, got...)
					} else {
						got = append(got, r.CallID)
					}
				}
				if next != "" && len(page) > 0 && what == "all" && next != store.CallCursor(page[len(page)-1]) {
					t.Errorf("%s: CallCursor differs", what)
				}
				cursor = next
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s, newest %v: %v instead of %v", what, newest, got, want)
			}
		}
	}
}

func TestMessages(t *testing.T) {
	c := &clock{moment}
	s := open(t, t.TempDir(), store.Options{Now: c.Now})
	for i := range 5 {
		c.pass(time.Second)
		ok(t, s.Messages().Save(ctx, &store.Message{BoxID: []string{"vm", "vmbox_b"}[i%2], From: number(i)}))
	}
	page, _, err := s.Messages().List(store.Query[store.Message]{Owner: "vm"}, "", 0)
	ok(t, err)
	if n, err := s.Messages().Count("vm"); err != nil || n != 3 || len(page) != 3 {
		t.Fatalf("%d messages, %d listed, %v", n, len(page), err)
	}
	m := page[0]
	tag := s.Messages().ETag(m)
	read, err := s.Messages().Update(ctx, m.ID, tag, func(x *store.Message) error { x.Read = true; return nil })
	ok(t, err)
	if !read.Read || read.Revision != 2 || !read.CreatedAt.Equal(m.CreatedAt) {
		t.Errorf("read: %+v", read)
	}
	_, err = s.Messages().Update(ctx, m.ID, tag, func(*store.Message) error { return nil })
	wants(t, err, store.ErrPrecondition)
	refused := errors.New("refused")
	_, err = s.Messages().Update(ctx, m.ID, "", func(*store.Message) error { return refused })
	wants(t, err, refused)
	moved, err := s.Messages().Update(ctx, m.ID, "", func(x *store.Message) error { x.BoxID = "vmbox_b"; return nil })
	ok(t, err)
	if n, _ := s.Messages().Count("vm"); n != 2 || moved.BoxID != "vmbox_b" {
		t.Errorf("after moving one there are %d", n)
	}
	gone, err := s.Messages().Delete(ctx, m.ID, s.Messages().ETag(moved))
	ok(t, err)
	if gone.ID != m.ID {
		t.Errorf("deleted %+v", gone)
	}
	_, err = s.Messages().Delete(ctx, m.ID, "")
	wants(t, err, store.ErrNotFound)
	if n, _ := s.Messages().Count("vmbox_b"); n != 2 {
		t.Errorf("after deleting one there are %d", n)
	}
}

func TestPrune(t *testing.T) {
	c := &clock{moment}
	s := open(t, t.TempDir(), store.Options{Now: c.Now})
	dir := t.TempDir()
	for n := range 3 {
		ok(t, s.SaveCall(ctx, call(n), []flows.Step{{}}))
		path := filepath.Join(dir, fmt.Sprint(n))
		ok(t, os.WriteFile(path, nil, 0o600))
		ok(t, s.Recordings().Save(ctx, &store.Recording{CallID: "c", Path: path, CreatedAt: moment.Add(time.Duration(n) * time.Hour)}))
		ok(t, s.Messages().Save(ctx, &store.Message{BoxID: "b", Path: filepath.Join(dir, "missing")}))
	}
	claim, _, err := s.ClaimReply("k", nil)
	ok(t, err)
	ok(t, claim.Keep(ctx, store.Reply{Status: 201}))
	c.pass(25 * time.Hour)
	r := store.Retention{Calls: 25*time.Hour - 90*time.Second, Recordings: 24 * time.Hour, Messages: time.Hour, Remove: os.Remove}
	p, err := s.Prune(ctx, r)
	ok(t, err)
	if p != (store.Pruned{Calls: 2, Recordings: 1, Messages: 3, Replies: 1}) {
		t.Errorf("pruned %+v", p)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	ok(t, err)
	_, traced := s.Trace("call_000")
	if n, _ := s.Recordings().Count("c"); n != 2 || len(left) != 2 || !errors.Is(traced, store.ErrNotFound) {
		t.Errorf("left: %v, %d rows, %v", left, n, traced)
	}
	r.Remove = func(string) error { return os.ErrPermission }
	c.pass(24 * time.Hour)
	if _, err := s.Prune(ctx, r); !errors.Is(err, os.ErrPermission) {
		t.Errorf("a file that cannot be removed: %v", err)
	}
	if n, _ := s.Recordings().Count("c"); n != 2 {
		t.Error("a row went and its file stayed")
	}
}

func TestWebhookForm(t *testing.T) {
	s := fresh(t)
	insecure := open(t, t.TempDir(), store.Options{InsecureWebhooks: true})
	for _, c := range []struct {
		url, event        string
		good, goodPrivate bool
	}{
		{"https://example.com/x?y=1", "*", true, true},
		{"https://10.0.0.1/x", "call.*", true, true},
		{"http://example.com", "call.initiated", false, true},
		{"ftp://example.com", "*", false, false},
		{"https:///x", "*", false, false},
		{"https://:8443/x", "*", false, false},
		{"https://a:b@example.com", "*", false, false},
		{"https://example.com/" + strings.Repeat("x", 2048), "*", false, false},
		{"example.com", "*", false, false},
		{"", "*", false, false},
		{"https://example.com", "call.exploded", false, false},
		{"https://example.com", "ca*", false, false},
		{"https://example.com", "foo.*", false, false},
		{"https://example.com", "", false, false},
	} {
		for where, want := range map[*store.Store]bool{s: c.good, insecure: c.goodPrivate} {
			w := webhook()
			w.URL, w.Events = c.url, []string{c.event}
			if err := where.Webhooks().Create(ctx, w); (err == nil) != want {
				t.Errorf("%s %s: %v", c.url, c.event, err)
			}
		}
	}
	w := webhook()
	w.SigningSecret = "whsec_short"
	if err := s.Webhooks().Create(ctx, w); err == nil {
		t.Error("a short secret was taken")
	}
	w.SigningSecret, w.Events = "", nil
	if err := s.Webhooks().Create(ctx, w); err == nil {
		t.Error("a webhook without events was taken")
	}
}

func TestWebhooks(t *testing.T) {
	s := fresh(t)
	w, other := webhook(), webhook()
	other.Events = []string{"call.completed", "recording.*"}
	ok(t, s.Webhooks().Create(ctx, w))
	ok(t, s.Webhooks().Create(ctx, other))
	if key, good := store.SecretBytes(w.SigningSecret); !good || len(key) != 24 || w.SigningSecret == other.SigningSecret {
		t.Errorf("the secret is %s", w.SigningSecret)
	}
	for name, want := range map[events.Name]bool{events.CallCompleted: true, events.CallFailed: false, events.RecordingFailed: true} {
		if other.Wants(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
	ok(t, s.DisableWebhook(ctx, w.ID, "410"))
	if a := s.ActiveWebhooks(); len(a) != 1 || a[0].ID != other.ID {
		t.Errorf("active: %+v", a)
	}
	got, err := s.Webhook(w.ID)
	ok(t, err)
	if got.Active || got.DisabledReason != "410" || got.Wants(events.CallInitiated) {
		t.Errorf("disabled: %+v", got)
	}
	got, err = s.Webhooks().Update(ctx, w.ID, "", func(x *store.Webhook) error { x.Active = true; return nil })
	ok(t, err)
	if got.DisabledReason != "" || got.SigningSecret != w.SigningSecret {
		t.Errorf("enabled: %+v", got)
	}
}

func TestDeliveryLog(t *testing.T) {
	s := open(t, t.TempDir(), store.Options{DeliveryLog: 10})
	w := webhook()
	ok(t, s.Webhooks().Create(ctx, w))
	for n := range 25 {
		d := store.Delivery{ID: fmt.Sprintf("delv_%02d", n), WebhookID: w.ID, Result: store.DeliveryRetrying, CreatedAt: moment.Add(time.Duration(n) * time.Second)}
		ok(t, s.SaveDeliveries(ctx, []store.Delivery{d, {WebhookID: "wh_gone"}}))
		d.Result = store.DeliveryDelivered
		d.Attempts = []store.DeliveryAttempt{{StatusCode: http.StatusNoContent}}
		ok(t, s.SaveDeliveries(ctx, []store.Delivery{d}))
	}
	page, next, err := s.Deliveries().List(store.Query[store.Delivery]{Owner: w.ID, Newest: true}, "", 20)
	ok(t, err)
	if len(page) != 10 || next != "" || page[0].ID != "delv_24" || page[9].ID != "delv_15" || page[0].Result != store.DeliveryDelivered || page[0].Attempts[0].StatusCode != http.StatusNoContent {
		t.Errorf("the log: %d entries, %+v", len(page), page)
	}
	ok(t, s.Webhooks().Delete(ctx, w.ID, ""))
	if n, _ := s.Deliveries().Count(w.ID); n != 0 {
		t.Errorf("%d deliveries outlived their webhook", n)
	}
	if n, _ := s.Deliveries().Count("wh_gone"); n != 0 {
		t.Error("a deleted webhook got deliveries")
	}
}

func TestRoutingSecretStays(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, store.Options{})
	first, err := s.RoutingSecret()
	ok(t, err)
	ok(t, s.Close())
	second, err := open(t, dir, store.Options{}).RoutingSecret()
	ok(t, err)
	if _, good := store.SecretBytes(first); !good || first != second {
		t.Errorf("%q, then %q", first, second)
	}
}
