package stories_test

import (
	"testing"
	"time"

	"b2bua/configs"
	"b2bua/testbench/phone"
)

// probed has the first trunk asked every so many seconds whether it is there.
func probed(seconds int) func(*setup) {
	return config(func(c *configs.Config) { c.Trunks[0].Probe = seconds })
}

// A carrier dies while it rings. Over UDP nothing tells but that it answers no
// OPTIONS any more: then the second trunk rings, and the caller hears it ring on.
func TestTrunkDiesWhileItRings(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(`{"pattern": "*", "destination": "` + sales + `", "destination_type": "phone_number", "timeout": 90}`)
		a, b := s.parties()
		backup := s.phone("backup", backupAt, phone.Quirks{})
		s.turns("up", time.Minute)
		in := s.calls(a, did)
		s.next(b).Ring()
		s.until(in, phone.Ringing)
		s.drop(away(carrierAt))
		begun := time.Now()
		out := s.next(backup)
		// 20 s until one is due, 10 s until the next, and 4 s without an answer each.
		if took := time.Since(begun); took > 39*time.Second {
			s.Errorf("the second trunk was tried after %v", took)
		}
		if in.State() != phone.Ringing {
			s.Errorf("the caller is %v", in.State())
		}
		out.Ring()
		pass(3 * time.Second)
		s.must(out.Accept())
		s.until(in, phone.Established)
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
		s.attempted("trunk_unavailable", "connected")
	}, withBackup, probed(20), undrawn)
}

// Who talks already is left alone: OPTIONS may be lost where the conversation is
// not.
func TestTrunkDiesWhileItTalks(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		s.turns("up", time.Minute)
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		s.drop(away(carrierAt))
		s.turns("down", 2*time.Minute)
		if in.State() != phone.Established {
			s.Errorf("the caller is %v", in.State())
		}
		s.drop(nil)
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
	}, probed(20), undrawn)
}

// attempted checks how the attempts of the call that is over came out.
func (s *stage) attempted(results ...string) {
	s.Helper()
	done := s.event("call.completed")
	attempts := s.get("/v2/calls/" + done.str("call_id")).list("attempts")
	if len(attempts) != len(results) {
		s.Fatalf("attempts %v", attempts)
	}
	for i, want := range results {
		if got := doc(attempts[i].(map[string]any)).str("result"); got != want {
			s.Errorf("attempt %d: %v", i, attempts[i])
		}
	}
}
