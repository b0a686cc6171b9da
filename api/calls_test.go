package api_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"b2bua/call"
	"b2bua/events"
	"b2bua/flows"
	"b2bua/store"
)

func TestActions(t *testing.T) {
	b := newBench(t)
	l := b.begin("call_a")
	timeout := flows.Fallback{Timeout: 20, Action: flows.ToVoicemail, ActionID: "voicemail_default"}
	for _, tc := range []struct {
		verb, body string
		asked      any
		reply      string // a part of it
	}{
		{"answer", ``, call.Greeting{}, `"call_id":"call_a"`},
		{"answer", `{"action":"play_audio","message":"Hello","language":"en-US"}`, call.Greeting{Message: "Hello", Language: "en-US"}, `"status":"ringing"`},
		{"answer", `{"action":"play_audio","audio_url":"https://example.com/a.mp3"}`, call.Greeting{AudioURL: "https://example.com/a.mp3"}, ``},
		{"decline", ``, [2]any{603, "Decline"}, ``},
		{"decline", `{"reason":"busy"}`, [2]any{486, "Busy Here"}, ``},
		{"decline", `{"sip_code":488}`, [2]any{488, "Not Acceptable Here"}, ``},
		{"decline", `{"sip_code":600,"reason":"busy"}`, [2]any{600, "Busy Everywhere"}, ``},
		{"decline", `{"sip_code":599}`, [2]any{599, "Server Failure"}, ``},
		{"transfer", `{"destination":"+14155552673","fallback":{"timeout":20,"action":"voicemail","action_id":"voicemail_default"}}`,
			call.TransferRequest{Destination: "+14155552673", DestinationType: flows.ToNumber, TransferType: "blind", Fallback: &timeout}, `"result":"busy","sip_code":486,"sip_reason":"Busy Here"`},
		{"transfer", `{"destination":"ivr_main","destination_type":"ivr_menu","transfer_type":"blind","caller_id":"+14155552671"}`,
			call.TransferRequest{Destination: "ivr_main", DestinationType: flows.ToMenu, TransferType: "blind", CallerID: "+14155552671"}, ``},
		{"record/stop", ``, "record/stop", ``}, {"record/pause", `{}`, "record/pause", ``}, {"record/resume", ``, "record/resume", ``},
		{"play-audio", `{"message":"Hi","voice":"slt","loop":true}`, call.PlayRequest{Message: "Hi", Voice: "slt", Loop: true}, `"playback_id":"play_1"`},
		{"play-audio", `{"prompt_id":"prompt_x"}`, call.PlayRequest{PromptID: "prompt_x"}, ``},
		{"play-audio/stop", ``, "play-audio/stop", ``},
		{"hold", ``, "hold", ``},
		{"send-dtmf", `{"digits":"12#"}`, call.DigitsRequest{Digits: "12#"}, ``},
		{"send-dtmf", `{"digits":"9d","to":"caller","duration_ms":2000,"gap_ms":80}`,
			call.DigitsRequest{Digits: "9D", To: "caller", Duration: 2 * time.Second, Gap: 80 * time.Millisecond}, ``},
		{"resume", `{}`, "resume", ``},
		{"mute", ``, "mute", ``},
		{"unmute", ``, "unmute", ``},
		{"hangup", `{"reason":"done"}`, "done", ``}, {"hangup", ``, "", ``},
		{"tags", `{"tags":{"team":"sales","old":""}}`, map[string]string{"team": "sales", "old": ""}, ``},
	} {
		a := b.want(b.do("POST", "/v2/calls/call_a/"+tc.verb, tc.body), 200)
		if got := l.last(); !reflect.DeepEqual(got, tc.asked) || !strings.Contains(a.Body.String(), tc.reply) {
			t.Errorf("%s %s: asked %+v, want %+v; replied %s", tc.verb, tc.body, got, tc.asked, a.Body)
		}
	}
	for _, verb := range []string{"record", "record/start"} {
		a := b.want(b.do("POST", "/v2/calls/call_a/"+verb, `{"format":"wav","channels":"dual"}`), 200)
		if r, _ := l.last().(flows.Recording); !r.Enabled || r.Format != "wav" || r.Channels != "dual" || a.str("recording_id") != "rec_1" {
			t.Errorf("%s: asked %+v, replied %s", verb, l.last(), a.Body)
		}
	}
	a := b.want(b.do("POST", "/v2/calls/call_a/gather-dtmf", `{"prompt":"Your number","max_digits":4,"finish_on_key":"#","sensitive":true}`), 200)
	m, _ := l.last().(flows.IVRMenu)
	if m.MaxDigits != 4 || m.Timeout != 5 || a.str("digits") != "12" || a.str("reason") != "finish_key" || a.json["duration_ms"] != 900.0 || a.json["barged_in"] != true {
		t.Errorf("asked %+v, replied %s", m, a.Body)
	}
	b.want(b.do("POST", "/v2/calls/call_a/gather-dtmf", ""), 200)
	a = b.want(b.do("POST", "/v2/calls/call_a/transfer?async=true", `{"destination":"+14155552673"}`), http.StatusAccepted)
	if a.str("result") != "pending" {
		t.Errorf("async transfer replied %s", a.Body)
	}
}

func (b *bench) ended(id string, at time.Time, change ...func(*events.CallRecord)) {
	b.t.Helper()
	r := events.CallRecord{CallID: id, CallType: "inbound", Status: events.StatusCompleted, From: "+14155552672", To: "+14155552671", InitiatedAt: at, EndedAt: &at}
	for _, f := range change {
		f(&r)
	}
	if err := b.store.SaveCall(b.t.Context(), r, []flows.Step{{At: at, Kind: flows.StepRule, Text: "rule 0 holds"}}); err != nil {
		b.t.Fatal(err)
	}
}

func TestCallLookups(t *testing.T) {
	b := newBench(t)
	at := time.Date(2024, 1, 15, 10, 0, 0, 0, time.UTC)
	b.ended("call_failed", at, func(r *events.CallRecord) {
		r.Status = events.StatusFailed
		r.Error = &events.Problem{Error: "routing_failed", Message: "All routing attempts failed", Code: 503}
	})
	b.begin("call_live")
	a := b.want(b.do("GET", "/v2/calls/call_failed", ""), 200)
	if e, _ := a.json["error"].(map[string]any); e["error"] != "routing_failed" || e["message"] != "All routing attempts failed" || e["code"] != 503.0 {
		t.Errorf("a failed call shows %s", a.Body)
	}
	b.want(b.do("POST", "/v2/calls/call_failed/answer", ""), 409, "call_ended")
	if a := b.want(b.do("GET", "/v2/calls/call_live", ""), 200); a.str("status") != "ringing" {
		t.Errorf("a live call shows %s", a.Body)
	}
	if a := b.want(b.do("GET", "/v2/calls/call_failed/trace", ""), 200); !strings.Contains(a.Body.String(), "rule 0 holds") {
		t.Errorf("trace %s", a.Body)
	}
	if a := b.want(b.do("GET", "/v2/calls/call_live/trace", ""), 200); !strings.Contains(a.Body.String(), `"steps":[]`) {
		t.Errorf("trace %s", a.Body)
	}
}

// Live and kept calls are one list: whatever the page size and order, each call
// appears once and in order.
func TestCallListMergesLiveAndKept(t *testing.T) {
	b := newBench(t)
	at := time.Date(2024, 1, 15, 10, 0, 0, 0, time.UTC)
	var want []string
	for i := range 11 {
		id, when := fmt.Sprintf("call_%02d", i), at.Add(time.Duration(i)*time.Minute)
		want = append(want, id)
		if i%3 == 1 {
			b.begin(id).record.InitiatedAt = when
		} else {
			b.ended(id, when)
		}
	}
	b.ended("call_04", at.Add(4*time.Minute)) // ends while it is listed
	for _, order := range []string{"asc", "desc"} {
		for _, limit := range []int{1, 2, 3, 5, 11, 50} {
			var got []string
			path := fmt.Sprintf("/v2/calls?limit=%d&order=%s", limit, order)
			for next := path; next != ""; {
				a := b.want(b.do("GET", next, ""), 200)
				rows := a.json["data"].([]any)
				if len(rows) > limit {
					t.Fatalf("%d rows on a page of %d", len(rows), limit)
				}
				for _, r := range rows {
					got = append(got, r.(map[string]any)["call_id"].(string))
				}
				next = ""
				if c, ok := a.json["next_cursor"].(string); ok {
					next = path + "&cursor=" + c
				}
			}
			if order == "desc" {
				slices.Reverse(got)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s by %d: %v", order, limit, got)
			}
		}
	}
	b.calls.live["call_01"].record.Tags = map[string]string{"team": "sales"}
	for query, n := range map[string]int{"status=ringing": 4, "status=completed": 8, "tag=team": 1, "tag=team:sales": 1, "tag=team:x": 0,
		"from=%2B14155552672": 11, "to=%2B1": 0, "since=2024-01-15T10:05:00Z": 6, "until=2024-01-15T10:05:00Z": 5, "call_flow_id=cf_x": 0} {
		a := b.want(b.do("GET", "/v2/calls?limit=100&"+query, ""), 200)
		if rows := a.json["data"].([]any); len(rows) != n {
			t.Errorf("?%s gives %d, want %d", query, len(rows), n)
		}
	}
}

func TestRecordings(t *testing.T) {
	b := newBench(t)
	audio := []byte(strings.Repeat("sound", 100))
	writeFile(t, filepath.Join(b.dir, "recordings", "rec_a.mp3"), audio)
	writeFile(t, filepath.Join(b.dir, "secret.mp3"), []byte("secret"))
	for _, r := range []store.Recording{
		{ID: "rec_a", CallID: "call_a", Status: "completed", Format: "mp3", Channels: 1, SampleRate: 16000, Duration: 3.5, Size: 500, SHA256: "ab", Path: filepath.Join(b.dir, "recordings", "rec_a.mp3")},
		{ID: "rec_b", CallID: "call_b", Status: "recording", Format: "wav", Path: "rec_b.wav"},
		{ID: "rec_c", CallID: "call_b", Status: "completed", Format: "mp3", Path: "../secret.mp3"},
	} {
		if err := b.store.Recordings().Save(t.Context(), &r); err != nil {
			t.Fatal(err)
		}
	}
	a := b.want(b.do("GET", "/v2/recordings/rec_a", ""), 200)
	if a.json["duration"] != 3.5 || a.json["path"] != nil || strings.Contains(a.Body.String(), b.dir) || a.str("audio_url") != "/v2/recordings/rec_a/audio" || a.str("sha256") != "ab" {
		t.Errorf("shown %s", a.Body)
	}
	if n := len(b.want(b.do("GET", "/v2/recordings?call_id=call_b", ""), 200).json["data"].([]any)); n != 2 {
		t.Errorf("%d of call_b", n)
	}
	whole := b.want(b.do("GET", "/v2/recordings/rec_a/audio", ""), 200)
	if whole.Header().Get("Content-Type") != "audio/mpeg" || whole.Body.String() != string(audio) || whole.Header().Get("Accept-Ranges") != "bytes" {
		t.Errorf("%v, %d bytes", whole.Header(), whole.Body.Len())
	}
	part := b.want(b.do("GET", "/v2/recordings/rec_a/audio", "", "Range", "bytes=5-9"), http.StatusPartialContent)
	if part.Body.String() != "sound" || part.Header().Get("Content-Range") != "bytes 5-9/500" {
		t.Errorf("%v %q", part.Header(), part.Body)
	}
	if head := b.do("HEAD", "/v2/recordings/rec_a/audio", ""); head.Code != 200 || head.Header().Get("Content-Length") != "500" {
		t.Errorf("HEAD: %d %v", head.Code, head.Header())
	}
	if a := b.do("GET", "/v2/recordings/rec_c/audio", ""); a.Code < 400 || strings.Contains(a.Body.String(), "secret") {
		t.Errorf("a path led out: %d %s", a.Code, a.Body)
	}
	b.want(b.do("GET", "/v2/recordings/rec_b/audio", ""), 404, "not_found")
	b.want(b.do("DELETE", "/v2/recordings/rec_b", ""), 409, "conflict")
	b.want(b.do("DELETE", "/v2/recordings/rec_a", "", "If-Match", `"x"`), 412)
	b.want(b.do("DELETE", "/v2/recordings/rec_a", ""), 204)
	b.want(b.do("GET", "/v2/recordings/rec_a", ""), 404)
	if left, _ := filepath.Glob(filepath.Join(b.dir, "recordings", "*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestMessages(t *testing.T) {
	b := newBench(t)
	const box = "/v2/voicemail-boxes/voicemail_default"
	b.want(b.do("GET", box, ""), 200)
	for _, id := range []string{"msg_a", "msg_b"} {
		writeFile(t, filepath.Join(b.dir, "voicemail", id+".mp3"), []byte("hello"))
		if err := b.store.Messages().Save(t.Context(), &store.Message{ID: id, BoxID: "voicemail_default", CallID: "call_a", From: "+14155552672", Format: "mp3", Duration: 4, Path: id + ".mp3"}); err != nil {
			t.Fatal(err)
		}
	}
	got := b.want(b.do("GET", box+"/messages/msg_a", ""), 200)
	if got.json["read"] != false || got.str("from") != "+14155552672" || got.json["path"] != nil {
		t.Errorf("shown %s", got.Body)
	}
	if a := b.want(b.do("GET", box+"/messages/msg_a/audio", ""), 200); a.Body.String() != "hello" || a.Header().Get("Content-Type") != "audio/mpeg" {
		t.Errorf("%v %s", a.Header(), a.Body)
	}
	patched := b.want(b.do("PATCH", box+"/messages/msg_a", `{"read":true}`, "If-Match", got.Header().Get("ETag")), 200)
	if patched.json["read"] != true {
		t.Errorf("patched %s", patched.Body)
	}
	b.want(b.do("PATCH", box+"/messages/msg_a", `{"read":true}`, "If-Match", got.Header().Get("ETag")), 412)
	b.want(b.do("PATCH", box+"/messages/msg_a", `{"reed":true}`), 400, "invalid_request")
	for query, n := range map[string]int{"": 2, "?read=true": 1, "?read=false": 1, "?limit=1": 1} {
		if rows := b.want(b.do("GET", box+"/messages"+query, ""), 200).json["data"].([]any); len(rows) != n {
			t.Errorf("%s: %d messages, want %d", query, len(rows), n)
		}
	}
	b.want(b.do("POST", "/v2/voicemail-boxes", `{"voicemail_box_id":"other","name":"Other"}`), 201)
	b.want(b.do("GET", "/v2/voicemail-boxes/other/messages/msg_a", ""), 404, "not_found")
	b.want(b.do("DELETE", "/v2/voicemail-boxes/other/messages/msg_a", ""), 404, "not_found")
	b.want(b.do("DELETE", box+"/messages/msg_a", ""), 204)
	b.want(b.do("DELETE", box, ""), 204)
	if left, _ := filepath.Glob(filepath.Join(b.dir, "voicemail", "*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}
