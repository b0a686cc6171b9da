package stories_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"b2bua/testbench/phone"
)

// page is the API's documentation page.
func (s *stage) page() string {
	s.Helper()
	raw, err := os.ReadFile("../../api/testdata/inbound-calls.md")
	s.must(err)
	return string(raw)
}

var curl = regexp.MustCompile(`(?s)curl -X (\w+) https://[^/\s]+(/\S+) \\\n.*?-d '(.*?)'\n`)

// fromPage is the body of the page's request whose name, or text, is given.
func (s *stage) fromPage(method, text string) (path, body string) {
	s.Helper()
	for _, m := range curl.FindAllStringSubmatch(s.page(), -1) {
		if m[1] == method && strings.Contains(m[3], text) {
			return m[2], m[3]
		}
	}
	s.Fatalf("the page has no %s with %s", method, text)
	return "", ""
}

// pageFlow posts a flow of the page as it stands there. One that has no number
// is the default flow, and takes the calls to a number of ours.
func (s *stage) pageFlow(name string) doc {
	s.Helper()
	path, body := s.fromPage(http.MethodPost, `"name": "`+name+`"`)
	made := s.create(path, body)
	if made.str("phone_number") == "" {
		s.owns(did, "")
	}
	return made
}

func TestSupportLineOfThePage(t *testing.T) {
	story(t, func(s *stage) {
		// The page's menu does not exist yet: saved with a warning, and a call says so.
		made := s.pageFlow("Support Line")
		if w := made.list("warnings"); len(w) != 1 {
			s.Errorf("warnings: %v", w)
		}
		a, b := s.parties()
		s.refused(s.calls(a, did), 480)
		failed := s.event("call.failed")
		if failed.str("failure_reason") != "routing_failed" {
			s.Errorf("%v", failed)
		}
		if e := s.get("/v2/calls/" + failed.str("call_id")).obj("error"); e.str("error") != "routing_failed" ||
			e.str("message") != "All routing attempts failed" || e.num("code") != 503 {
			s.Errorf("error of the call: %v", e)
		}
		s.customer.forget()

		s.create("/v2/ivr-menus", `{"menu_id": "ivr_main", "name": "Main", "prompt": "Press one for sales.",
			"options": [{"digit": "1", "destination": "`+sales+`", "destination_type": "phone_number"}]}`)
		in := s.calls(a, did)
		s.until(in, phone.Established)
		pass(3 * time.Second)
		s.presses(in, "1")
		out := s.answers(b)
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	})
}

func TestDirectLineOfThePage(t *testing.T) {
	story(t, func(s *stage) {
		s.pageFlow("Direct Line")
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.answers(b)
		if !strings.Contains(out.To(), sales) || !strings.Contains(out.From(), caller) {
			s.Errorf("called %s from %s", out.To(), out.From())
		}
		s.until(in, phone.Established)
		s.talk(in, out)
		s.hangsUp(out)
		if e := s.over(in); e.By != phone.ByThem {
			s.Errorf("%+v", e)
		}
		if e := s.event("call.completed"); e.str("completion_reason") != "hangup" || e.str("hangup_source") != "callee" {
			s.Errorf("%v", e)
		}
	})
}

func TestBusinessHoursOfThePage(t *testing.T) {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	story(t, func(s *stage) {
		s.pageFlow("Business Hours Routing")
		a, b := s.parties()
		for _, moment := range []struct {
			at   time.Time
			open bool
		}{
			{time.Date(2024, 1, 15, 8, 59, 40, 0, zone), false},
			{time.Date(2024, 1, 15, 9, 0, 0, 0, zone), true},
			{time.Date(2024, 1, 19, 16, 59, 40, 0, zone), true},
			{time.Date(2024, 1, 19, 17, 0, 0, 0, zone), false},
			{time.Date(2024, 1, 20, 12, 0, 0, 0, zone), false}, // a Saturday
			{time.Date(2024, 7, 15, 9, 0, 0, 0, zone), true},   // in summer time
		} {
			s.setClock(moment.at)
			in := s.calls(a, did)
			want := "voicemail_default"
			if moment.open {
				s.answers(b)
				want = sales
			}
			s.until(in, phone.Established)
			pass(time.Second)
			s.hangsUp(in)
			if r := s.event("call.routed"); r.str("destination") != want {
				s.Errorf("at %v routed to %v", moment.at, r)
			}
			s.event("call.completed")
			s.customer.forget()
		}
	})
}

func TestSupportMenuOfThePage(t *testing.T) {
	for key, number := range map[string]string{"1": sales, "2": support, "3": ""} {
		t.Run("key "+key, func(t *testing.T) {
			story(t, func(s *stage) {
				s.pageFlow("Support Menu")
				s.create("/v2/ivr-menus", `{"menu_id": "ivr_support_menu", "name": "Support", "prompt": "One, two or three."}`)
				a, b := s.parties()
				in := s.calls(a, did)
				s.until(in, phone.Established)
				pass(time.Second)
				s.presses(in, key)
				if number == "" {
					s.leavesMessage(in, "voicemail_default")
					return
				}
				out := s.answers(b)
				if !strings.Contains(out.To(), number) {
					s.Errorf("called %s", out.To())
				}
				s.talk(in, out)
				s.hangsUp(in)
				s.over(out)
				e := s.event("call.routed", func(d doc) bool { return d.str("destination") == number })
				if e.str("pattern") != key {
					s.Errorf("%v", e)
				}
				s.event("call.completed")
			})
		})
	}
}

// leavesMessage is the caller talking after the beep for three seconds. The
// message must be in the box, with the tone where and as loud as it was.
func (s *stage) leavesMessage(in *phone.Call, box string) (message doc) {
	s.Helper()
	s.until(in, phone.Established)
	s.beep(in)
	in.SendTone(callerTone, toneLevel, 3*time.Second)
	pass(3500 * time.Millisecond)
	s.hangsUp(in)
	told := s.event("voicemail.received")
	s.event("call.completed")
	list := s.get("/v2/voicemail-boxes/" + box + "/messages").list("data")
	if len(list) == 0 {
		s.Fatal("the box is empty")
	}
	message = list[len(list)-1].(map[string]any)
	if message.str("message_id") != told.str("message_id") || message.str("from") != caller || told.str("from") != caller {
		s.Errorf("message %v, told %v", message, told)
	}
	pcm := s.clip(s.download(message.str("audio_url")))
	s.heardAt("message", pcm, callerTone, toneLevel, 300*time.Millisecond, 3*time.Second)
	s.quiet("the beep is not in the message", pcm, 1000)
	if d := message.num("duration"); d < 3.3 || d > 4.2 {
		s.Errorf("the message lasts %v s", d)
	}
	return message
}

func TestSmartRoutingOfThePage(t *testing.T) {
	story(t, func(s *stage) {
		s.pageFlow("Smart Routing")
		_, reply, _ := strings.Cut(s.page(), "Respond with the routing decision:\n")
		reply, _, _ = strings.Cut(reply, "\nHandling Missed Calls")
		s.customer.says(http.StatusOK, reply)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)

		asked := s.customer.questions()
		if len(asked) != 1 {
			s.Fatalf("asked %d times", len(asked))
		}
		began := s.event("call.initiated")
		for field, want := range map[string]string{
			"call_id": began.str("call_id"), "from": caller, "to": did, "call_type": "inbound",
		} {
			if got := asked[0].doc.str(field); got != want {
				s.Errorf("asked with %s %q, want %q", field, got, want)
			}
		}
		if got := asked[0].doc.str("timestamp"); !strings.HasPrefix(got, "2024-01-15T10:30:0") || !strings.HasSuffix(got, "Z") {
			s.Errorf("asked at %q", got)
		}
		for name := range asked[0].doc {
			if !slices.Contains([]string{"call_id", "from", "to", "call_type", "timestamp", "call_flow_id", "flow_revision", "tags"}, name) {
				s.Errorf("asked with %s, too", name)
			}
		}
		tags := map[string]any{"routed_by": "webhook", "queue": "support"}
		for _, e := range []doc{s.event("call.answered"), s.event("call.completed"), s.get("/v2/calls/" + began.str("call_id"))} {
			if !maps.Equal(e.obj("tags"), tags) {
				s.Errorf("tags %v", e.at("tags"))
			}
		}
		if !strings.Contains(s.trace(began.str("call_id")), "webhook") {
			s.Errorf("the trace says nothing of the webhook")
		}
	})
}

// trace is everything that a call's trace says.
func (s *stage) trace(call string) string {
	s.Helper()
	b, err := json.Marshal(s.get("/v2/calls/" + call + "/trace"))
	s.must(err)
	return string(b)
}

func TestFallbackRoutingOfThePage(t *testing.T) {
	for name, does := range map[string]func(s *stage, b *phone.Phone){
		"busy":        func(s *stage, b *phone.Phone) { s.must(s.next(b).Reject(486)) },
		"rejected":    func(s *stage, b *phone.Phone) { s.must(s.next(b).Reject(603)) },
		"unavailable": func(s *stage, b *phone.Phone) { s.must(s.next(b).Reject(503)) },
		"unreachable": func(s *stage, b *phone.Phone) { s.must(b.Close()) },
		"no answer": func(s *stage, b *phone.Phone) {
			c := s.next(b)
			c.Ring()
			begun := time.Now()
			s.over(c)
			if took := time.Since(begun); took < 29*time.Second || took > 31*time.Second {
				s.Errorf("it rang for %v", took)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(s *stage) {
				s.pageFlow("Fallback Routing")
				a, b := s.parties()
				in := s.calls(a, did)
				does(s, b)
				s.leavesMessage(in, "voicemail_default")
				id := s.event("call.initiated").str("call_id")
				if r := s.event("call.routed", func(d doc) bool { return d.str("destination_type") == "voicemail" }); !strings.Contains(r.str("because"), "fallback") {
					s.Errorf("%v", r)
				}
				if got := s.get("/v2/calls/" + id).list("attempts"); len(got) != 1 {
					s.Errorf("attempts: %v", got)
				}
			})
		})
	}
}

func TestScreenedRoutingOfThePage(t *testing.T) {
	story(t, func(s *stage) {
		s.pageFlow("Screened Routing")
		a, b := s.parties()
		for _, blocked := range []string{"+14155552699", "14155552698"} {
			in := s.calls(a, did, phone.Options{From: blocked})
			s.until(in, phone.Established)
			pass(time.Second)
			s.hangsUp(in)
			if r := s.event("call.routed"); r.str("destination") != "voicemail_default" {
				s.Errorf("%s was routed by %v", blocked, r)
			}
			s.event("call.completed")
			s.customer.forget()
		}
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	})
}

func TestVoicemailBoxOfThePage(t *testing.T) {
	story(t, func(s *stage) {
		path, body := s.fromPage(http.MethodPost, `"Default Voicemail"`)
		box := s.create(path, body).str("voicemail_box_id")
		s.flow(`{"pattern": "*", "destination": "` + box + `", "destination_type": "voicemail"}`)
		a, _ := s.parties()
		message := s.leavesMessage(s.calls(a, did), box)
		one := "/v2/voicemail-boxes/" + box + "/messages/" + message.str("message_id")
		if read := s.api(http.MethodPatch, one, `{"read": true}`, http.StatusOK); read.at("read") != true {
			s.Errorf("%v", read)
		}
		s.api(http.MethodDelete, one, "", http.StatusNoContent)
		if left := s.get("/v2/voicemail-boxes/" + box + "/messages").list("data"); len(left) != 0 {
			s.Errorf("%v", left)
		}
	})
}

// The page's three events, with its fields, in its order.
func TestEventsOfThePage(t *testing.T) {
	story(t, func(s *stage) {
		made := s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		pass(5 * time.Second)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")

		var three []string
		for _, name := range s.told() {
			if slices.Contains([]string{"call.initiated", "call.ringing", "call.answered"}, name) {
				three = append(three, name)
			}
		}
		if got := fmt.Sprint(three); got != "[call.initiated call.ringing call.answered]" {
			s.Errorf("told in this order: %v", got)
		}
		for name, fields := range map[string]map[string]string{
			"call.initiated": {"call_type": "inbound", "from": caller, "to": did, "initiated_at": ""},
			"call.ringing":   {"ringing_at": ""},
			"call.answered":  {"answered_by": sales, "answered_at": ""},
		} {
			data := s.event(name)
			for field, want := range fields {
				got := data.str(field)
				if want == "" && (data.time(field).Before(monday) || data.time(field).After(monday.Add(time.Minute)) || !strings.HasSuffix(got, "Z")) ||
					want != "" && got != want {
					s.Errorf("%s: %s is %q, want %q", name, field, got, want)
				}
			}
			if data.str("call_flow_id") != made.str("call_flow_id") || data.num("flow_revision") != 1 {
				s.Errorf("%s: %v", name, data)
			}
		}
		done := s.event("call.completed")
		if done.str("hangup_source") != "caller" || done.str("completion_reason") != "hangup" || done.num("duration") < 5 || done.num("duration") > 5.1 {
			s.Errorf("%v", done)
		}
	})
}

func TestErrorsOfThePage(t *testing.T) {
	story(t, func(s *stage) {
		wrong := s.api(http.MethodPost, "/v2/call-flows",
			`{"name": "x", "routing": [{"pattern": "*", "destination": "12", "destination_type": "phone_number"}]}`, http.StatusBadRequest)
		none := s.api(http.MethodGet, "/v2/call-flows/cf_nothing", "", http.StatusNotFound)
		// The third is that of a call for which everything failed.
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		s.must(s.next(b).Reject(486))
		s.refused(in, 486)
		failed := s.get("/v2/calls/" + s.event("call.failed").str("call_id")).obj("error")
		for i, got := range []doc{wrong, none, failed} {
			_, text, _ := strings.Cut(s.page(), []string{"Invalid Phone Number\n", "Call Flow Not Found\n", "Maximum Retries Exceeded\n"}[i])
			var want doc
			s.must(json.NewDecoder(strings.NewReader(text)).Decode(&want))
			for field, v := range want {
				if got[field] != v {
					s.Errorf("%s is %v, want %v", field, got[field], v)
				}
			}
		}
	}, undrawn)
}
