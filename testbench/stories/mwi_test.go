package stories_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"b2bua/testbench/phone"
)

// lamp waits for a NOTIFY that says how many messages there are.
func (s *stage) lamp(p *phone.Phone, state, counts string) {
	s.Helper()
	light := "no"
	if !strings.HasPrefix(counts, "0/") {
		light = "yes"
	}
	var all []phone.Notification
	for range 100 {
		all = p.Notifications()
		if n := len(all); n > 0 && strings.HasPrefix(all[n-1].State, state) && all[n-1].Event == "message-summary" &&
			strings.HasPrefix(all[n-1].Body, "Messages-Waiting: "+light+"\r\n") && strings.Contains(all[n-1].Body, "\r\nVoice-Message: "+counts+" (0/0)\r\n") {
			return
		}
		pass(100 * time.Millisecond)
	}
	s.Fatalf("%s was not told of %s messages: %q", p.Name(), counts, all)
}

func (s *stage) notSubscribed(p *phone.Phone, event string, expires time.Duration, code int) {
	s.Helper()
	var status *phone.StatusError
	if _, err := p.Subscribe(s.soon(), event, expires); !errors.As(err, &status) || status.Code != code {
		s.Errorf("SUBSCRIBE to %s: %v, want %d", event, err, code)
	}
}

// A message lights the lamp of phones that asked for it and of those that did
// not; who listens to it, and who deletes it, turns it off.
func TestMessageWaiting(t *testing.T) {
	story(t, func(s *stage) {
		a := s.phone("caller", callerAt, phone.Quirks{})
		desk, mobile := s.phone("desk", "10.0.5.1:5060", phone.Quirks{}), s.phone("mobile", "10.0.5.2:5060", phone.Quirks{})
		s.create("/v2/voicemail-boxes", `{"voicemail_box_id": "vm_anna", "name": "anna", "greeting": "Hello."}`)
		s.create("/v2/devices", `{"device_id": "dev_anna", "username": "anna", "password": "correct-horse-anna", "voicemail_box_id": "vm_anna"}`)
		s.flow(`{"pattern": "*", "destination": "vm_anna", "destination_type": "voicemail"}`)
		for _, p := range []*phone.Phone{desk, mobile} {
			s.must(p.Register(s.soon(), switchAt, "anna", "correct-horse-anna", time.Hour))
			s.lamp(p, "terminated;reason=noresource", "0/0")
		}
		sub, err := desk.Subscribe(s.soon(), "message-summary", time.Hour)
		s.must(err)
		s.lamp(desk, "active;expires=3600", "0/0")

		in := s.calls(a, did)
		s.until(in, phone.Established)
		s.beep(in)
		in.SendTone(callerTone, toneLevel, 3*time.Second)
		pass(3 * time.Second)
		s.hangsUp(in)
		message := "/v2/voicemail-boxes/vm_anna/messages/" + s.event("voicemail.received").str("message_id")
		s.lamp(desk, "active", "1/0")
		s.lamp(mobile, "terminated", "1/0")
		told := len(desk.Notifications())
		s.api(http.MethodPatch, message, `{"read": true}`, http.StatusOK)
		s.api(http.MethodPatch, message, `{"read": false}`, http.StatusOK)
		s.api(http.MethodPatch, message, `{"read": true}`, http.StatusOK)
		s.lamp(desk, "active", "0/1")
		if n := len(desk.Notifications()); n != told+1 {
			s.Errorf("a burst was told %d times", n-told)
		}
		s.api(http.MethodDelete, message, "", http.StatusNoContent)
		s.lamp(desk, "active", "0/0")
		s.must(sub.Refresh(s.soon(), 0))
		s.lamp(desk, "terminated;reason=timeout", "0/0")
	}, drawn("caller", "switch", "desk", "mobile"), undrawn)
}

func TestSubscriptionsRefused(t *testing.T) {
	story(t, func(s *stage) {
		ben := s.colleagues("ben")[0]
		s.notSubscribed(ben, "message-summary", time.Hour, 404) // there is no box
		s.notSubscribed(ben, "presence", time.Hour, 489)
		s.notSubscribed(ben, "message-summary", 30*time.Second, 423)
	}, drawn("switch", "ben"), undrawn)
}

// A subscription ends when its time is up, and when its phone knows nothing of it.
func TestSubscriptionEnds(t *testing.T) {
	story(t, func(s *stage) {
		anna := s.phone("anna", "10.0.5.1:5060", phone.Quirks{})
		s.create("/v2/devices", `{"device_id": "dev_anna", "username": "anna", "password": "correct-horse-anna", "voicemail_box_id": "voicemail_default"}`)
		s.must(anna.Register(s.soon(), switchAt, "anna", "correct-horse-anna", time.Hour))
		_, err := anna.Subscribe(s.soon(), "message-summary", 2*time.Minute)
		s.must(err)
		s.lamp(anna, "active;expires=120", "0/0")
		pass(2 * time.Minute)
		s.lamp(anna, "terminated;reason=timeout", "0/0")
	}, drawn("switch", "anna"), undrawn)
}
