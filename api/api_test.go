package api_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"b2bua/api"
	"b2bua/call"
	"b2bua/events"
	"b2bua/flows"
	"b2bua/prompts"
	"b2bua/queue"
	"b2bua/store"
)

// bench is an API over a real store, with pretended calls.
type bench struct {
	t     testing.TB
	store *store.Store
	bus   *events.Bus
	calls *calls
	api   *api.Server
	key   string
	dir   string
	hall  *queue.Hall // runs only where a test asks it to
}

func newBench(t testing.TB, change ...func(*api.Deps)) *bench {
	t.Helper()
	dir := t.TempDir()
	st, err := store.Open(dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	key, err := st.EnsureAdminKey("")
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, store: st, bus: events.NewBus(), calls: &calls{live: map[string]*liveCall{}}, key: key, dir: dir}
	t.Cleanup(b.bus.Close)
	sounds := filepath.Join(dir, "prompts")
	if err := os.Mkdir(sounds, 0o750); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	d := api.Deps{
		Prompts: prompts.New(prompts.Config{Dir: sounds, Bytes: 1 << 20, Duration: 30 * time.Second}, st, prompts.Sources{Speak: parrot, Fetch: fetchNothing}, log),
		Config:  api.Config{DataDir: dir, RecordingsDir: filepath.Join(dir, "recordings"), VoicemailDir: filepath.Join(dir, "voicemail"), Version: "test"},
		Store:   st, Calls: b.calls, Bus: b.bus, Log: log,
	}
	hall := queue.NewHall(queue.Deps{Bus: b.bus, Keeper: st, Log: d.Log, KeyOf: func(m flows.QueueMember) string { return m.Destination }}, st.Plan())
	st.OnPlan(hall.Planned)
	d.Queues, b.hall = hall, hall
	for _, f := range change {
		f(&d)
	}
	if b.api, err = api.New(d); err != nil {
		t.Fatal(err)
	}
	return b
}

// answer is a reply as a test looks at it.
type answer struct {
	*httptest.ResponseRecorder
	json map[string]any
}

func (a answer) str(name string) string {
	s, _ := a.json[name].(string)
	return s
}

// do sends a request with the admin key. Headers are pairs.
func (b *bench) do(method, path, body string, headers ...string) answer {
	b.t.Helper()
	r := httptest.NewRequestWithContext(b.t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("X-Auth-Token", b.key)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Del(headers[i])
		if headers[i+1] != "" {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	return b.send(r)
}

func (b *bench) send(r *http.Request) answer {
	b.t.Helper()
	a := answer{ResponseRecorder: httptest.NewRecorder()}
	b.api.Handler().ServeHTTP(a, r)
	if strings.HasPrefix(a.Header().Get("Content-Type"), "application/json") && a.Body.Len() > 0 {
		if err := json.Unmarshal(a.Body.Bytes(), &a.json); err != nil {
			b.t.Errorf("%s %s answered what is not JSON: %v\n%s", r.Method, r.URL, err, a.Body)
		}
	}
	if a.Code >= 400 && r.Method != http.MethodHead {
		b.checkError(r, a)
	}
	return a
}

// checkError holds every error answer to the one shape.
func (b *bench) checkError(r *http.Request, a answer) {
	b.t.Helper()
	sameID := a.str("request_id") == a.Header().Get("X-Request-Id") || a.Header().Get("Idempotent-Replayed") == "true"
	if a.str("error") == "" || a.str("message") == "" || a.json["code"] != float64(a.Code) || !sameID {
		b.t.Errorf("%s %s answered %d with %s", r.Method, r.URL, a.Code, a.Body)
	}
	for name := range a.json {
		switch name {
		case "error", "message", "code", "param", "details", "request_id":
		default:
			b.t.Errorf("%s %s: the error has a field %q", r.Method, r.URL, name)
		}
	}
}

// want fails unless the answer has the status and, for errors, the slug.
func (b *bench) want(a answer, status int, slug ...string) answer {
	b.t.Helper()
	if a.Code != status || len(slug) > 0 && a.str("error") != slug[0] {
		b.t.Fatalf("answered %d %s, want %d %v", a.Code, a.Body, status, slug)
	}
	return a
}

// calls pretends to be the registry.
type calls struct {
	mu   sync.Mutex
	live map[string]*liveCall
}

func (c *calls) Live(id string) (api.LiveCall, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l, ok := c.live[id]
	if !ok {
		return nil, false
	}
	return l, true
}

func (c *calls) LiveRecords() []events.CallRecord {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []events.CallRecord
	for _, l := range c.live {
		out = append(out, l.Record())
	}
	return out
}

// begin adds a ringing call.
func (b *bench) begin(id string) *liveCall {
	l := &liveCall{record: events.CallRecord{CallID: id, CallType: "inbound", Status: events.StatusRinging,
		From: "+14155552672", To: "+14155552671", InitiatedAt: time.Date(2024, 1, 15, 10, 30, 0, 0, time.UTC)}}
	b.calls.mu.Lock()
	defer b.calls.mu.Unlock()
	b.calls.live[id] = l
	return l
}

// liveCall notes what it is asked and fails when told to.
type liveCall struct {
	mu     sync.Mutex
	record events.CallRecord
	asked  []any
	err    error
	panics bool
}

func (l *liveCall) ask(v ...any) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = append(l.asked, v...)
	if l.panics {
		panic("told to")
	}
	return l.err
}

func (l *liveCall) last() any {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.asked) == 0 {
		return nil
	}
	return l.asked[len(l.asked)-1]
}

func (l *liveCall) Record() events.CallRecord {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.record.Clone()
}
func (l *liveCall) Answer(_ context.Context, g call.Greeting) error { return l.ask(g) }
func (l *liveCall) Decline(_ context.Context, code int, reason string) error {
	return l.ask([2]any{code, reason})
}
func (l *liveCall) Transfer(_ context.Context, r call.TransferRequest) (call.TransferResult, error) {
	return call.TransferResult{Result: "busy", SIPCode: 486, SIPReason: "Busy Here"}, l.ask(r)
}
func (l *liveCall) StartRecording(_ context.Context, r flows.Recording) (string, error) {
	return "rec_1", l.ask(r)
}
func (l *liveCall) StopRecording(context.Context, string) error   { return l.ask("record/stop") }
func (l *liveCall) PauseRecording(context.Context, string) error  { return l.ask("record/pause") }
func (l *liveCall) ResumeRecording(context.Context, string) error { return l.ask("record/resume") }
func (l *liveCall) Play(_ context.Context, r call.PlayRequest) (string, error) {
	return "play_1", l.ask(r)
}
func (l *liveCall) Hold(context.Context) error   { return l.ask("hold") }
func (l *liveCall) Resume(context.Context) error { return l.ask("resume") }
func (l *liveCall) Mute(_ context.Context, on bool) error {
	return l.ask(map[bool]string{true: "mute", false: "unmute"}[on])
}
func (l *liveCall) StopPlay(context.Context) error { return l.ask("play-audio/stop") }
func (l *liveCall) Gather(_ context.Context, m *flows.IVRMenu) (flows.MenuResult, error) {
	return flows.MenuResult{Digits: "12", Reason: flows.MenuFinishKey, Terminator: "#", Attempts: 1, BargedIn: true, DurationMS: 900}, l.ask(*m)
}
func (l *liveCall) SendDigits(_ context.Context, r call.DigitsRequest) error { return l.ask(r) }
func (l *liveCall) Hangup(_ context.Context, reason string) error            { return l.ask(reason) }
func (l *liveCall) SetTags(_ context.Context, tags map[string]string) error {
	return l.ask(tags)
}

func (b *bench) flow(body string) answer {
	b.t.Helper()
	return b.want(b.do("POST", "/v2/call-flows", body), http.StatusCreated)
}

const simpleFlow = `{"name":"Direct Line","routing":[{"pattern":"*","destination":"+14155552673","destination_type":"phone_number"}]}`

func TestResourceLife(t *testing.T) {
	b := newBench(t)
	made := b.flow(`{"call_flow_id":"cf_one","name":"One","phone_number":"+14155552671","routing":[{"pattern":"*","destination":"nowhere","destination_type":"ivr_menu"}]}`)
	if made.Header().Get("Location") != "/v2/call-flows/cf_one" || made.str("call_flow_id") != "cf_one" || made.json["active"] != true || made.json["revision"] != 1.0 {
		t.Errorf("created %v %s", made.Header(), made.Body)
	}
	if w, _ := made.json["warnings"].([]any); len(w) == 0 {
		t.Errorf("no warning of the missing menu: %s", made.Body)
	}
	etag := made.Header().Get("ETag")
	got := b.want(b.do("GET", "/v2/call-flows/cf_one", ""), 200)
	if got.Header().Get("ETag") != etag || !reflect.DeepEqual(got.json, made.json) {
		t.Errorf("got %s with %s, created %s with %s", got.Body, got.Header().Get("ETag"), made.Body, etag)
	}
	// What was got can be put back as it is.
	b.want(b.do("PUT", "/v2/call-flows/cf_one", got.Body.String(), "If-Match", etag), 200)

	patched := b.want(b.do("PATCH", "/v2/call-flows/cf_one", `{"recording":{"enabled":true,"format":"mp3","participant":"all"},"active":false}`, "If-Match", etag), 200)
	rec, _ := patched.json["recording"].(map[string]any)
	if rec["enabled"] != true || rec["format"] != "mp3" || patched.json["active"] != false || patched.str("name") != "One" || patched.json["revision"] != 2.0 {
		t.Errorf("patched %s", patched.Body)
	}
	b.want(b.do("PATCH", "/v2/call-flows/cf_one", `{"name":"x"}`, "If-Match", etag), 412, "precondition_failed")
	b.want(b.do("DELETE", "/v2/call-flows/cf_one", "", "If-Match", etag), 412, "precondition_failed")
	// null takes a field away: the recording is gone, active has its default.
	patched = b.want(b.do("PATCH", "/v2/call-flows/cf_one", `{"recording":null,"active":null}`, "Content-Type", "application/merge-patch+json"), 200)
	if patched.json["recording"] != nil || patched.json["active"] != true {
		t.Errorf("after null: %s", patched.Body)
	}
	b.want(b.do("PATCH", "/v2/call-flows/cf_one", `{"name":null}`), 400, "invalid_request")
	b.want(b.do("PATCH", "/v2/call-flows/cf_one", `{"call_flow_id":"cf_two"}`), 400, "invalid_request")
	b.want(b.do("PATCH", "/v2/call-flows/cf_one", `{"recording":{"formt":"mp3"}}`), 400, "invalid_request")
	b.want(b.do("POST", "/v2/call-flows", `{"call_flow_id":"cf_one","name":"x","routing":[{"pattern":"*","destination":"x","destination_type":"voicemail"}]}`), 409, "conflict")
	b.want(b.do("POST", "/v2/call-flows", `{"name":"x","phone_number":"+14155552671","routing":[{"pattern":"*","destination":"x","destination_type":"voicemail"}]}`), 409, "conflict")
	if a := b.want(b.do("DELETE", "/v2/call-flows/cf_one", ""), 204); a.Body.Len() != 0 {
		t.Errorf("204 with a body: %s", a.Body)
	}
	b.want(b.do("GET", "/v2/call-flows/cf_one", ""), 404, "not_found")
}

func TestSecretsAreWriteOnly(t *testing.T) {
	b := newBench(t)
	device := b.want(b.do("POST", "/v2/devices", `{"device_id":"dev_desk","username":"desk","password":"correct horse"}`), 201)
	trunk := b.want(b.do("POST", "/v2/trunks", `{"trunk_id":"trunk_a","name":"a","hosts":["192.0.2.1"],"inbound":{"username":"pbx","password":"clumsy giraffe"},"outbound":{"uri":"sip:192.0.2.1","username":"u","password":"battery staple"}}`), 201)
	hook := b.want(b.do("POST", "/v2/webhooks", `{"id":"wh_a","url":"https://example.com/e","events":["*"]}`), 201)
	secret := hook.str("signing_secret")
	if !strings.HasPrefix(secret, "whsec_") {
		t.Fatalf("no secret at creation: %s", hook.Body)
	}
	for _, a := range []answer{device, trunk,
		b.do("GET", "/v2/devices/dev_desk", ""), b.do("GET", "/v2/devices", ""),
		b.do("PATCH", "/v2/devices/dev_desk", `{"display_name":"Desk"}`),
		b.do("PUT", "/v2/devices/dev_desk", `{"username":"desk","display_name":"Desk 2"}`),
		b.do("GET", "/v2/trunks/trunk_a", ""), b.do("PATCH", "/v2/trunks/trunk_a", `{"outbound":{"priority":5}}`),
		b.do("PUT", "/v2/trunks/trunk_a", `{"name":"a","hosts":["192.0.2.1"],"inbound":{"username":"pbx"},"outbound":{"uri":"sip:192.0.2.1","username":"u"}}`),
		b.do("GET", "/v2/webhooks/wh_a", ""), b.do("GET", "/v2/webhooks", ""), b.do("PATCH", "/v2/webhooks/wh_a", `{"active":false}`)} {
		if a.Code >= 300 {
			t.Errorf("%d %s", a.Code, a.Body)
		}
		for _, s := range []string{"correct horse", "battery staple", "clumsy giraffe", secret} {
			if strings.Contains(a.Body.String(), s) {
				t.Errorf("a secret is shown: %s", a.Body)
			}
		}
	}
	if d, err := b.store.Devices().Get("dev_desk"); err != nil || d.Password != "correct horse" || d.DisplayName != "Desk 2" {
		t.Errorf("device %+v, %v", d, err)
	}
	if x, err := b.store.Trunks().Get("trunk_a"); err != nil || x.Outbound.Password != "battery staple" || x.Inbound.Password != "clumsy giraffe" {
		t.Errorf("trunk %+v, %v", x, err)
	}
	rotated := b.want(b.do("POST", "/v2/webhooks/wh_a/rotate-secret", ""), 200)
	if s := rotated.str("signing_secret"); s == secret || !strings.HasPrefix(s, "whsec_") {
		t.Errorf("rotated to %q", s)
	}
}

func TestPagination(t *testing.T) {
	b := newBench(t)
	want := map[string]bool{}
	for range 7 {
		want[b.flow(simpleFlow).str("call_flow_id")] = true
	}
	path, seen, pages := "/v2/call-flows?limit=3", map[string]bool{}, 0
	for path != "" {
		a := b.want(b.do("GET", path, ""), 200)
		for _, row := range a.json["data"].([]any) {
			id := row.(map[string]any)["call_flow_id"].(string)
			if seen[id] {
				t.Errorf("%s appears twice", id)
			}
			seen[id] = true
		}
		path = ""
		if next, ok := a.json["next_cursor"].(string); ok {
			path = "/v2/call-flows?limit=3&cursor=" + next
		} else if _, there := a.json["next_cursor"]; !there {
			t.Error("next_cursor is missing on the last page")
		}
		pages++
	}
	if pages != 3 || !reflect.DeepEqual(seen, want) {
		t.Errorf("%d pages with %v", pages, seen)
	}
	for _, q := range []string{"limit=0", "limit=101", "limit=x", "cursor=!!!", "cursor=abc", "limt=5"} {
		a := b.do("GET", "/v2/call-flows?"+q, "")
		if a.Code != 400 || a.str("error") != "invalid_request" {
			t.Errorf("?%s: %d %s", q, a.Code, a.Body)
		}
	}
	if a := b.do("GET", "/v2/trunks", ""); strings.TrimSpace(a.Body.String()) != `{"data":[],"next_cursor":null}` {
		t.Errorf("an empty list is %s", a.Body)
	}
}

func writeFile(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A box whose lamp is at no device is taken, with a word about it.
func TestBoxWithoutItsDevice(t *testing.T) {
	b := newBench(t)
	made := b.want(b.do("POST", "/v2/voicemail-boxes", `{"voicemail_box_id":"box_dark","name":"dark","mwi_device":"dev_lamp"}`), 201)
	list, _ := made.json["warnings"].([]any)
	if len(list) != 1 {
		t.Fatalf("%s", made.Body)
	}
	if w, _ := list[0].(map[string]any); w["code"] != "device_missing" || w["path"] != "mwi_device" {
		t.Errorf("%v", w)
	}
	b.want(b.do("POST", "/v2/devices", `{"device_id":"dev_lamp","username":"lamp","password":"correct-horse"}`), 201)
	if again := b.want(b.do("GET", "/v2/voicemail-boxes/box_dark", ""), 200); strings.Contains(again.Body.String(), "warnings") {
		t.Errorf("%s", again.Body)
	}
}
