package api_test

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"b2bua/events"
)

// example is one curl command of the page.
type example struct {
	method, path, body string
	headers            []string
	json               map[string]any
}

// pageExamples reads the curl commands out of the page, as they stand there.
func pageExamples(t *testing.T) (page string, list []example) {
	t.Helper()
	raw, err := os.ReadFile("testdata/inbound-calls.md")
	if err != nil {
		t.Fatal(err)
	}
	page = string(raw)
	command := regexp.MustCompile(`(?s)curl -X (\w+) https://[^/\s]+(/\S+) \\\n(.*?)-d '(.*?)'\n`)
	header := regexp.MustCompile(`-H "([^:]+): ([^"]*)"`)
	for _, m := range command.FindAllStringSubmatch(page, -1) {
		e := example{method: m[1], path: m[2], body: m[4]}
		for _, h := range header.FindAllStringSubmatch(m[3], -1) {
			e.headers = append(e.headers, h[1], h[2])
		}
		if err := json.Unmarshal([]byte(e.body), &e.json); err != nil {
			t.Fatalf("%s %s: %v", e.method, e.path, err)
		}
		list = append(list, e)
	}
	if n := strings.Count(page, "curl -X"); n != len(list) || n == 0 {
		t.Fatalf("%d of %d commands were read", len(list), n)
	}
	return page, list
}

// contains reports what of want is not in got: every field of the page must
// come back with its name, its type and its value.
func contains(got, want any, path string) (missing []string) {
	switch want := want.(type) {
	case map[string]any:
		m, ok := got.(map[string]any)
		if !ok {
			return []string{path}
		}
		for k, v := range want {
			missing = append(missing, contains(m[k], v, path+"."+k)...)
		}
	case []any:
		l, ok := got.([]any)
		if !ok || len(l) != len(want) {
			return []string{path}
		}
		for i := range want {
			missing = append(missing, contains(l[i], want[i], path+"[]")...)
		}
	default:
		if got != want {
			return []string{path}
		}
	}
	return missing
}

// Every request of the page must be accepted as it stands, in the order of the
// page, and what was sent must come back.
func TestEveryRequestOfThePage(t *testing.T) {
	b := newBench(t)
	live := b.begin("call_xyz789")
	_, list := pageExamples(t)
	for _, e := range list {
		if strings.HasSuffix(e.path, "/cf_abc123") { // the page's reply names this flow
			made := b.flow(`{"call_flow_id":"cf_abc123","name":"Support Line","routing":[{"pattern":"*","destination":"ivr_main","destination_type":"ivr_menu"}]}`)
			_ = made
		}
		headers := append([]string{}, e.headers...)
		for i, h := range headers {
			if h == "YOUR_API_KEY" {
				headers[i] = b.key
			}
		}
		a := b.do(e.method, e.path, e.body, headers...)
		want := map[string]int{"POST": 201, "PATCH": 200}[e.method]
		if strings.HasPrefix(e.path, "/v2/calls/") {
			want = 200
		}
		if a.Code != want {
			t.Errorf("%s %s with\n%s\nanswered %d %s", e.method, e.path, e.body, a.Code, a.Body)
			continue
		}
		if strings.HasPrefix(e.path, "/v2/calls/") {
			continue
		}
		if missing := contains(a.json, e.json, ""); len(missing) > 0 {
			t.Errorf("%s %s: the reply lacks %v:\n%s", e.method, e.path, missing, a.Body)
		}
		if e.method == "POST" && a.Header().Get("Location") == "" {
			t.Errorf("%s %s: no Location", e.method, e.path)
		}
	}
	if got := live.last(); got == nil || !strings.Contains(mustJSON(t, got), "You will be connected shortly") {
		t.Errorf("the call was asked %v", live.last())
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The documented reply to the creation of a flow: the same names and types.
func TestReplyShapeOfThePage(t *testing.T) {
	b := newBench(t)
	page, list := pageExamples(t)
	_, reply, found := strings.Cut(page, "Response:\n")
	if !found {
		t.Fatal("the page has no reply")
	}
	var want map[string]any
	if err := json.NewDecoder(strings.NewReader(reply)).Decode(&want); err != nil {
		t.Fatal(err)
	}
	got := b.want(b.do(list[0].method, list[0].path, list[0].body), 201)
	for name, v := range want {
		switch name {
		case "call_flow_id":
			if !strings.HasPrefix(got.str(name), "cf_") {
				t.Errorf("%s is %v", name, got.json[name])
			}
		case "created_at":
			at, err := time.Parse(time.RFC3339, got.str(name))
			if err != nil || !strings.HasSuffix(got.str(name), "Z") || time.Since(at) > time.Minute {
				t.Errorf("%s is %v", name, got.json[name])
			}
		default:
			if missing := contains(got.json[name], v, name); len(missing) > 0 {
				t.Errorf("%v differ: %s", missing, got.Body)
			}
		}
	}
}

// The three documented errors, word for word, where they can be caused by a
// request. The third is shown by calls that ended so.
func TestErrorsOfThePage(t *testing.T) {
	b := newBench(t)
	page, _ := pageExamples(t)
	documented := map[string]map[string]any{}
	for _, m := range regexp.MustCompile(`(?s)\{\n"error":.*?\n\}`).FindAllString(page, -1) {
		var e map[string]any
		if err := json.Unmarshal([]byte(m), &e); err != nil {
			t.Fatal(err)
		}
		documented[e["error"].(string)] = e
	}
	if len(documented) != 3 {
		t.Fatalf("the page documents %v", documented)
	}
	b.ended("call_x", time.Now(), func(r *events.CallRecord) {
		r.Status = events.StatusFailed
		r.Error = &events.Problem{Error: "routing_failed", Message: "All routing attempts failed", Code: http.StatusServiceUnavailable}
	})
	if shown := b.do("GET", "/v2/calls/call_x", "").json["error"]; len(contains(shown, documented["routing_failed"], "")) > 0 {
		t.Errorf("a call that reached nobody shows %v", shown)
	}
	for slug, a := range map[string]answer{
		"invalid_number": b.do("POST", "/v2/call-flows", `{"name":"x","routing":[{"pattern":"*","destination":"555-not-a-number","destination_type":"phone_number"}]}`),
		"not_found":      b.do("GET", "/v2/call-flows/cf_none", ""),
	} {
		if missing := contains(a.json, documented[slug], ""); len(missing) > 0 || float64(a.Code) != documented[slug]["code"] {
			t.Errorf("%s: %v differ: %d %s", slug, missing, a.Code, a.Body)
		}
	}
}
