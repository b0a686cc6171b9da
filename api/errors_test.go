package api_test

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"b2bua/api"
	"b2bua/call"
)

func TestErrorTable(t *testing.T) {
	b := newBench(t)
	b.flow(`{"call_flow_id":"cf_a","name":"A","routing":[{"pattern":"*","destination":"x","destination_type":"voicemail"}]}`)
	b.begin("call_live")
	rule := func(r string) string { return `{"name":"x","routing":[` + r + `]}` }
	cases := []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		slug, param, message     string // message: a part of it or of a detail
	}{
		{"no body", "POST", "/v2/call-flows", "", nil, 400, "invalid_request", "", "body"},
		{"blank body", "POST", "/v2/call-flows", "  ", nil, 400, "invalid_json", "", "empty"},
		{"not JSON", "POST", "/v2/call-flows", "{\n\"name\": 1,\n]", nil, 400, "invalid_json", "", "line 3"},
		{"trailing", "POST", "/v2/call-flows", "{}{}", nil, 400, "invalid_json", "", "more after the end"},
		{"twice", "POST", "/v2/call-flows", `{"name":"a","name":"b"}`, nil, 400, "invalid_json", "", "twice"},
		{"not UTF-8", "POST", "/v2/call-flows", "{\"name\":\"\xff\"}", nil, 400, "invalid_json", "", "UTF-8"},
		{"deep", "POST", "/v2/call-flows", strings.Repeat(`{"a":`, 200), nil, 400, "invalid_json", "", "deeper"},
		{"a list", "POST", "/v2/call-flows", `[]`, nil, 400, "invalid_request", "", "must be an object"},
		{"null", "POST", "/v2/call-flows", `null`, nil, 400, "invalid_request", "", "must be an object"},
		{"unknown field", "POST", "/v2/call-flows", rule(`{"pattern":"*","destination":"x","destination_type":"voicemail","fallbak":{}}`), nil,
			400, "invalid_request", "routing[0].fallbak", `did you mean "fallback"`},
		{"unknown at the top", "POST", "/v2/call-flows", `{"naem":"x"}`, nil, 400, "invalid_request", "naem", `unknown field "naem"; did you mean "name"?`},
		{"other case", "POST", "/v2/call-flows", `{"Name":"x"}`, nil, 400, "invalid_request", "Name", `did you mean "name"`},
		{"wrong type", "POST", "/v2/call-flows", `{"name":5,"routing":{}}`, nil, 400, "invalid_request", "name", "must be a string, not a number"},
		{"wrong type, second", "POST", "/v2/call-flows", `{"name":5,"routing":{}}`, nil, 400, "invalid_request", "name", "must be a list, not an object"},
		{"no name", "POST", "/v2/call-flows", rule(`{"pattern":"*","destination":"x","destination_type":"voicemail"}`)[:0] + `{"routing":[{"pattern":"*","destination":"x","destination_type":"voicemail"}]}`, nil, 400, "invalid_request", "name", "name"},
		{"no rules", "POST", "/v2/call-flows", `{"name":"x","routing":[]}`, nil, 400, "invalid_request", "routing", ""},
		{"bad pattern", "POST", "/v2/call-flows", rule(`{"pattern":"[9-","destination":"x","destination_type":"voicemail"}`), nil, 400, "invalid_request", "routing[0].pattern", ""},
		{"bad type", "POST", "/v2/call-flows", rule(`{"pattern":"*","destination":"x","destination_type":"voicemial"}`), nil, 400, "invalid_request", "routing[0].destination_type", "voicemail"},
		{"bad number", "POST", "/v2/call-flows", rule(`{"pattern":"*","destination":"12","destination_type":"phone_number"}`), nil, 400, "invalid_number", "routing[0].destination", "The destination number format is invalid"},
		{"bad own number", "POST", "/v2/phone-numbers", `{"phone_number":"nonsense"}`, nil, 400, "invalid_number", "phone_number", "The phone number format is invalid"},
		{"bad id", "POST", "/v2/call-flows", `{"call_flow_id":"../x","name":"x","routing":[{"pattern":"*","destination":"x","destination_type":"voicemail"}]}`, nil, 400, "invalid_request", "call_flow_id", ""},
		{"header injection", "POST", "/v2/devices", `{"username":"a","password":"bbbbbbbb","display_name":"x\r\nVia: y"}`, nil, 400, "invalid_request", "display_name", "control characters"},
		{"form", "POST", "/v2/call-flows", "name=x", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "unsupported_media_type", "", "application/json"},
		{"text", "POST", "/v2/call-flows", "{}", []string{"Content-Type", "text/plain"}, 415, "unsupported_media_type", "", ""},
		{"too long", "POST", "/v2/call-flows", `{"name":"` + strings.Repeat("x", 1<<20) + `"}`, nil, 413, "payload_too_large", "", "1048576"},
		{"no such path", "GET", "/v2/callflows", "", nil, 404, "not_found", "", ""},
		{"no such path outside", "GET", "/favicon.ico", "", []string{"X-Auth-Token", ""}, 401, "unauthorized", "", ""},
		{"no such method", "PUT", "/v2/call-flows", "{}", nil, 405, "method_not_allowed", "", "GET"},
		{"odd method", "BREW", "/v2/call-flows", "", nil, 405, "method_not_allowed", "", ""},
		{"no flow", "GET", "/v2/call-flows/cf_none", "", nil, 404, "not_found", "", "Call flow not found"},
		{"no menu", "GET", "/v2/ivr-menus/x", "", nil, 404, "not_found", "", "IVR menu not found"},
		{"no box", "DELETE", "/v2/voicemail-boxes/x", "", nil, 404, "not_found", "", "Voicemail box not found"},
		{"no box for messages", "GET", "/v2/voicemail-boxes/x/messages", "", nil, 404, "not_found", "", "Voicemail box not found"},
		{"no message", "GET", "/v2/voicemail-boxes/voicemail_default/messages/x", "", nil, 404, "not_found", "", "Message not found"},
		{"no device", "PATCH", "/v2/devices/x", "{}", nil, 404, "not_found", "", "Device not found"},
		{"no trunk", "PUT", "/v2/trunks/x", `{"name":"x"}`, nil, 404, "not_found", "", "Trunk not found"},
		{"trunk that encrypts now and then", "POST", "/v2/trunks", `{"name":"x","hosts":["192.0.2.1"],"srtp":"sometimes"}`, nil, 400, "invalid_request", "srtp", "required"},
		{"trunk with unknown digits", "POST", "/v2/trunks", `{"name":"x","hosts":["192.0.2.1"],"dtmf":"tones"}`, nil, 400, "invalid_request", "dtmf", "inband"},
		{"no digits to send", "POST", "/v2/calls/call_live/send-dtmf", `{"digits":""}`, nil, 400, "invalid_request", "digits", "missing"},
		{"other than digits to send", "POST", "/v2/calls/call_live/send-dtmf", `{"digits":"12e"}`, nil, 400, "invalid_request", "digits", "A-D"},
		{"many digits to send", "POST", "/v2/calls/call_live/send-dtmf", `{"digits":"` + strings.Repeat("1", 65) + `"}`, nil, 400, "invalid_request", "digits", "64"},
		{"digits to nobody", "POST", "/v2/calls/call_live/send-dtmf", `{"digits":"1","to":"agent"}`, nil, 400, "invalid_request", "to", "callee"},
		{"short digits", "POST", "/v2/calls/call_live/send-dtmf", `{"digits":"1","duration_ms":10}`, nil, 400, "invalid_request", "duration_ms", "40"},
		{"long gaps", "POST", "/v2/calls/call_live/send-dtmf", `{"digits":"1","gap_ms":20000}`, nil, 400, "invalid_request", "gap_ms", "10000"},
		{"trunk with a bad transform", "POST", "/v2/trunks", `{"name":"x","hosts":["192.0.2.1"],"transforms":{"inbound_to":[{"match":"(","replace":"1"}]}}`, nil, 400, "invalid_request", "transforms.inbound_to[0].match", "RE2"},
		{"no number", "GET", "/v2/phone-numbers/+14155550000", "", nil, 404, "not_found", "", "Phone number not found"},
		{"no webhook", "GET", "/v2/webhooks/x", "", nil, 404, "not_found", "", "Webhook not found"},
		{"no webhook to rotate", "POST", "/v2/webhooks/x/rotate-secret", "", nil, 404, "not_found", "", "Webhook not found"},
		{"no recording", "GET", "/v2/recordings/x/audio", "", nil, 404, "not_found", "", "Recording not found"},
		{"no call", "GET", "/v2/calls/x", "", nil, 404, "not_found", "", "Call not found"},
		{"no call to trace", "GET", "/v2/calls/x/trace", "", nil, 404, "not_found", "", "Call not found"},
		{"no call to answer", "POST", "/v2/calls/x/answer", "", nil, 404, "not_found", "", "Call not found"},
		{"no key", "GET", "/v2/api-keys/x", "", nil, 404, "not_found", "", "API key not found"},
		{"bad webhook", "POST", "/v2/webhooks", `{"url":"ftp://x","events":["call.nonsense"]}`, nil, 400, "invalid_request", "url", "call.nonsense"},
		{"bad action", "POST", "/v2/calls/call_live/answer", `{"action":"dance"}`, nil, 400, "invalid_request", "action", "play_audio"},
		{"silent action", "POST", "/v2/calls/call_live/answer", `{"action":"play_audio"}`, nil, 400, "invalid_request", "message", ""},
		{"bad decline", "POST", "/v2/calls/call_live/decline", `{"reason":"bored"}`, nil, 400, "invalid_request", "reason", "busy"},
		{"bad reason with a code", "POST", "/v2/calls/call_live/decline", `{"sip_code":486,"reason":"bored"}`, nil, 400, "invalid_request", "reason", "busy"},
		{"challenge", "POST", "/v2/calls/call_live/decline", `{"sip_code":407}`, nil, 400, "invalid_request", "sip_code", "password"},
		{"bad code", "POST", "/v2/calls/call_live/decline", `{"sip_code":200}`, nil, 400, "invalid_request", "sip_code", ""},
		{"bad transfer", "POST", "/v2/calls/call_live/transfer", `{"destination":"abc"}`, nil, 400, "invalid_number", "destination", "The destination number format is invalid"},
		{"bad transfer type", "POST", "/v2/calls/call_live/transfer", `{"destination":"+14155552673","transfer_type":"psychic"}`, nil, 400, "invalid_request", "transfer_type", ""},
		{"attended transfer to nobody", "POST", "/v2/calls/call_live/transfer", `{"destination":"ivr_main","destination_type":"ivr_menu","transfer_type":"attended"}`, nil, 400, "invalid_request", "destination_type", "phone_number"},
		{"bad caller id", "POST", "/v2/calls/call_live/transfer", `{"destination":"+14155552673","caller_id":"x"}`, nil, 400, "invalid_number", "caller_id", ""},
		{"nothing to play", "POST", "/v2/calls/call_live/play-audio", `{}`, nil, 400, "invalid_request", "message", ""},
		{"too much to play", "POST", "/v2/calls/call_live/play-audio", `{"message":"a","prompt_id":"b"}`, nil, 400, "invalid_request", "message", ""},
		{"file to play", "POST", "/v2/calls/call_live/play-audio", `{"audio_url":"file:///etc/passwd"}`, nil, 400, "invalid_request", "audio_url", ""},
		{"bad gather", "POST", "/v2/calls/call_live/gather-dtmf", `{"prompt":"x","max_digit":3}`, nil, 400, "invalid_request", "max_digit", `"max_digits"`},
		{"bad format", "POST", "/v2/calls/call_live/record", `{"format":"ogg"}`, nil, 400, "invalid_request", "format", ""},
		{"bad status", "GET", "/v2/calls?status=lost", "", nil, 400, "invalid_request", "status", ""},
		{"bad time", "GET", "/v2/calls?since=yesterday", "", nil, 400, "invalid_request", "since", ""},
		{"bad event", "GET", "/v2/events?events=call.nonsense", "", nil, 400, "invalid_request", "events", "call.nonsense"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			a := b.do(tc.method, tc.path, tc.body, tc.headers...)
			if a.Code != tc.status || a.str("error") != tc.slug || a.str("param") != tc.param || !strings.Contains(a.Body.String(), strings.ReplaceAll(tc.message, `"`, `\"`)) {
				t.Errorf("answered %d %.600s\nwant %d %s, param %q, %q", a.Code, a.Body, tc.status, tc.slug, tc.param, tc.message)
			}
		})
	}
}

func TestErrorsOfCalls(t *testing.T) {
	b := newBench(t)
	l := b.begin("call_a")
	for _, tc := range []struct {
		err    error
		status int
		slug   string
	}{
		{call.ErrEnded, 409, "call_ended"},
		{&call.StateError{State: "in_progress", Verb: "decline", Need: "use hangup"}, 409, "invalid_call_state"},
		{call.ErrNoPlayback, 409, "invalid_call_state"},
		{errors.New("secret detail of the database"), 500, "internal_error"},
	} {
		l.err = tc.err
		a := b.want(b.do("POST", "/v2/calls/call_a/hangup", ""), tc.status, tc.slug)
		if strings.Contains(a.Body.String(), "secret detail") {
			t.Errorf("our own trouble is shown: %s", a.Body)
		}
		var state *call.StateError
		if errors.As(tc.err, &state) && !strings.Contains(a.str("message"), state.State) {
			t.Errorf("the state is not named: %s", a.Body)
		}
	}
}

func TestMethodNotAllowedNamesMethods(t *testing.T) {
	b := newBench(t)
	a := b.want(b.do("DELETE", "/v2/call-flows", ""), http.StatusMethodNotAllowed)
	if allow := a.Header().Get("Allow"); !strings.Contains(allow, "GET") || !strings.Contains(allow, "POST") {
		t.Errorf("Allow: %s", allow)
	}
}

func FuzzBodies(f *testing.F) {
	_, seeds := pageExamples(&testing.T{})
	for _, s := range seeds {
		f.Add(s.body)
	}
	f.Add(`{"name":"x","routing":[{"pattern":"1[0-9]","destination":"sip:a@b","destination_type":"sip","conditions":{"time_range":{"start":"9","end":null}}}]}`)
	shared := newBench(f, func(d *api.Deps) { d.Log = slog.New(slog.DiscardHandler) })
	shared.flow(`{"call_flow_id":"cf_f","name":"F","routing":[{"pattern":"*","destination":"x","destination_type":"voicemail"}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		b := *shared
		b.t = t
		for _, path := range []string{"/v2/call-flows", "/v2/ivr-menus", "/v2/trunks", "/v2/devices", "/v2/webhooks", "/v2/calls/x/transfer"} {
			if a := b.do("POST", path, body, "Content-Type", "application/json"); a.Code >= 500 {
				t.Fatalf("%s answered %d to %q", path, a.Code, body)
			}
		}
		if a := b.do("PATCH", "/v2/call-flows/cf_f", body); a.Code >= 500 {
			t.Fatalf("PATCH answered %d to %q", a.Code, body)
		}
	})
}
