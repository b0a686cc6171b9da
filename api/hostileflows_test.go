package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Flows made to hurt: each is refused with a clear error, or taken within its
// bounds, in seconds and with bounded memory.
func TestHostileFlows(t *testing.T) {
	h := newBench(t)
	rule := `{"pattern": "*", "destination": "x", "destination_type": "hangup"}`
	flow := func(routing string) string { return `{"name": "x", "routing": [` + routing + `]}` }
	many := func(n int, one string) string { return strings.TrimSuffix(strings.Repeat(one+",", n), ",") }
	pattern := func(p string) string {
		return flow(fmt.Sprintf(`{"pattern": %q, "destination": "x", "destination_type": "hangup"}`, p))
	}
	for what, c := range map[string]struct {
		body   string
		status int
		says   string
	}{
		"10 MB":                {`{"name": "` + strings.Repeat("x", 10<<20) + `"}`, http.StatusRequestEntityTooLarge, "payload_too_large"},
		"100,000 rules":        {flow(many(100_000, rule)), http.StatusRequestEntityTooLarge, "payload_too_large"},
		"100,000 short rules":  {flow(many(100_000, `{}`)), http.StatusBadRequest, "at most 1000"},
		"1,001 rules":          {flow(many(1001, rule)), http.StatusBadRequest, "at most 1000"},
		"deep JSON":            {strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000), http.StatusBadRequest, "nested deeper"},
		"deep lists":           {`{"routing": ` + strings.Repeat("[", 400_000) + `}`, http.StatusBadRequest, "nested deeper"},
		"a bomb of classes":    {pattern(strings.Repeat("[0-9]", 100_000)), http.StatusBadRequest, "at most 32 keys"},
		"32 classes":           {pattern(strings.Repeat("[0-9]", 32)), http.StatusCreated, ""},
		"an endless class":     {pattern("[" + strings.Repeat("0-9", 100_000)), http.StatusBadRequest, "never closed"},
		"a range that is none": {pattern("[9-0]"), http.StatusBadRequest, "runs backwards"},
		"a zone of dots":       {flow(`{"pattern": "*", "destination": "x", "destination_type": "hangup", "conditions": {"time_range": {"start": "09:00", "end": "10:00", "timezone": "../../../etc/passwd"}}}`), http.StatusBadRequest, "not an IANA time zone"},
		"a long zone":          {flow(`{"pattern": "*", "destination": "x", "destination_type": "hangup", "conditions": {"time_range": {"start": "09:00", "end": "10:00", "timezone": "` + strings.Repeat("A/", 100_000) + `"}}}`), http.StatusBadRequest, "not an IANA time zone"},
	} {
		t.Run(what, func(t *testing.T) {
			begun := time.Now()
			reply := h.do("POST", "/v2/call-flows", c.body)
			if reply.Code != c.status || !strings.Contains(reply.Body.String(), c.says) {
				t.Errorf("%d %.300s", reply.Code, reply.Body.String())
			}
			if took := time.Since(begun); took > 20*time.Second {
				t.Errorf("it took %s", took)
			}
			if c.status != http.StatusCreated && reply.Body.Len() > 64<<10 {
				t.Errorf("the error has %d bytes", reply.Body.Len())
			}
		})
	}
}
