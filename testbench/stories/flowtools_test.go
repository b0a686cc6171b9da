package stories_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// A routing webhook is asked about a sample call: signed, within its time, and
// whoever asks is told what a call would do with the reply.
func TestWebhookIsTriedOut(t *testing.T) {
	story(t, func(s *stage) {
		flow := s.flow(askThenSales).str("call_flow_id")
		try := func() doc {
			return s.api(http.MethodPost, "/v2/call-flows/"+flow+"/webhook-test", `{"from": "`+caller+`"}`, http.StatusOK)
		}
		s.customer.does(func(w http.ResponseWriter, a asked) {
			for _, name := range []string{"X-Audian-Signature", "X-Audian-Timestamp", "Webhook-Signature", "X-Idempotency-Key"} {
				if a.header.Get(name) == "" {
					s.Errorf("no %s", name)
				}
			}
			if a.doc.str("call_id") != "call_simulated" || a.doc.str("from") != caller || a.doc.str("to") != did || a.doc.str("call_type") != "inbound" {
				s.Errorf("asked %s", a.body)
			}
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(map[string]any{"destination": support, "destination_type": "phone_number", "tags": map[string]string{"a": "b"}})
		})
		good := try()
		if good.at("passed") != true || good.str("decision", "destination") != support || !strings.Contains(traceLines(doc{"steps": good.list("would")}), "on to phone number "+support) {
			s.Errorf("%v", good)
		}
		s.customer.does(func(w http.ResponseWriter, _ asked) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"destination": "12", "destination_type": "phone_number"}`))
		})
		for range 10 { // more than a breaker takes
			if bad := try(); bad.at("passed") != false || !strings.Contains(bad.str("problem"), "the decision is not valid: destination") ||
				!strings.Contains(traceLines(doc{"steps": bad.list("would")}), "webhook failed") {
				s.Fatalf("%v", bad)
			}
		}
		s.api(http.MethodPost, "/v2/call-flows/"+flow+"/webhook-test", `{"url": "https://elsewhere.example.com/"}`, http.StatusBadRequest)
	}, undrawn)
}
