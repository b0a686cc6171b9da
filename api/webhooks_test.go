package api_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"b2bua/api"
	"b2bua/flows"
	"b2bua/store"
)

// tester pretends to deliver.
type tester struct{ asked []string }

func (f *tester) Test(_ context.Context, id string) (store.Delivery, error) {
	f.asked = append(f.asked, id)
	return store.Delivery{ID: "delv_1", WebhookID: id, Result: store.DeliveryDelivered}, nil
}

func TestWebhookTestAndDeliveries(t *testing.T) {
	f := &tester{}
	b := newBench(t, func(d *api.Deps) { d.Webhooks = f })
	b.want(b.do("POST", "/v2/webhooks", `{"id":"wh_a","url":"https://example.com/e","events":["call.*"]}`), 201)
	if a := b.want(b.do("POST", "/v2/webhooks/wh_a/test", ""), 200); a.str("delivery_id") != "delv_1" || a.str("result") != "delivered" || len(f.asked) != 1 {
		t.Errorf("asked %v, replied %s", f.asked, a.Body)
	}
	now := time.Now()
	err := b.store.SaveDeliveries(t.Context(), []store.Delivery{
		{ID: "delv_old", WebhookID: "wh_a", EventID: "evt_a", CreatedAt: now.Add(-time.Minute)}, {ID: "delv_new", WebhookID: "wh_a", EventID: "evt_b", CreatedAt: now}})
	if err != nil {
		t.Fatal(err)
	}
	a := b.want(b.do("GET", "/v2/webhooks/wh_a/deliveries?limit=1", ""), 200)
	if rows := a.json["data"].([]any); len(rows) != 1 || rows[0].(map[string]any)["delivery_id"] != "delv_new" || a.json["next_cursor"] == nil {
		t.Errorf("deliveries %s", a.Body)
	}
	b.want(b.do("GET", "/v2/webhooks/wh_none/deliveries", ""), 404, "not_found")
}

// What the configuration file gives can be read but not changed here.
func TestConfigOwnedResources(t *testing.T) {
	b := newBench(t)
	_, err := b.store.Seed(t.Context(), flows.Nouns{Trunks: []*flows.Trunk{{Name: "carrier", Hosts: []string{"192.0.2.1"}}}})
	if err != nil {
		t.Fatal(err)
	}
	b.want(b.do("GET", "/v2/trunks/trunk_carrier", ""), 200)
	for _, method := range []string{"DELETE", "PATCH"} {
		body := ""
		if method == "PATCH" {
			body = `{"name":"x"}`
		}
		if a := b.want(b.do(method, "/v2/trunks/trunk_carrier", body), 409, "conflict"); !strings.Contains(a.str("message"), "configuration file") {
			t.Errorf("%s says %s", method, a.Body)
		}
	}
}
