package stories_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

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

func TestCallerHoldsAndResumes(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		s.talk(in, out)
		s.must(in.Hold(s.soon()))
		pass(90 * time.Second) // longer than the media time-out
		if e := s.event("call.held"); e.str("by") != "caller" {
			s.Errorf("%v", e)
		}
		if in.State() != phone.Established || out.State() != phone.Established {
			s.Fatalf("the call is %v and %v", in.State(), out.State())
		}
		s.must(in.Resume(s.soon()))
		pass(time.Second)
		if e := s.event("call.resumed"); e.str("by") != "caller" {
			s.Errorf("%v", e)
		}
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	})
}

func TestCodecChanges(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		s.talk(in, out)
		s.must(in.Reinvite(s.soon(), phone.SendRecv, phone.PCMA))
		if in.Codec() != phone.PCMA || out.Codec() != phone.PCMU {
			s.Errorf("%s and %s", in.Codec(), out.Codec())
		}
		pass(time.Second)
		s.talk(in, out)
		// One we do not have leaves all as it was (RFC 3261 §14.2).
		var status *phone.StatusError
		if err := in.Reinvite(s.soon(), phone.SendRecv, "G729"); !errors.As(err, &status) || status.Code != 488 {
			s.Errorf("%v", err)
		}
		pass(time.Second)
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	})
}

func TestCodecsAreTranslated(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a := s.phone("caller", callerAt, phone.Quirks{}, phone.PCMU)
		b := s.phone("sales", carrierAt, phone.Quirks{}, phone.PCMA)
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		if in.Codec() != phone.PCMU || out.Codec() != phone.PCMA {
			s.Errorf("%s and %s", in.Codec(), out.Codec())
		}
		pass(time.Second)
		s.talk(in, out)
		s.presses(in, "42#")
		pass(time.Second)
		if got := out.Digits(); got != "42#" {
			s.Errorf("sales got the keys %q", got)
		}
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	})
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

func TestCallerWithoutAnOffer(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did, phone.Options{NoOffer: true})
		out := s.answers(b)
		s.until(in, phone.Established)
		pass(time.Second)
		s.talk(in, out)
		s.hangsUp(out)
		s.over(in)
		s.event("call.completed")
	})
}

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

// SIGTERM: new calls are turned away, those that run go on, and are ended with a
// reason when the time is up.
func TestDraining(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		s.stop()
		pass(time.Second)
		late := s.calls(a, did)
		s.refused(late, 503)
		if after, err := strconv.Atoi(late.Header("Retry-After")); err != nil || after <= 0 {
			s.Errorf("Retry-After %q", late.Header("Retry-After"))
		}
		if w := s.request(http.MethodGet, "/readyz", ""); w.Code != http.StatusServiceUnavailable {
			s.Errorf("readyz says %d", w.Code)
		}
		s.talk(in, out)
		begun := time.Now()
		for _, c := range []*phone.Call{in, out} {
			e := s.over(c)
			if e.By != phone.ByThem || !strings.Contains(e.Header, "cause=503") || !strings.Contains(e.Header, "shutting down") {
				s.Errorf("a party was told %+v", e)
			}
		}
		if took := time.Since(begun); took < 50*time.Second || took > 60*time.Second {
			s.Errorf("the call went on for %v", took)
		}
		s.must(<-s.ended)
		s.ended = nil
		if e := s.event("call.completed"); e.str("completion_reason") != "server_shutdown" || e.str("hangup_source") != "system" {
			s.Errorf("%v", e)
		}
		s.customer.checkOrder()
	})
}

// A fault in one call ends that call and nothing else.
func TestFaultInOneCall(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		first := s.calls(a, did)
		firstOut := s.answers(b)
		second := s.calls(a, did)
		secondOut := s.answers(b)
		s.until(first, phone.Established)
		s.until(second, phone.Established)
		pass(time.Second)
		// The key is told of with a time, and the clock breaks at that moment.
		s.breakClock()
		_ = second.SendDigits(s.soon(), "5") // cut off by the end of the call
		for _, c := range []*phone.Call{second, secondOut} {
			if e := s.over(c); e.By != phone.ByThem {
				s.Errorf("%+v", e)
			}
		}
		if e := s.event("call.failed"); e.str("failure_reason") != "internal_error" {
			s.Errorf("%v", e)
		}
		s.talk(first, firstOut)
		s.hangsUp(first)
		s.over(firstOut)
		s.event("call.completed")
		if !strings.Contains(s.logs.String(), "panic in call") {
			s.Error("the log says nothing of it")
		}
	}, undrawn)
}

// A caller nobody hears any more is hung up on, but not one who holds.
func TestCallerFallsSilent(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a := s.phone("caller", callerAt, phone.Quirks{NoRTP: true})
		b := s.phone("sales", carrierAt, phone.Quirks{})
		begun := time.Now()
		in := s.calls(a, did)
		out := s.answers(b)
		for _, c := range []*phone.Call{in, out} {
			if e := s.over(c); e.By != phone.ByThem || !strings.Contains(e.Header, "No RTP from the caller") {
				s.Errorf("%+v", e)
			}
		}
		if took := time.Since(begun); took > 65*time.Second {
			s.Errorf("it took %v", took)
		}
		if e := s.event("call.completed"); e.str("completion_reason") != "media_timeout" {
			s.Errorf("%v", e)
		}
	})
}

// An answer whose ACK never comes is a call that ends after 32 s (RFC 3261
// §13.3.1.4).
func TestCallerNeverAcknowledges(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a := s.phone("caller", callerAt, phone.Quirks{NoACK: true})
		b := s.phone("sales", carrierAt, phone.Quirks{})
		s.calls(a, did)
		out := s.answers(b)
		begun := time.Now()
		s.over(out)
		if took := time.Since(begun); took < 31*time.Second || took > 33*time.Second {
			s.Errorf("it took %v", took)
		}
		if e := s.event("call.completed"); e.str("completion_reason") != "ack_timeout" {
			s.Errorf("%v", e)
		}
	})
}
