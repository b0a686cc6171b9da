package stories_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"b2bua/configs"
	"b2bua/dtmf"
	"b2bua/flows"
	"b2bua/testbench/phone"
)

// digitsBy is how digits travel to and from the caller and the carrier, who come
// by a trunk each.
func digitsBy(theCaller, theCarrier string) func(*setup) {
	return config(func(c *configs.Config) {
		c.Trunks[0].Hosts, c.Trunks[0].DTMF = []string{strings.TrimSuffix(carrierAt, ":5060")}, theCarrier
		c.Trunks = append(c.Trunks, flows.Trunk{ID: "trunk_caller", Name: "caller", Hosts: []string{strings.TrimSuffix(callerAt, ":5060")}, DTMF: theCaller})
	})
}

// keysIn presses keys in one kind, and waits until they are said.
func (s *stage) keysIn(c *phone.Call, kind, digits string) {
	s.Helper()
	for _, key := range digits {
		switch kind {
		case flows.DTMFEvents:
			s.presses(c, string(key))
		case flows.DTMFTones:
			c.PlayClip(new(dtmf.Tone).Append(nil, string(key), 120*time.Millisecond, 120*time.Millisecond))
			s.must(c.Drain(s.soon()))
		case dtmf.TypePlain:
			s.must(c.SendInfo(s.soon(), dtmf.TypePlain, string(key)))
		default:
			s.must(c.SendInfo(s.soon(), dtmf.TypeRelay, fmt.Sprintf("Signal=%c\r\nDuration=120\r\n", key)))
		}
		pass(200 * time.Millisecond)
	}
}

// tonesIn are the digits heard as tones.
func tonesIn(pcm []int16) string {
	var d dtmf.Detector
	var b strings.Builder
	for _, p := range d.Flush(d.Push(nil, pcm)) {
		b.WriteByte(p.Symbol)
	}
	return b.String()
}

// A menu is walked by keys of every kind, in every mode that takes that kind.
func TestMenuByEveryKindOfDigits(t *testing.T) {
	for _, c := range []struct{ mode, kind string }{
		{flows.DTMFAuto, flows.DTMFEvents}, {flows.DTMFAuto, flows.DTMFInfo}, {flows.DTMFAuto, dtmf.TypePlain},
		{flows.DTMFEvents, flows.DTMFEvents}, {flows.DTMFTones, flows.DTMFTones}, {flows.DTMFInfo, flows.DTMFInfo}, {flows.DTMFInfo, dtmf.TypePlain},
	} {
		t.Run(c.mode+" "+strings.ReplaceAll(c.kind, "/", "-"), func(t *testing.T) {
			story(t, func(s *stage) {
				s.menu("ivr_main", "Hello.", `, "max_digits": 4, "options": []`)
				s.flow(rule("*", "ivr_main", "ivr_menu") + "," + rule("7711", sales, "phone_number"))
				a, b := s.parties()
				in := s.calls(a, did)
				s.until(in, phone.Established)
				pass(time.Second)
				s.keysIn(in, c.kind, "7711")
				out := s.answers(b)
				s.hangsUp(in)
				s.over(out)
				id := s.event("call.completed").str("call_id")
				if n := s.count("call.dtmf"); n != 4 {
					s.Errorf("%d keys were told", n)
				}
				if trace := s.trace(id); !strings.Contains(trace, "7711") {
					s.Errorf("the trace does not know the keys:\n%s", trace)
				}
			}, digitsBy(c.mode, flows.DTMFAuto), undrawn)
		})
	}
}

// Keys of each kind reach the other party in its kind, and in no other.
func TestDigitsAcrossABridge(t *testing.T) {
	kinds := []string{flows.DTMFEvents, flows.DTMFTones, flows.DTMFInfo}
	for _, from := range kinds {
		for _, to := range kinds {
			t.Run(from+" to "+to, func(t *testing.T) {
				story(t, func(s *stage) {
					s.flow(toSales)
					a, b := s.parties()
					in := s.calls(a, did)
					out := s.answers(b)
					s.until(in, phone.Established)
					out.SendTone(300, -20, 5*time.Second)
					pass(time.Second)
					out.Forget()
					s.keysIn(in, from, "155#0")
					pass(time.Second)
					want := map[string]string{to: "155#0"}
					if got := out.Digits(); got != want[flows.DTMFEvents] {
						s.Errorf("events %q", got)
					}
					if got := tonesIn(out.Heard()); got != want[flows.DTMFTones] {
						s.Errorf("tones %q", got)
					}
					signaled := ""
					for _, body := range out.Infos() {
						d, err := dtmf.ParseInfo(dtmf.TypeRelay, []byte(body))
						s.must(err)
						signaled += string(rune(d.Symbol))
					}
					if signaled != want[flows.DTMFInfo] {
						s.Errorf("INFO %q", signaled)
					}
					s.hangsUp(in)
					s.over(out)
					s.event("call.completed")
					if n := s.count("call.dtmf"); n != 5 {
						s.Errorf("%d keys were told", n)
					}
				}, digitsBy(from, to), undrawn)
			})
		}
	}
}

// A phone that sends events, and INFO beside them, presses each key once,
// whichever comes first.
func TestKeysInTwoKindsCountOnce(t *testing.T) {
	for _, kinds := range [][]string{{flows.DTMFEvents, flows.DTMFInfo}, {flows.DTMFInfo, flows.DTMFEvents}} {
		t.Run(strings.Join(kinds, " "), func(t *testing.T) {
			story(t, func(s *stage) {
				s.flow(toSales)
				a, b := s.parties()
				in := s.calls(a, did)
				out := s.answers(b)
				s.until(in, phone.Established)
				for _, key := range "4455#" {
					for _, kind := range kinds {
						s.keysIn(in, kind, string(key))
					}
					pass(500 * time.Millisecond)
				}
				if got := out.Digits(); got != "4455#" {
					s.Errorf("the carrier got %q", got)
				}
				s.hangsUp(in)
				s.over(out)
				s.event("call.completed")
				if n := s.count("call.dtmf"); n != 5 {
					s.Errorf("%d keys were told", n)
				}
			}, undrawn)
		})
	}
}

// The API presses keys for the caller's other party, or for the caller.
func TestSendDTMF(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		id := s.event("call.answered").str("call_id")
		s.command(id, "send-dtmf", `{"digits": "12#"}`, http.StatusOK)
		s.command(id, "send-dtmf", `{"digits": "9d", "to": "caller", "duration_ms": 2000, "gap_ms": 100}`, http.StatusOK)
		s.command(id, "send-dtmf", `{"digits": "12e"}`, http.StatusBadRequest)
		pass(6 * time.Second)
		if got := out.Digits(); got != "12#" {
			s.Errorf("the carrier got %q", got)
		}
		if got := in.Digits(); got != "9D" {
			s.Errorf("the caller got %q", got)
		}
		s.hangsUp(in)
		s.over(out)
		if trace := s.trace(id); !strings.Contains(trace, "sends 3 digits to the callee") || strings.Contains(trace, "12#") {
			s.Errorf("the trace:\n%s", trace)
		}
		s.command(id, "send-dtmf", `{"digits": "1"}`, http.StatusConflict)
	}, undrawn)
}
