package stories_test

import (
	"net/http"
	"testing"
	"time"

	"b2bua/media/tone"
	"b2bua/testbench/phone"
	"b2bua/testbench/sound"
)

// box makes a box and a flow that leads to it.
func (s *stage) box(more string) {
	s.Helper()
	s.create("/v2/voicemail-boxes", `{"voicemail_box_id": "vmbox_x", "name": "x", "greeting": "Hello.", "prompt": "Speak."`+more+`}`)
	s.flow(rule("*", "vmbox_x", "voicemail"))
}

func (s *stage) messages(box string) []any {
	s.Helper()
	return s.get("/v2/voicemail-boxes/" + box + "/messages").list("data")
}

// How a message ends, and how long it is then.
func TestEndsOfAMessage(t *testing.T) {
	story(t, func(s *stage) {
		s.box(`, "max_duration": 8, "max_silence": 4`)
		a, _ := s.parties()
		for _, end := range []struct {
			how       string
			talks     time.Duration
			does      func(in *phone.Call)
			from, to  float64
			abandoned string
		}{
			{how: "hash key", talks: 3 * time.Second, does: func(in *phone.Call) { _ = in.SendDigits(s.soon(), "#") }, from: 2.9, to: 3.8},
			{how: "longest duration", talks: 20 * time.Second, from: 7.9, to: 8.3},
			{how: "silence", talks: 3 * time.Second, from: 6.5, to: 7.8},
			{how: "too short", talks: time.Second, does: func(in *phone.Call) { s.hangsUp(in) }, abandoned: "hangup"},
		} {
			in := s.calls(a, did)
			s.until(in, phone.Established)
			s.beep(in)
			in.SendTone(callerTone, toneLevel, end.talks)
			if end.does != nil {
				pass(end.talks)
				end.does(in)
			}
			s.over(in)
			done := s.event("call.completed")
			if end.abandoned != "" {
				if e := s.event("voicemail.abandoned"); e.str("reason") != end.abandoned {
					s.Errorf("%s: %v", end.how, e)
				}
			} else if d := s.event("voicemail.received").num("duration"); d < end.from || d > end.to {
				s.Errorf("%s: the message lasts %v s", end.how, d)
			}
			if s.count("voicemail.received")+s.count("voicemail.abandoned") != 1 || done.str("completion_reason") == "" {
				s.Errorf("%s: told of %v", end.how, s.told())
			}
			s.customer.forget()
		}
		if n := len(s.messages("vmbox_x")); n != 3 {
			s.Errorf("%d messages in the box", n)
		}
	}, undrawn)
}

func TestCallerLeavesDuringTheGreeting(t *testing.T) {
	story(t, func(s *stage) {
		s.box("")
		a, _ := s.parties()
		in := s.calls(a, did)
		s.until(in, phone.Established)
		pass(400 * time.Millisecond)
		s.hangsUp(in)
		if e := s.event("voicemail.abandoned"); e.str("reason") != "hangup" || e.str("voicemail_box_id") != "vmbox_x" {
			s.Errorf("%v", e)
		}
		s.event("call.completed")
	})
}

func TestFullBox(t *testing.T) {
	story(t, func(s *stage) {
		s.box(`, "max_messages": 1`)
		a, _ := s.parties()
		s.leavesMessage(s.calls(a, did), "vmbox_x")
		s.customer.forget()
		in := s.calls(a, did)
		s.until(in, phone.Established)
		s.over(in)
		if len(sound.Loud(in.Heard(), -40, 500*time.Millisecond)) == 0 {
			s.Error("the caller was not told")
		}
		s.event("voicemail.box_full")
		s.event("call.completed")
		if n := len(s.messages("vmbox_x")); n != 1 {
			s.Errorf("%d messages in the box", n)
		}
		if told := s.event("voicemail.box_full"); told.str("from") != caller {
			s.Errorf("%v", told)
		}
	}, undrawn)
}

// A colleague who does not answer has a box.
func TestColleagueHasABox(t *testing.T) {
	story(t, func(s *stage) {
		anna, ben := s.phone("anna", "10.0.5.1:5060", phone.Quirks{}), s.phone("ben", "10.0.5.2:5060", phone.Quirks{})
		s.device("anna", anna)
		s.create("/v2/devices", `{"device_id": "dev_ben", "username": "ben", "password": "correct-horse-ben", "voicemail_box_id": "voicemail_default"}`)
		s.must(ben.Register(s.soon(), switchAt, "ben", "correct-horse-ben", time.Hour))
		in, err := anna.Invite(s.soon(), "ben", phone.Options{})
		s.must(err)
		out := s.next(ben)
		out.Ring()
		s.until(in, phone.Established)
		s.beep(in)
		in.SendTone(callerTone, toneLevel, 3*time.Second)
		pass(3500 * time.Millisecond)
		s.hangsUp(in)
		if e := s.event("voicemail.received"); e.str("from") != "anna" {
			s.Errorf("%v", e)
		}
		s.over(out)
		s.event("call.completed")
	}, drawn("anna", "switch", "ben"))
}

// What is in the box can be fetched in parts, as players do.
func TestMessageInParts(t *testing.T) {
	story(t, func(s *stage) {
		s.box("")
		a, _ := s.parties()
		path := s.leavesMessage(s.calls(a, did), "vmbox_x").str("audio_url")
		all := s.download(path)
		w := s.request(http.MethodGet, path, "", "Range", "bytes=100-199")
		if w.Code != http.StatusPartialContent || w.Body.String() != string(all[100:200]) {
			s.Errorf("%d with %d bytes", w.Code, w.Body.Len())
		}
	}, undrawn)
}

// A gateway does not hang up when its caller has: it lets the busy tone through.
// The message ends where the tone begins.
func TestBusyToneEndsAMessage(t *testing.T) {
	story(t, func(s *stage) {
		s.box("")
		a, _ := s.parties()
		in := s.calls(a, did)
		s.until(in, phone.Established)
		s.beep(in)
		in.SendTone(salesTone, toneLevel, 3*time.Second)
		set, err := tone.ByCountry("de")
		s.must(err)
		busy := make([]int16, 8000*20)
		set.Busy.Play(true).Frame(busy[2400:])
		in.PlayClip(busy)
		s.over(in)
		d := s.event("voicemail.received").num("duration")
		s.event("call.completed")
		if d < 3 || d > 4 {
			s.Errorf("the message lasts %v s", d)
		}
		message := s.messages("vmbox_x")[0].(map[string]any)
		pcm := s.clip(s.download(doc(message).str("audio_url")))
		if got := sound.Time(len(pcm)).Seconds(); got < d-0.05 || got > d+0.05 {
			s.Errorf("the file lasts %v s, told %v", got, d)
		}
		s.heardAt("message", pcm, salesTone, toneLevel, 300*time.Millisecond, 2900*time.Millisecond)
		s.quiet("the busy tone is not in the message", pcm, 425)
	}, undrawn)
}
