package stories_test

import (
	"net/netip"
	"testing"
	"time"

	"b2bua/configs"
	"b2bua/testbench/phone"
)

// byTCP has the switch take connections, too.
func byTCP(c *configs.Config) { c.SIP.Listen = append(c.SIP.Listen, "tcp://"+switchAt) }

// A phone behind a connection is called over it, whatever address it names. When
// the connection is lost, so is the registration, and calls go on at once to where
// they go when the device is not there.
func TestPhoneIsLostWithItsConnection(t *testing.T) {
	story(t, func(s *stage) {
		a, b := s.parties()
		line, err := s.net.DialStream(s.soon(), netip.MustParseAddr("10.0.5.1"), netip.MustParseAddrPort(switchAt))
		s.must(err)
		desk := s.phoneOn(phone.Over(line), "desk", phone.Quirks{})
		s.device("anna", desk)
		pass(moment)
		s.flow(`{"pattern": "*", "destination": "dev_anna", "destination_type": "device",
			"fallback": {"timeout": 20, "action": "phone_number", "action_id": "` + sales + `"}}`)

		in := s.calls(a, did)
		out := s.answers(desk)
		s.until(in, phone.Established)
		s.talk(in, out)
		s.hangsUp(out)
		s.over(in)
		s.event("call.completed")

		in = s.calls(a, did) // lost while it rings
		ringing := s.next(desk)
		ringing.Ring()
		s.until(in, phone.Ringing)
		pass(time.Second)
		if n := s.metrics()["b2bua_registrations"]; n != 1 {
			s.Errorf("%v registrations", n)
		}
		s.must(line.Close())
		start := time.Now()
		out = s.next(b)
		if took := time.Since(start); took > time.Second {
			s.Errorf("it went on after %v", took)
		}
		s.must(out.Accept())
		s.until(in, phone.Established)
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
		if n := s.metrics()["b2bua_registrations"]; n != 0 {
			s.Errorf("%v registrations", n)
		}

		in = s.calls(a, did) // and not there any more
		out = s.answers(b)
		s.until(in, phone.Established)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	}, drawn("caller", "switch", "desk", "sales"), config(byTCP))
}
