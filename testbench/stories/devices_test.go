package stories_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"b2bua/testbench/phone"
)

// device makes a device and registers phones for it.
func (s *stage) device(user string, phones ...*phone.Phone) {
	s.Helper()
	s.create("/v2/devices", `{"device_id": "dev_`+user+`", "username": "`+user+`", "password": "correct-horse-`+user+`"}`)
	for _, p := range phones {
		s.must(p.Register(s.soon(), switchAt, user, "correct-horse-"+user, time.Hour))
	}
}

func TestDeviceRingsOnAllItsPhones(t *testing.T) {
	story(t, func(s *stage) {
		a := s.phone("caller", callerAt, phone.Quirks{})
		desk, mobile := s.phone("desk", "10.0.5.1:5060", phone.Quirks{}), s.phone("mobile", "10.0.5.2:5060", phone.Quirks{})
		s.device("anna", desk, mobile)
		s.flow(`{"pattern": "*", "destination": "dev_anna", "destination_type": "device"}`)
		in := s.calls(a, did)
		loser, winner := s.next(desk), s.next(mobile)
		loser.Ring()
		winner.Ring()
		pass(2 * time.Second)
		s.must(winner.Accept())
		e := s.over(loser)
		if e.By != phone.ByThem || !strings.Contains(e.Header, "SIP;cause=200") || !strings.Contains(e.Header, `"Call completed elsewhere"`) {
			s.Errorf("the other phone was told %+v", e)
		}
		s.until(in, phone.Established)
		s.talk(in, winner)
		s.hangsUp(winner)
		s.over(in)
		done := s.event("call.completed")
		var results []string
		for _, one := range s.get("/v2/calls/" + done.str("call_id")).list("attempts") {
			results = append(results, doc(one.(map[string]any)).str("result"))
		}
		slices.Sort(results)
		if fmt.Sprint(results) != "[completed_elsewhere connected]" {
			s.Errorf("attempts: %v", results)
		}
	}, drawn("caller", "switch", "desk", "mobile"))
}

func TestDeviceCallsDevice(t *testing.T) {
	story(t, func(s *stage) {
		anna, ben := s.phone("anna", "10.0.5.1:5060", phone.Quirks{}), s.phone("ben", "10.0.5.2:5060", phone.Quirks{})
		s.device("anna", anna)
		s.device("ben", ben)
		in, err := anna.Invite(s.soon(), "ben", phone.Options{})
		s.must(err)
		out := s.answers(ben)
		s.until(in, phone.Established)
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
		if e := s.event("call.initiated"); e.str("from") != "anna" || e.str("to") != "ben" {
			s.Errorf("%v", e)
		}
		s.event("call.completed")

		// Whom nobody knows is not there, and nobody dials out through us.
		for user, code := range map[string]int{"nobody": 404, sales: 403} {
			in, err := anna.Invite(s.soon(), user, phone.Options{})
			s.must(err)
			s.refused(in, code)
		}
	}, drawn("anna", "switch", "ben"), undrawn)
}

func TestDeviceThatIsNotThere(t *testing.T) {
	story(t, func(s *stage) {
		s.device("anna")
		s.flow(`{"pattern": "*", "destination": "dev_anna", "destination_type": "device"}`)
		a, _ := s.parties()
		in := s.calls(a, did)
		e := s.over(in)
		if e.By != phone.ByRefusal {
			s.Errorf("%+v", e)
		}
		if failed := s.event("call.failed"); failed.str("failure_reason") != "routing_failed" {
			s.Errorf("%v", failed)
		}
	})
}
