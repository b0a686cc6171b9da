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

// lull waits for a moment between two questions, in which nothing is left over.
func (s *stage) lull() {
	s.Helper()
	for range 120 {
		if len(s.leftOver()) == 0 {
			return
		}
		pass(time.Second)
	}
}

// A carrier dies while it rings. Over UDP nothing tells but that it answers no
// OPTIONS any more: then the second trunk rings, and the caller hears it ring on.
func TestTrunkDiesWhileItRings(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		backup := s.phone("backup", backupAt, phone.Quirks{})
		pass(time.Second)
		s.turns("up", time.Minute)
		in := s.calls(a, did)
		s.next(b).Ring()
		s.until(in, phone.Ringing)
		s.drop(away())
		begun := time.Now()
		out := s.next(backup)
		// Twice 8 s until one is due, and 4 s without an answer.
		if took := time.Since(begun); took > 25*time.Second {
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
		s.drop(nil)
		s.attempted("trunk_unavailable", "connected")
		s.lull()
	}, withBackup, probed(8), undrawn)
}

// Who talks already is left alone: OPTIONS may be lost where the conversation is
// not.
func TestTrunkDiesWhileItTalks(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		pass(time.Second)
		s.turns("up", time.Minute)
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		s.drop(away())
		s.turns("down", 2*time.Minute)
		if in.State() != phone.Established {
			s.Errorf("the caller is %v", in.State())
		}
		s.drop(nil)
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
		s.lull()
	}, probed(8), undrawn)
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
