package stories_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"b2bua/configs"
	"b2bua/testbench/phone"
)

func TestCallerCancelsWhileRinging(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(`{"pattern": "*", "destination": "` + sales + `", "destination_type": "phone_number",
			"fallback": {"timeout": 30, "action": "voicemail", "action_id": "voicemail_default"}}`)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.next(b)
		out.Ring()
		s.until(in, phone.Ringing)
		pass(3 * time.Second)
		s.must(in.Cancel(s.soon()))
		if e := in.Ending(); e.Code != 487 {
			s.Errorf("the caller was told %+v", e)
		}
		if e := s.over(out); e.By != phone.ByThem {
			s.Errorf("sales was told %+v", e)
		}
		failed := s.event("call.failed")
		if failed.str("failure_reason") != "caller_cancelled" || failed.str("hangup_source") != "caller" || failed.num("sip_code") != 487 {
			s.Errorf("%v", failed)
		}
		if n := s.count("call.routed"); n != 1 {
			s.Errorf("routed %d times: a caller who left has no fallback", n)
		}
	})
}

// What the far end says, what that means, and what the caller is told.
func TestFarEndRefuses(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		for _, row := range []struct {
			code   int
			result string
			told   int
		}{
			{486, "busy", 486}, {600, "busy", 486},
			{603, "rejected", 486}, {607, "rejected", 486}, {608, "rejected", 486},
			{480, "no_answer", 480},
			{404, "not_found", 404}, {410, "not_found", 404}, {604, "not_found", 404},
			{484, "invalid_number", 484},
			{401, "trunk_auth_failed", 503}, {407, "trunk_auth_failed", 503},
			{403, "forbidden", 503},
			{408, "trunk_unavailable", 503}, {500, "trunk_unavailable", 503}, {503, "trunk_unavailable", 503}, {504, "trunk_unavailable", 503},
			{488, "codec_mismatch", 488}, {606, "codec_mismatch", 488}, {415, "codec_mismatch", 488},
			{302, "redirected", 480},
		} {
			in := s.calls(a, did)
			out := s.next(b)
			s.must(out.Reject(row.code, "In These Words"))
			s.refused(in, row.told)
			failed := s.event("call.failed")
			if failed.str("failure_reason") != "routing_failed" || failed.num("sip_code") != float64(row.code) || failed.str("sip_reason") != "In These Words" {
				s.Errorf("%d: %v", row.code, failed)
			}
			attempt := failed.obj("attempts", 0)
			if attempt.str("result") != row.result || attempt.num("sip_code") != float64(row.code) || attempt.str("sip_reason") != "In These Words" {
				s.Errorf("%d: attempt %v", row.code, attempt)
			}
			if trace := s.trace(failed.str("call_id")); !strings.Contains(trace, strconv.Itoa(row.code)) || !strings.Contains(trace, "In These Words") {
				s.Errorf("%d: the trace does not say it: %s", row.code, trace)
			}
			s.customer.forget()
		}
	}, undrawn)
}

func TestSecondTrunkTakesTheCall(t *testing.T) {
	for name, first := range map[string]func(s *stage, b *phone.Phone){
		"after 503":     func(s *stage, b *phone.Phone) { s.must(s.next(b).Reject(503)) },
		"after silence": nil,
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(s *stage) {
				s.flow(toSales)
				a, backup := s.phone("caller", callerAt, phone.Quirks{}), s.phone("backup", backupAt, phone.Quirks{})
				begun := time.Now()
				b := s.phone("sales", carrierAt, phone.Quirks{Silent: first == nil})
				in := s.calls(a, did)
				most := 200 * time.Millisecond
				if first != nil {
					first(s, b)
				} else {
					most = 4100 * time.Millisecond
				}
				out := s.next(backup)
				if took := time.Since(begun); took > most {
					s.Errorf("the second trunk was tried after %v", took)
				}
				s.must(out.Accept())
				s.until(in, phone.Established)
				s.talk(in, out)
				s.hangsUp(in)
				s.over(out)
				done := s.event("call.completed")
				attempts := s.get("/v2/calls/" + done.str("call_id")).list("attempts")
				if len(attempts) != 2 {
					s.Fatalf("attempts %v", attempts)
				}
				for i, want := range []string{"trunk_unavailable", "connected"} {
					if got := doc(attempts[i].(map[string]any)).str("result"); got != want {
						s.Errorf("attempt %d: %v", i, attempts[i])
					}
				}
			}, withBackup, drawn("caller", "switch", "sales", "backup"))
		})
	}
}

func TestBusyIsNotTriedByTheSecondTrunk(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		s.phone("backup", backupAt, phone.Quirks{})
		in := s.calls(a, did)
		s.must(s.next(b).Reject(486))
		s.refused(in, 486)
		s.event("call.failed")
	}, withBackup, drawn("caller", "switch", "sales", "backup"))
}

func TestNobodyAnswers(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		begun := time.Now()
		in := s.calls(a, did)
		out := s.next(b)
		out.Ring()
		s.refused(in, 480)
		if took := time.Since(begun); took < 59*time.Second || took > 61*time.Second {
			s.Errorf("it rang for %v", took)
		}
		s.over(out)
		if failed := s.event("call.failed"); failed.str("attempts", 0, "result") != "no_answer" {
			s.Errorf("%v", failed)
		}
	})
}

// A number that is not ours is refused without a ring, or an event.
func TestUnknownNumber(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, _ := s.parties()
		in := s.calls(a, "+14155550199")
		s.refused(in, 404)
		if p := in.Progress(); slices.ContainsFunc(p, func(code int) bool { return code != 100 }) {
			s.Errorf("before, the caller was told %v", p)
		}
		if told := s.told(); len(told) != 0 {
			s.Errorf("told of %v", told)
		}
	})
}

// A source that nobody knows is asked who it is, and after a few tries no more.
func TestStranger(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		p := s.phone("stranger", strangerAt, phone.Quirks{})
		challenged, ignored := 0, 0
		for range 30 {
			in := s.calls(p, did)
			switch e := s.over(in); {
			case e.By == phone.ByRefusal && e.Code == 401:
				challenged++
			case e.By == phone.ByTimeout:
				ignored++
			default:
				s.Errorf("%+v", e)
			}
			if ignored > 1 {
				break
			}
		}
		if challenged == 0 || challenged > 20 || ignored == 0 {
			s.Errorf("challenged %d times, then ignored %d times", challenged, ignored)
		}
		if told := s.told(); len(told) != 0 {
			s.Errorf("told of %v", told)
		}
	}, undrawn)
}

func TestNoCommonCodec(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, _ := s.parties()
		in := s.calls(a, did, phone.Options{Codecs: []string{"G729"}})
		s.refused(in, 488)
		if e := s.event("call.failed"); e.str("failure_reason") != "codec_mismatch" {
			s.Errorf("%v", e)
		}
	})
}

// A trunk that carries as many calls as it may is passed over; when a call of it
// has ended it takes the next one again.
func TestAFullTrunkIsPassedOver(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		backup := s.phone("backup", backupAt, phone.Quirks{})
		talk := func(far *phone.Phone) (in, out *phone.Call) {
			in = s.calls(a, did)
			out = s.next(far)
			s.must(out.Accept())
			s.until(in, phone.Established)
			return in, out
		}
		first, out := talk(b)
		second, other := talk(backup)
		s.hangsUp(first)
		s.over(out)
		s.event("call.completed")
		third, again := talk(b)
		s.hangsUp(second)
		s.over(other)
		s.event("call.completed")
		s.hangsUp(third)
		s.over(again)
		s.event("call.completed")
	}, withBackup, config(func(c *configs.Config) { c.Trunks[0].Outbound.MaxCalls = 1 }), undrawn)
}
