package stories_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"b2bua/configs"
	"b2bua/flows"
	"b2bua/testbench/memnet"
	"b2bua/testbench/phone"
)

// away loses what goes to and comes from the carrier.
func away() func(memnet.Datagram) bool {
	return func(d memnet.Datagram) bool { return d.From.String() == carrierAt || d.To.String() == carrierAt }
}

// onlyRegisters makes the trunk one that is known by nothing but its account.
func onlyRegisters(c *configs.Config) {
	c.Trunks[0].Hosts = nil
	c.Trunks[0].Outbound = &flows.TrunkOutbound{URI: "sip:" + carrierAt, Username: "account7", Password: "a long secret", Register: true}
}

// trunk is how the trunk is shown.
func (s *stage) trunk() doc {
	s.Helper()
	status, ok := s.get("/v2/trunks/trunk_carrier")["status"].(map[string]any)
	if !ok {
		s.Fatal("the trunk has no status")
	}
	return status
}

// turns waits until the trunk is up or down.
func (s *stage) turns(state string, within time.Duration) {
	s.Helper()
	pass(moment) // at the very start the keeper of trunks may not have looked at them
	for begun := time.Now(); s.trunk().str("state") != state; pass(time.Second) {
		if time.Since(begun) > within {
			s.Fatalf("%v after %v", s.trunk(), within)
		}
	}
}

// A trunk that is known only by its registration brings calls, by the number in
// To; without its registration the same address is a stranger's.
func TestTrunkRegisters(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(`{"pattern": "*", "destination": "dev_anna", "destination_type": "device"}`)
		desk := s.phone("desk", "10.0.5.1:5060", phone.Quirks{})
		s.device("anna", desk)
		registrar := s.phone("carrier", carrierAt, phone.Quirks{Registrar: 10 * time.Minute})
		s.turns("up", time.Minute)
		if st := s.trunk(); st["registered"] != true || st.str("registration_expires_at") == "" {
			s.Errorf("%v", st)
		}
		if m := s.metrics(); m[`b2bua_trunk_registered{trunk="trunk_carrier"}`] != 1 || m[`b2bua_trunk_up{trunk="trunk_carrier"}`] != 1 {
			s.Error("the metrics do not know of it")
		}
		in := s.calls(registrar, "account7", phone.Options{Called: did})
		out := s.answers(desk)
		s.until(in, phone.Established)
		s.hangsUp(in)
		s.over(out)
		if e := s.event("call.initiated"); e.str("to") != did {
			s.Errorf("%v", e)
		}
		s.event("call.completed")
		pass(time.Hour)
		if n := registrar.Received("REGISTER"); n < 7 || n > 9 {
			s.Errorf("registered %d times", n)
		}

		s.drop(away())
		s.turns("down", 15*time.Minute)
		if st := s.trunk(); st["registered"] != false || !strings.HasPrefix(st.str("reason"), "not registered: 408") {
			s.Errorf("%v", st)
		}
		s.drop(nil)
		s.turns("up", 6*time.Minute)

		n := registrar.Received("REGISTER")
		s.restarts()
		pass(5 * time.Second)
		if got := registrar.Received("REGISTER"); got != n+2 { // taken back, and made anew
			s.Errorf("%d REGISTERs at a restart", got-n)
		}
	}, config(onlyRegisters), steady, drawn("carrier", "switch", "desk"))
}

// A trunk that calls from any address proves by its password who it is; one that
// only knows its name is a stranger.
func TestTrunkProvesItselfByPassword(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(`{"pattern": "*", "destination": "dev_anna", "destination_type": "device"}`)
		desk := s.phone("desk", "10.0.5.1:5060", phone.Quirks{})
		s.device("anna", desk)
		for n, at := range []string{"10.0.66.7:5060", "10.0.77.8:5060"} { // its line has another address every day
			pbx := s.phone("pbx"+strconv.Itoa(n), at, phone.Quirks{})
			in := s.calls(pbx, did, phone.Options{User: "branch-office", Password: "a long secret"})
			out := s.answers(desk)
			s.until(in, phone.Established)
			if e := s.event("call.initiated"); e.str("from") != caller || e.str("to") != did {
				s.Errorf("%v", e)
			}
			s.hangsUp(in)
			s.over(out)
			s.event("call.completed")
		}
		liar := s.phone("liar", strangerAt, phone.Quirks{})
		s.refused(s.calls(liar, did, phone.Options{User: "branch-office", Password: "a guess"}), 401)
	}, config(func(c *configs.Config) {
		c.Trunks = append(c.Trunks, flows.Trunk{ID: "trunk_pbx", Name: "branch office",
			Inbound: &flows.TrunkInbound{Username: "branch-office", Password: "a long secret"}})
	}), undrawn)
}

// A plan that changes one trunk leaves the others alone.
func TestTrunksChange(t *testing.T) {
	story(t, func(s *stage) {
		one := s.phone("one", "10.0.2.1:5070", phone.Quirks{Registrar: time.Hour})
		two := s.phone("two", "10.0.2.2:5070", phone.Quirks{Registrar: time.Hour})
		body := func(p *phone.Phone, more string) string {
			return `{"trunk_id": "trunk_` + p.Name() + `", "name": "` + p.Name() + `", "probe": -1` + more +
				`, "outbound": {"uri": "sip:` + p.Addr().String() + `", "username": "us", "password": "a long secret", "register": true}}`
		}
		seen := func(first, second int) {
			s.Helper()
			pass(5 * time.Second)
			if a, b := one.Received("REGISTER"), two.Received("REGISTER"); a != first || b != second {
				s.Errorf("%d and %d REGISTERs, want %d and %d", a, b, first, second)
			}
		}
		s.create("/v2/trunks", body(one, ""))
		seen(1, 0)
		s.create("/v2/trunks", body(two, ""))
		seen(1, 1)
		s.flow(toSales)
		s.api("PUT", "/v2/trunks/trunk_one", body(one, `, "hosts": ["192.0.2.0/24"], "status": {"state": "up"}`), 200)
		seen(1, 1) // nothing that matters to the registration
		s.api("PATCH", "/v2/trunks/trunk_one", `{"outbound": {"password": "another secret"}}`, 200)
		seen(3, 1)
		s.api("PATCH", "/v2/trunks/trunk_two", `{"outbound": {"register": false}}`, 200)
		seen(3, 2)
		s.api("DELETE", "/v2/trunks/trunk_one", "", 204)
		seen(4, 2)
	}, undrawn)
}

// A first trunk that is dead is skipped after two pings, and used again once it
// is back.
func TestDeadTrunkIsSkipped(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		c := s.phone("backup", backupAt, phone.Quirks{})
		s.turns("up", 30*time.Second)
		s.drop(away())
		s.turns("down", time.Minute)
		begun := time.Now()
		in := s.calls(a, did)
		out := s.answers(c)
		s.until(in, phone.Established)
		if took := time.Since(begun); took > 2*time.Second {
			s.Errorf("it took %v to get through", took)
		}
		s.hangsUp(in)
		s.over(out)
		s.drop(nil)
		s.turns("up", time.Minute)
		in = s.calls(a, did)
		out = s.answers(b)
		s.hangsUp(in)
		s.over(out)
	}, withBackup, config(func(c *configs.Config) { c.Trunks[0].Probe = 0 }), steady, drawn("caller", "switch", "sales", "backup"))
}

// A trunk that is down but the only one is tried all the same.
func TestOnlyTrunkIsDown(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a := s.phone("caller", callerAt, phone.Quirks{})
		s.turns("down", time.Minute)
		b := s.phone("sales", carrierAt, phone.Quirks{})
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		s.hangsUp(in)
		s.over(out)
	}, config(func(c *configs.Config) { c.Trunks[0].Probe = 0 }), steady)
}

// Phones need not register anew when the switch has been restarted.
func TestRestartKeepsRegistrations(t *testing.T) {
	story(t, func(s *stage) {
		a, desk := s.phone("caller", callerAt, phone.Quirks{}), s.phone("desk", "10.0.5.1:5060", phone.Quirks{})
		lost := s.phone("lost", "10.0.5.2:5060", phone.Quirks{})
		s.device("anna", desk)
		s.device("ben", lost)
		s.flow(`{"pattern": "*", "destination": "dev_anna", "destination_type": "device"}`)
		pass(10 * time.Second)
		s.restarts()
		in := s.calls(a, did)
		out := s.answers(desk)
		s.until(in, phone.Established)
		s.hangsUp(in)
		s.over(out)
		if n := s.metrics()["b2bua_registrations"]; n != 2 {
			s.Errorf("%v registrations", n)
		}
		s.api("PATCH", "/v2/devices/dev_ben", `{"password": "somebody-else-1"}`, 200)
		pass(2 * time.Second)
		s.restarts()
		if n := s.metrics()["b2bua_registrations"]; n != 1 {
			s.Errorf("%v registrations", n)
		}
		pass(time.Hour)
		s.restarts()
		if n := s.metrics()["b2bua_registrations"]; n != 0 {
			s.Errorf("%v registrations after an hour", n)
		}
	}, undrawn)
}
