package stories_test

import (
	"slices"
	"testing"
	"time"

	"b2bua/testbench/phone"
)

func TestFarEndSpeaksBeforeItAnswers(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.next(b)
		out.Progress1xx(183, "Session Progress", true)
		out.SendTone(salesTone, toneLevel, 2*time.Second)
		pass(1500 * time.Millisecond)
		s.level("before the answer the caller hears", last(in, time.Second), salesTone, toneLevel)
		if p := in.Progress(); !slices.Contains(p, 183) {
			s.Errorf("the caller was told %v", p)
		}
		if in.State() >= phone.Answered {
			s.Errorf("the caller's call is %v", in.State())
		}
		pass(time.Second)
		s.must(out.Accept())
		s.until(in, phone.Established)
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	})
}

// The first trunk lets itself be heard and then fails; the second one, too, is
// heard before it answers.
func TestFailoverAfterEarlyMedia(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		backup := s.phone("backup", backupAt, phone.Quirks{})
		in := s.calls(a, did)
		first := s.next(b)
		first.Progress1xx(183, "Session Progress", true)
		pass(time.Second)
		s.must(first.Reject(503))
		second := s.next(backup)
		second.Progress1xx(183, "Session Progress", true)
		second.SendTone(salesTone, toneLevel, 2*time.Second)
		pass(1500 * time.Millisecond)
		s.level("before the answer the caller hears", last(in, time.Second), salesTone, toneLevel)
		pass(time.Second)
		s.must(second.Accept())
		s.until(in, phone.Established)
		s.talk(in, second)
		s.hangsUp(in)
		s.over(second)
		s.event("call.completed")
	}, withBackup, drawn("caller", "switch", "sales", "backup"))
}

// What was heard before nobody answered gives way to the voicemail.
func TestVoicemailAfterEarlyMedia(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(`{"pattern": "*", "destination": "` + sales + `", "destination_type": "phone_number",
			"fallback": {"timeout": 5, "action": "voicemail", "action_id": "voicemail_default"}}`)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.next(b)
		out.Progress1xx(183, "Session Progress", true)
		out.SendTone(salesTone, toneLevel, 20*time.Second)
		s.over(out)
		s.leavesMessage(in, "voicemail_default")
		s.quiet("afterwards the caller hears", last(in, time.Second), salesTone)
	})
}
