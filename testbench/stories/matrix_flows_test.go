package stories_test

import (
	"time"

	"b2bua/flows"
	"b2bua/testbench/phone"
)

// ring is a call by the flow that rings the party called.
func (s *stage) ring(a, b *phone.Phone, o ...phone.Options) (in, out *phone.Call) {
	s.Helper()
	in = s.calls(a, did, o...)
	out = s.next(b)
	out.Ring()
	pass(brisk)
	return in, out
}

// connect is a call that is answered.
func (s *stage) connect(a, b *phone.Phone, o ...phone.Options) (in, out *phone.Call) {
	s.Helper()
	in, out = s.ring(a, b, o...)
	s.must(out.Accept())
	s.until(in, phone.Established)
	pass(brisk)
	return in, out
}

// ends hangs up the first and waits for the others.
func (s *stage) ends(first *phone.Call, others ...*phone.Call) []*phone.Call {
	s.Helper()
	s.hangsUp(first)
	for _, c := range others {
		s.over(c)
	}
	return append(others, first)
}

// silently are the phones of most stories, without any sound.
func (s *stage) silently(answer ...phone.Header) (a, b *phone.Phone) {
	s.Helper()
	s.flow(toSales)
	return s.phone("caller", callerAt, silent), s.phone("sales", carrierAt, phone.Quirks{NoRTP: true, Answer: answer})
}

// team are phones that register before each call.
func (s *stage) team(names ...string) (team []*phone.Phone, register func()) {
	s.Helper()
	for i, name := range names {
		team = append(team, s.phone(name, "10.0.5."+string(rune('1'+i))+":5060", silent))
		s.device(name)
	}
	return team, func() {
		s.Helper()
		for i, p := range team {
			s.must(p.Register(s.soon(), switchAt, names[i], "correct-horse-"+names[i], time.Hour))
		}
	}
}

var basicFlows = []basicFlow{
	{name: "the caller hangs up", least: 14, set: func(s *stage) (ready func(), play func() []*phone.Call) {
		a, b := s.silently()
		return nil, func() []*phone.Call { in, out := s.connect(a, b); return s.ends(in, out) }
	}},
	{name: "the callee hangs up", least: 14, set: func(s *stage) (ready func(), play func() []*phone.Call) {
		a, b := s.silently()
		return nil, func() []*phone.Call {
			in, out := s.connect(a, b)
			s.until(out, phone.Established)
			return s.ends(out, in)
		}
	}},
	{name: "the caller gives up", least: 14, set: func(s *stage) (ready func(), play func() []*phone.Call) {
		a, b := s.silently()
		return nil, func() []*phone.Call {
			in, out := s.ring(a, b)
			s.must(in.Cancel(s.soon()))
			s.over(out)
			return []*phone.Call{in, out}
		}
	}},
	{name: "the callee is busy", least: 10, set: func(s *stage) (ready func(), play func() []*phone.Call) {
		a, b := s.silently()
		return nil, func() []*phone.Call {
			in, out := s.ring(a, b)
			s.must(out.Reject(486))
			s.over(in)
			return []*phone.Call{in, out}
		}
	}},
	{name: "the menu hangs up", least: 8, set: func(s *stage) (ready func(), play func() []*phone.Call) {
		s.menu("ivr_main", "Hello.", `, "options": [`+option("1", "", "hangup")+`]`)
		s.flow(rule("*", "ivr_main", "ivr_menu"))
		a := s.phone("caller", callerAt, silent)
		return nil, func() []*phone.Call {
			in := s.calls(a, did)
			s.until(in, phone.Established)
			pass(brisk)
			s.insists(func() error { return in.SendInfo(s.soon(), "application/dtmf-relay", "Signal=1\r\nDuration=160\r\n") })
			s.over(in)
			return []*phone.Call{in}
		}
	}},
	{name: "the caller holds and resumes", least: 24, hold: flows.HoldRelay, set: func(s *stage) (ready func(), play func() []*phone.Call) {
		a, b := s.silently()
		return nil, func() []*phone.Call {
			in, out := s.connect(a, b)
			s.insists(func() error { return in.Hold(s.soon()) })
			pass(brisk)
			s.insists(func() error { return in.Resume(s.soon()) })
			pass(brisk)
			return s.ends(in, out)
		}
	}},
	{name: "early media is reliable", least: 18, set: func(s *stage) (ready func(), play func() []*phone.Call) {
		a, b := s.silently()
		return nil, func() []*phone.Call {
			in := s.calls(a, did, phone.Options{Headers: []phone.Header{{Name: "Supported", Value: "100rel"}}})
			out := s.next(b)
			s.must(out.ProgressReliably(s.soon(), 183, "Session Progress", true))
			pass(brisk)
			s.must(out.Accept())
			s.until(in, phone.Established)
			pass(brisk)
			return s.ends(in, out)
		}
	}},
	{name: "the session is refreshed", least: 20, set: func(s *stage) (ready func(), play func() []*phone.Call) {
		a, b := s.silently(phone.Header{Name: "Allow", Value: "UPDATE"}, phone.Header{Name: "Supported", Value: "timer"},
			phone.Header{Name: "Session-Expires", Value: "1800;refresher=uac"})
		timer := []phone.Header{{Name: "Supported", Value: "timer"}, {Name: "Session-Expires", Value: "1800;refresher=uac"}}
		return nil, func() []*phone.Call {
			in, out := s.connect(a, b, phone.Options{Headers: timer})
			pass(15*time.Minute - 10*time.Second)
			s.insists(func() error { return in.Update(s.soon(), "", timer...) })
			pass(20 * time.Second) // meanwhile we refreshed the other leg
			s.insists(func() error { return in.Update(s.soon(), phone.SendOnly) })
			pass(brisk)
			return s.ends(in, out)
		}
	}},
	{name: "blind transfer", least: 28, set: func(s *stage) (ready func(), play func() []*phone.Call) {
		a := s.phone("caller", callerAt, silent)
		team, register := s.team("anna", "ben")
		s.flow(toAnna)
		return register, func() []*phone.Call {
			in, first := s.connect(a, team[0])
			s.until(first, phone.Established)
			s.insists(func() error { return first.Refer(s.soon(), at("ben")) })
			second := s.next(team[1])
			second.Ring()
			pass(brisk)
			s.must(second.Accept())
			s.over(first)
			return append(s.ends(second, in), first)
		}
	}},
	{name: "attended transfer", least: 40, set: func(s *stage) (ready func(), play func() []*phone.Call) {
		a := s.phone("caller", callerAt, silent)
		team, register := s.team("anna", "ben")
		s.flow(toAnna)
		return register, func() []*phone.Call {
			in, first := s.connect(a, team[0])
			s.until(first, phone.Established)
			s.insists(func() error { return first.Hold(s.soon()) })
			asks, err := team[0].Invite(s.soon(), "ben", phone.Options{})
			s.must(err)
			asked := s.next(team[1])
			asked.Ring()
			pass(brisk)
			s.must(asked.Accept())
			s.until(asks, phone.Established)
			pass(brisk)
			s.insists(func() error { return first.Refer(s.soon(), phone.ReferToCall(asks)) })
			s.over(first)
			s.over(asks)
			return append(s.ends(in, asked), first, asks)
		}
	}},
	{name: "a device registers and is called", least: 20, set: func(s *stage) (ready func(), play func() []*phone.Call) {
		a := s.phone("caller", callerAt, silent)
		team, register := s.team("anna")
		s.flow(toAnna)
		return nil, func() []*phone.Call {
			register()
			in, out := s.connect(a, team[0])
			all := s.ends(out, in)
			s.must(team[0].Register(s.soon(), switchAt, "anna", "correct-horse-anna", 0))
			return all
		}
	}},
}
