package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"b2bua/store"
)

type openAPI struct {
	OpenAPI string `json:"openapi"`
	Info    struct{ Title, Version string }
	Paths   map[string]map[string]struct {
		OperationID string `json:"operationId"`
		Summary     string
		Parameters  []struct{ Name, In, Description string }
		RequestBody *struct {
			Content map[string]struct{ Schema map[string]any }
		} `json:"requestBody"`
		Responses map[string]any
	}
	Components struct {
		Schemas         map[string]map[string]any
		SecuritySchemes map[string]any `json:"securitySchemes"`
	}
}

func document(t *testing.T, b *bench) (openAPI, string) {
	t.Helper()
	a := b.want(b.do("GET", "/v2/openapi.json", "", "X-Auth-Token", ""), 200)
	var doc openAPI
	if err := json.Unmarshal(a.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	return doc, a.Body.String()
}

func TestOpenAPI(t *testing.T) {
	b := newBench(t)
	doc, text := document(t, b)
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") || doc.Info.Title == "" || doc.Info.Version != "test" || len(doc.Components.SecuritySchemes) != 2 {
		t.Errorf("head: %s %+v", doc.OpenAPI, doc.Info)
	}
	for _, ref := range regexp.MustCompile(`"\$ref":"([^"]*)"`).FindAllStringSubmatch(text, -1) {
		name, ok := strings.CutPrefix(ref[1], "#/components/schemas/")
		if !ok || doc.Components.Schemas[name] == nil {
			t.Errorf("%s leads nowhere", ref[1])
		}
	}
	seen := map[string]bool{}
	for path, item := range doc.Paths {
		named := regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(path, -1)
		for method, op := range item {
			if op.OperationID == "" || seen[op.OperationID] || op.Summary == "" || len(op.Responses) == 0 {
				t.Errorf("%s %s: id %q, summary %q, %d replies", method, path, op.OperationID, op.Summary, len(op.Responses))
			}
			seen[op.OperationID] = true
			if _, there := op.Responses["422"]; there {
				t.Errorf("%s %s documents 422, which is never sent", method, path)
			}
			for _, n := range named {
				found := false
				for _, p := range op.Parameters {
					found = found || p.In == "path" && p.Name == n[1]
				}
				if !found {
					t.Errorf("%s %s does not document %s", method, path, n[1])
				}
			}
			if op.RequestBody != nil && op.RequestBody.Content["application/json"].Schema == nil && op.RequestBody.Content["audio/wav"].Schema == nil {
				t.Errorf("%s %s has a body without a schema", method, path)
			}
		}
	}
	for _, want := range []string{"/v2/call-flows", "/v2/call-flows/{id}", "/v2/ivr-menus", "/v2/prompts", "/v2/prompts/{id}/audio", "/v2/calendars/{id}", "/v2/voicemail-boxes/{id}/messages/{message_id}/audio",
		"/v2/devices", "/v2/trunks", "/v2/phone-numbers", "/v2/webhooks/{id}/deliveries", "/v2/webhooks/{id}/test", "/v2/webhooks/{id}/rotate-secret",
		"/v2/calls", "/v2/calls/{id}/trace", "/v2/calls/{id}/answer", "/v2/calls/{id}/decline", "/v2/calls/{id}/transfer", "/v2/calls/{id}/record",
		"/v2/calls/{id}/record/start", "/v2/calls/{id}/record/stop", "/v2/calls/{id}/record/pause", "/v2/calls/{id}/record/resume",
		"/v2/calls/{id}/play-audio", "/v2/calls/{id}/play-audio/stop", "/v2/calls/{id}/gather-dtmf", "/v2/calls/{id}/send-dtmf", "/v2/calls/{id}/hangup",
		"/v2/calls/{id}/hold", "/v2/calls/{id}/resume", "/v2/calls/{id}/mute", "/v2/calls/{id}/unmute", "/v2/calls/{id}/tags",
		"/v2/recordings/{id}/audio", "/v2/api-keys", "/v2/events"} {
		if doc.Paths[want] == nil {
			t.Errorf("%s is not documented", want)
		}
	}
	flow := doc.Components.Schemas["CallFlow"]
	if r, _ := json.Marshal(flow["required"]); string(r) != `["name","routing"]` {
		t.Errorf("a flow requires %s", r)
	}
	for schema, field := range map[string]string{"Recording": "path", "Message": "path", "APIKey": "hash"} {
		p, _ := doc.Components.Schemas[schema]["properties"].(map[string]any)
		if _, shown := p[field]; shown || len(p) == 0 {
			t.Errorf("%s shows %s, or nothing: %v", schema, field, p)
		}
	}
}

// Every documented route, without a key, with a wrong one, with one whose scope
// is too small, and with the right one.
func TestAuthMatrix(t *testing.T) {
	b := newBench(t)
	doc, _ := document(t, b)
	keys := map[store.Scope]string{}
	for _, scope := range []store.Scope{store.ScopeRead, store.ScopeWrite, store.ScopeAdmin} {
		secret, _, err := b.store.CreateKey(t.Context(), string(scope), scope)
		if err != nil {
			t.Fatal(err)
		}
		keys[scope] = secret
	}
	for path, item := range doc.Paths {
		for method := range item {
			method := strings.ToUpper(method)
			url := regexp.MustCompile(`\{\w+\}`).ReplaceAllString(path, "x")
			if path == "/v2/events" {
				url += "?events=nothing.of.that.name" // an answer instead of a stream
			}
			body := ""
			if method != "GET" && method != "DELETE" {
				body = "{}"
			}
			none := b.want(b.do(method, url, body, "X-Auth-Token", ""), 401, "unauthorized")
			for _, wrong := range []string{"wrong", "b2b_" + strings.Repeat("a", 26), strings.Repeat("x", 1000)} {
				a := b.want(b.do(method, url, body, "X-Auth-Token", wrong), 401, "unauthorized")
				if a.str("message") != none.str("message") {
					t.Errorf("%s %s tells a wrong key from none", method, url)
				}
			}
			need := store.ScopeWrite
			switch {
			case strings.HasPrefix(path, "/v2/api-keys"), strings.HasSuffix(path, "/pcap"):
				need = store.ScopeAdmin
			case method == "GET":
				need = store.ScopeRead
			}
			for scope, key := range keys {
				a := b.do(method, url, body, "X-Auth-Token", "", "Authorization", "Bearer "+key)
				if allowed := a.Code != 401 && a.Code != 403; allowed != scope.Allows(need) {
					t.Errorf("%s %s with scope %s: %d %s", method, url, scope, a.Code, a.Body)
				}
				if a.Code == 404 && a.str("message") == "There is nothing at this path" || a.Code == 405 || a.Code >= 500 && path != "/v2/webhooks/{id}/test" {
					t.Errorf("%s %s is documented but answers %d %s", method, url, a.Code, a.Body)
				}
			}
		}
	}
	for _, path := range []string{"/v2", "/v2/", "/v2/none", "/v2/openapi.jsonx", "/v2//call-flows", "/V2/call-flows", "/docsx", "/metrics/x"} {
		if a := b.do("GET", path, "", "X-Auth-Token", ""); a.Code != 401 {
			t.Errorf("%s without a key: %d", path, a.Code)
		}
	}
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/docs", "/docs/page.js", "/docs/page.css", "/v2/openapi.json"} {
		b.want(b.do("GET", path, "", "X-Auth-Token", ""), 200)
	}
	// Keys in the address are not looked at, and two different keys are none.
	b.want(b.do("GET", "/v2/call-flows?x-auth-token="+b.key, "", "X-Auth-Token", ""), 401)
	b.want(b.do("GET", "/v2/call-flows", "", "Authorization", "Bearer other"), 401)
}

func TestKeysCanBeRevoked(t *testing.T) {
	b := newBench(t)
	made := b.want(b.do("POST", "/v2/api-keys", `{"name":"dashboard"}`), 201)
	key, id := made.str("key"), made.str("id")
	if key == "" || made.str("scope") != "read" || made.Header().Get("Location") != "/v2/api-keys/"+id {
		t.Fatalf("made %s", made.Body)
	}
	b.want(b.do("GET", "/v2/call-flows", "", "X-Auth-Token", key), 200)
	for _, path := range []string{"/v2/api-keys", "/v2/api-keys/" + id} {
		if a := b.want(b.do("GET", path, ""), 200); strings.Contains(a.Body.String(), key) {
			t.Errorf("the key is shown again: %s", a.Body)
		}
	}
	b.want(b.do("DELETE", "/v2/api-keys/"+id, ""), 204)
	b.want(b.do("GET", "/v2/call-flows", "", "X-Auth-Token", key), 401)
	own, ok := b.store.FindKey(b.key)
	if !ok {
		t.Fatal("the admin key is gone")
	}
	b.want(b.do("DELETE", "/v2/api-keys/"+own.ID, ""), 409, "conflict")
	b.want(b.do("POST", "/v2/api-keys", `{"name":"x","scope":"root"}`), 400, "invalid_request")
}

func TestDocsLoadNothingFromElsewhere(t *testing.T) {
	b := newBench(t)
	for _, path := range []string{"/docs", "/docs/page.js", "/docs/page.css"} {
		a := b.want(b.do("GET", path, "", "X-Auth-Token", ""), 200)
		if strings.Contains(a.Body.String(), "://") || !strings.Contains(a.Header().Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s points elsewhere or has no policy: %v", path, a.Header())
		}
	}
	if a := b.do("GET", "/", "", "X-Auth-Token", ""); a.Code != http.StatusFound || a.Header().Get("Location") != "/docs" {
		t.Errorf("/ answers %d", a.Code)
	}
}

func TestHeadersOfEveryReply(t *testing.T) {
	b := newBench(t)
	for given, want := range map[string]string{"abc-1.2:3_x": "abc-1.2:3_x", "bad id": "req_", strings.Repeat("a", 200): "req_", "": "req_"} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/v2/call-flows", nil)
		r.Header.Set("X-Auth-Token", b.key)
		if given != "" {
			r.Header.Set("X-Request-Id", given)
		}
		if got := b.send(r).Header().Get("X-Request-Id"); !strings.HasPrefix(got, want) {
			t.Errorf("%q comes back as %q", given, got)
		}
	}
}
