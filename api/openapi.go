package api

import (
	_ "embed"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"b2bua/events"
	"b2bua/flows"
	"b2bua/queue"
	"b2bua/store"
)

const about = `The API of a self-hosted SIP switch: call flows, IVR menus, voicemail, recordings, and control of live calls.

Send an API key in X-Auth-Token, or as a bearer token. Errors are always {error, message, code}. Times are RFC 3339 in UTC, phone numbers E.164. ` +
	`Lists are {data, next_cursor}. Every POST takes an Idempotency-Key, every stored resource has an ETag.`

// openAPIConfig is huma without the pages it would load from elsewhere.
func (s *Server) openAPIConfig() huma.Config {
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: "Switch API", Version: s.Config.Version, Description: about},
			Servers: []*huma.Server{{URL: "/"}},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", schemaName),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"token":  {Type: "apiKey", In: "header", Name: "X-Auth-Token"},
					"bearer": {Type: "http", Scheme: "bearer"},
				},
			},
			Security: []map[string][]string{{"token": {}}, {"bearer": {}}},
		},
		Formats: map[string]huma.Format{
			"application/json": huma.DefaultJSONFormat,
			"json":             huma.DefaultJSONFormat,
		},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{withRequestID},
	}
}

// schemaNames gives types whose names would collide, or mean nothing to a
// client, names of their own.
var schemaNames = map[reflect.Type]string{
	reflect.TypeFor[flows.Recording](): "RecordingSettings",
	reflect.TypeFor[events.Problem]():  "CallError",
	reflect.TypeFor[Problem]():         "Error",
	reflect.TypeFor[recordingView]():   "Recording",
	reflect.TypeFor[recordingBody]():   "WhichRecording",
	reflect.TypeFor[messageView]():     "Message",
	reflect.TypeFor[keyView]():         "APIKey",
	reflect.TypeFor[keyBody]():         "NewAPIKey",
	reflect.TypeFor[promptFields]():    "NewPrompt",
	reflect.TypeFor[answerBody]():      "Answer",
	reflect.TypeFor[declineBody]():     "Decline",
	reflect.TypeFor[playBody]():        "PlayAudio",
	reflect.TypeFor[hangupBody]():      "Hangup",
	reflect.TypeFor[tagsBody]():        "Tags",
	reflect.TypeFor[nothing]():         "Nothing",
	reflect.TypeFor[gatherBody]():      "GatherDTMF",
	reflect.TypeFor[transferBody]():    "Transfer",
	reflect.TypeFor[messagePatch]():    "MessagePatch",
	reflect.TypeFor[queue.Entry]():     "QueueEntry",
	reflect.TypeFor[queue.Member]():    "QueueMemberState",
	reflect.TypeFor[queue.Figures]():   "QueueStatistics",
	reflect.TypeFor[entryPatch]():      "QueueEntryPatch",
	reflect.TypeFor[pauseBody]():       "Pause",
	reflect.TypeFor[flows.Step]():      "TraceStep",
	reflect.TypeFor[store.Recording](): "StoredRecording",
}

func schemaName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if name, ok := schemaNames[t]; ok {
		return name
	}
	name := strings.TrimSuffix(huma.DefaultSchemaNamer(t, hint), "Body")
	if of, ok := strings.CutPrefix(name, "Page"); ok {
		name = "ListOf" + strings.TrimSuffix(of, "View")
		if name == "ListOfKey" {
			name = "ListOfAPIKey"
		}
	}
	return name
}

// required are the fields a client must give, where the Go types say otherwise
// because a reply always has them.
var required = map[string][]string{
	"CallFlow": {"name", "routing"}, "IVRMenu": {"name", "prompt"}, "VoicemailBox": {"name"},
	"Device": {"username", "password"}, "Trunk": {"name"}, "PhoneNumber": {"phone_number"},
	"Calendar": {"name", "timezone"}, "Queue": {"name"}, "QueueMember": {"destination", "destination_type"}, "QueueCallback": {"key", "numbers"}, "CalendarDate": {"name"},
	"Prompt": {"name"}, "NewPrompt": {"name"},
	"Webhook": {"url", "events"}, "RecordingSettings": {}, "GatherDTMF": {}, "Rule": {"pattern", "destination", "destination_type"},
}

// readOnly are the fields that only replies have.
var readOnly = []string{"created_at", "updated_at", "revision", "warnings", "disabled_reason", "status", "source", "duration", "sample_rate", "size", "sha256", "problem"}

// finishOpenAPI adds what the Go types cannot say, and takes away what they
// say but replies never show.
func (s *Server) finishOpenAPI() {
	schemas := s.huma.OpenAPI().Components.Schemas
	warning := schemas.Schema(reflect.TypeFor[flows.Warning](), true, "")
	status := schemas.Schema(reflect.TypeFor[TrunkStatus](), true, "")
	boxStatus := schemas.Schema(reflect.TypeFor[BoxStatus](), true, "")
	delete(schemas.Map(), "ListOfRawMessage") // each list documents its own
	s.huma.OpenAPI().Tags = sections
	warned := &huma.Schema{Type: huma.TypeArray, Items: warning, Description: "What was accepted but will not work as things stand"}
	for name, schema := range schemas.Map() {
		switch name {
		case "CallFlow", "IVRMenu", "PhoneNumber", "Device", "Queue":
			schema.Properties["warnings"] = warned
		case "Prompt":
			schema.Properties["warnings"] = warned
			delete(schema.Properties, "file")
		case "Trunk":
			schema.Properties["status"], schema.Properties["warnings"] = status, warned
		case "VoicemailBox":
			schema.Properties["status"], schema.Properties["warnings"] = boxStatus, warned
		case "Simulate", "Given":
			several := schema.Properties["outcomes"].AdditionalProperties.(*huma.Schema)
			schema.Properties["outcomes"].AdditionalProperties = &huma.Schema{OneOf: []*huma.Schema{{Type: huma.TypeString}, several}}
		case "Recording", "Message":
			delete(schema.Properties, "path")
			delete(schema.Properties, "head")
		case "GatherDTMF":
			for _, field := range []string{"menu_id", "name", "options", "fallback", "created_at", "updated_at", "revision"} {
				delete(schema.Properties, field) // they belong to a menu that is kept
			}
		}
		if fields, ok := required[name]; ok {
			schema.Required = fields
		}
		for field, p := range schema.Properties {
			if _, noun := required[name]; noun && slices.Contains(readOnly, field) {
				p.ReadOnly = true
			}
			p.WriteOnly = p.WriteOnly || field == "password" || field == "pin"
			if field == "destination_type" || field == "action" && name == "Fallback" {
				p.Enum = destinationTypes()
			}
		}
		describe(name, schema)
	}
}

func destinationTypes() []any {
	return []any{flows.ToMenu, flows.ToNumber, flows.ToVoicemail, flows.ToQueue, flows.ToWebhook, flows.ToDevice, flows.ToSIP,
		flows.ToRingGroup, flows.ToFlow, flows.ToHangup, flows.ToReject, flows.ToApplication, flows.ToSay, flows.ToAccess}
}

//go:embed docs.html
var docsPage []byte

//go:embed docs.css
var docsStyle []byte

//go:embed docs.js
var docsScript []byte

// plainRoutes are those outside of /v2, and the document itself.
func (s *Server) plainRoutes() {
	document, err := json.Marshal(s.huma.OpenAPI())
	if err != nil {
		document = []byte("{}") // a document of our own types always encodes; the tests see that it did
	}
	file := func(kind string, data []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.Header().Set("Cache-Control", "no-cache")
			w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
			_, _ = w.Write(data) // the client may be gone
		}
	}
	s.mux.Handle("GET /{$}", http.RedirectHandler("/docs", http.StatusFound))
	s.mux.Handle("GET /v2/openapi.json", file("application/json", document))
	s.mux.Handle("GET /docs", file("text/html; charset=utf-8", docsPage))
	s.mux.Handle("GET /docs/page.css", file("text/css; charset=utf-8", docsStyle))
	s.mux.Handle("GET /docs/page.js", file("text/javascript; charset=utf-8", docsScript))
	s.mux.Handle("GET /metrics", s.metrics.handler(s.Log))
	s.mux.HandleFunc("GET /healthz", health(nil))
	s.mux.HandleFunc("GET /readyz", health(s.Ready))
}

// health says whether the process lives (no check), or takes calls (check).
func health(check func() error) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		status, body := http.StatusOK, map[string]string{"status": "ok"}
		if check != nil {
			if err := check(); err != nil {
				status, body = http.StatusServiceUnavailable, map[string]string{"status": "unavailable", "reason": err.Error()}
			}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body) // the client may be gone
	}
}
