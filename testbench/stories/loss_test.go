package stories_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"b2bua/testbench/memnet"
	"b2bua/testbench/phone"
	"b2bua/testbench/sound"
)

// basic is the basic scenario: a caller goes through a menu to a phone, both
// talk, and one of them hangs up.
func (s *stage) basic(a, b *phone.Phone, calleeHangsUp bool) {
	s.Helper()
	in := s.calls(a, did)
	s.until(in, phone.Established)
	pass(2 * time.Second)
	s.presses(in, "1")
	out := s.answers(b)
	pass(5 * time.Second) // whatever was lost has been said again
	s.talk(in, out)
	first, second := in, out
	if calleeHangsUp {
		first, second = out, in
	}
	s.hangsUp(first)
	if e := s.over(second); e.By != phone.ByThem {
		s.Errorf("%+v", e)
	}
	s.event("call.completed")
}

func (s *stage) basicFlow() {
	s.Helper()
	s.menu("ivr_main", "Hello.", `, "options": [`+option("1", sales, "phone_number")+`]`)
	s.flow(rule("*", "ivr_main", "ivr_menu"))
}

// countTo loses the n-th SIP datagram from now on, and counts them.
func (s *stage) countTo(n int) (seen func() int) {
	count := 0
	s.drop(func(d memnet.Datagram) bool {
		if !signalling(d) {
			return false
		}
		count++
		return count == n
	})
	return func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return count
	}
}

// Whichever SIP datagram is lost, the call comes out the same.
func TestAnyDatagramLost(t *testing.T) {
	for name, callee := range map[string]bool{"the caller hangs up": false, "the callee hangs up": true} {
		t.Run(name, func(t *testing.T) {
			story(t, func(s *stage) {
				s.basicFlow()
				a, b := s.parties()
				var want string
				for n := 0; ; n++ {
					seen := s.countTo(n)
					s.basic(a, b, callee)
					got := strings.Join(s.told(), " ")
					if n == 0 {
						want = got
					}
					if got != want {
						s.Errorf("datagram %d lost: %s\nwithout loss: %s", n, got, want)
					}
					done := s.event("call.completed")
					if d := done.num("duration"); d < 8.9 || d > 13 || done.str("completion_reason") != "hangup" {
						s.Errorf("datagram %d lost: %v", n, done)
					}
					s.drop(nil)
					pass(40 * time.Second) // of this call nothing is under way any more
					if left := s.leftOver(); len(left) > 0 {
						s.Errorf("datagram %d lost: left over %v", n, left)
					}
					s.customer.forget()
					if n > 0 && seen() < n {
						if n < 13 {
							s.Errorf("there were only %d datagrams", n)
						}
						return
					}
				}
			}, undrawn)
		})
	}
}

// The same for a caller who gives up, and for one who finds nobody.
func TestAnyDatagramLostBeforeTheAnswer(t *testing.T) {
	for name, end := range map[string]func(s *stage, in, out *phone.Call){
		"the caller gives up": func(s *stage, in, out *phone.Call) {
			s.until(in, phone.Trying)
			pass(4 * time.Second)
			s.must(in.Cancel(s.soon()))
			if e := s.over(out); e.By != phone.ByThem {
				s.Errorf("%+v", e)
			}
		},
		"the callee is busy": func(s *stage, in, out *phone.Call) {
			pass(2 * time.Second)
			s.must(out.Reject(486))
			s.refused(in, 486)
		},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(s *stage) {
				s.flow(toSales)
				a, b := s.parties()
				var want doc
				for n := 0; ; n++ {
					seen := s.countTo(n)
					in := s.calls(a, did)
					out := s.next(b)
					out.Ring()
					end(s, in, out)
					got := s.event("call.failed")
					if n == 0 {
						want = got
					}
					if got.str("failure_reason") != want.str("failure_reason") || got.num("sip_code") != want.num("sip_code") {
						s.Errorf("datagram %d lost: %v\nwithout loss: %v", n, got, want)
					}
					s.drop(nil)
					pass(40 * time.Second)
					if left := s.leftOver(); len(left) > 0 {
						s.Errorf("datagram %d lost: left over %v", n, left)
					}
					s.customer.forget()
					if n > 0 && seen() < n {
						return
					}
				}
			}, undrawn)
		})
	}
}

// With 3 % of the sound lost every key still counts once, and a recording is as
// long as the call.
func TestSoundLost(t *testing.T) {
	for _, seed := range []uint64{1, 2, 3} {
		t.Run(string(rune('0'+seed)), func(t *testing.T) {
			story(t, func(s *stage) {
				dice := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // a test that comes out the same every time
				s.drop(func(d memnet.Datagram) bool {
					return !signalling(d) && !strings.HasPrefix(d.From.Addr().String(), "93.") && dice.IntN(100) < 3
				})
				s.menu("ivr_main", "Hello.", `, "max_digits": 12, "options": [`+option("135790246811", sales, "phone_number")+`]`)
				made := s.flow(rule("*", "ivr_main", "ivr_menu"))
				s.api("PATCH", "/v2/call-flows/"+made.str("call_flow_id"), `{"recording": {"enabled": true, "format": "wav"}}`, 200)
				a, b := s.parties()
				in := s.calls(a, did)
				s.until(in, phone.Established)
				answered := time.Now()
				pass(2 * time.Second)
				s.presses(in, "135790246811")
				out := s.answers(b)
				pass(time.Second)
				in.SendTone(callerTone, toneLevel, 3*time.Second)
				out.SendTone(salesTone, toneLevel, 3*time.Second)
				pass(20 * time.Second)
				s.hangsUp(in)
				length := time.Since(answered)
				s.over(out)
				var keys []string
				for _, e := range s.customer.all() {
					if e.str("event") == "call.dtmf" {
						keys = append(keys, e.str("data", "digit"))
					}
				}
				if got := strings.Join(keys, ""); got != "135790246811" {
					s.Errorf("the keys told of are %s", got)
				}
				done := s.event("recording.completed")
				s.event("call.completed")
				if d := done.num("duration"); d < 0.99*length.Seconds() || d > 1.01*length.Seconds() {
					s.Errorf("the recording lasts %v s of %v", d, length)
				}
				pcm := s.clip(s.download("/v2/recordings/" + done.str("recording_id") + "/audio"))
				for _, tone := range []float64{callerTone, salesTone} {
					if best := loudest(pcm, tone); best < toneLevel-0.5 || best > toneLevel+0.5 {
						s.Errorf("%v Hz is at %.2f dBm0 at best", tone, best)
					}
				}
			}, undrawn)
		})
	}
}

// loudest is the level of a tone where it is heard best for half a second.
func loudest(pcm []int16, tone float64) float64 {
	var levels []float64
	for at := time.Duration(0); at < sound.Time(len(pcm))-500*time.Millisecond; at += 100 * time.Millisecond {
		levels = append(levels, sound.ToneLevel(sound.Window(pcm, at, 500*time.Millisecond), tone))
	}
	return slices.Max(levels)
}
