package api_test

import (
	"context"
	"testing"
)

// runQueues runs the queues until the end of the test.
func (b *bench) runQueues() {
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error)
	go func() { ran <- b.hall.Run(ctx) }()
	b.t.Cleanup(func() {
		stop()
		<-ran
	})
}

func TestQueueOfTheFirstStart(t *testing.T) {
	b := newBench(t)
	b.runQueues()
	got := b.want(b.do("GET", "/v2/queues/queue_support", ""), 200)
	if got.str("name") != "Support" || got.str("strategy") != "ring_all" {
		t.Errorf("%v", got.json)
	}
	for _, path := range []string{"/entries", "/members"} {
		list := b.want(b.do("GET", "/v2/queues/queue_support"+path, ""), 200)
		if data, ok := list.json["data"].([]any); !ok || len(data) != 0 {
			t.Errorf("%s: %v", path, list.json)
		}
	}
	figures := b.want(b.do("GET", "/v2/queues/queue_support/statistics", ""), 200)
	if figures.json["service_level"] != 1.0 || figures.json["offered"] != 0.0 {
		t.Errorf("%v", figures.json)
	}
}

func TestQueueMembersArePausedAndLoggedOut(t *testing.T) {
	b := newBench(t)
	b.runQueues()
	b.want(b.do("POST", "/v2/queues", `{"queue_id": "q", "name": "Q", "members": [
		{"destination": "+14155552673", "destination_type": "phone_number", "name": "Anna"},
		{"destination": "sip:ben@example.com", "destination_type": "sip"}]}`), 201)
	m := b.want(b.do("POST", "/v2/queues/q/members/+14155552673/pause", `{"reason": "Lunch"}`), 200)
	if m.json["paused"] != true || m.str("reason") != "Lunch" || m.str("name") != "Anna" {
		t.Errorf("%v", m.json)
	}
	m = b.want(b.do("POST", "/v2/queues/q/members/%2B14155552673/unpause", ""), 200)
	if m.json["paused"] != false || m.str("reason") != "" {
		t.Errorf("%v", m.json)
	}
	m = b.want(b.do("POST", "/v2/queues/q/members/sip%3Aben%40example.com/logout", ""), 200)
	if m.json["logged_in"] != false {
		t.Errorf("%v", m.json)
	}
	if m = b.want(b.do("POST", "/v2/queues/q/members/sip:ben@example.com/login", "{}"), 200); m.json["logged_in"] != true {
		t.Errorf("%v", m.json)
	}
	b.want(b.do("POST", "/v2/queues/q/members/nobody/pause", ""), 404, "not_found")
	b.want(b.do("POST", "/v2/queues/none/members/nobody/pause", ""), 404, "not_found")
	b.want(b.do("POST", "/v2/queues/q/members/+14155552673/pause", `{"raeson": "x"}`), 400, "invalid_request")
	b.want(b.do("DELETE", "/v2/queues/q/entries/qe_none", ""), 404, "not_found")
	b.want(b.do("PATCH", "/v2/queues/q/entries/qe_none", `{"priority": 2}`), 404, "not_found")
	b.want(b.do("PATCH", "/v2/queues/q/entries/qe_none", `{"priority": 2000}`), 400, "invalid_request")
	b.want(b.do("POST", "/v2/queues/q/statistics/reset", ""), 200)
	b.want(b.do("GET", "/v2/queues/none/entries", ""), 404, "not_found")
	b.want(b.do("DELETE", "/v2/queues/q", ""), 204)
	b.want(b.do("GET", "/v2/queues/q/members", ""), 404, "not_found")
}

func TestQueueSaysWhatIsWrongWithIt(t *testing.T) {
	b := newBench(t)
	got := b.want(b.do("POST", "/v2/queues", `{"queue_id": "q2", "name": "Q", "members": [{"destination": "nobody", "destination_type": "device"}]}`), 201)
	if list, _ := got.json["warnings"].([]any); len(list) != 1 {
		t.Errorf("warnings: %v", got.json["warnings"])
	}
	b.want(b.do("POST", "/v2/queues", `{"name": "Q", "members": [{"destination": "+1", "destination_type": "phone_number"}]}`), 400, "invalid_number")
	b.want(b.do("POST", "/v2/queues", `{"name": "Q", "strategy": "random"}`), 400, "invalid_request")
	b.want(b.do("POST", "/v2/queues", `{"name": "Q", "membres": []}`), 400, "invalid_request")
}
