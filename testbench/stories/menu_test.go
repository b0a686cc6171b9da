package stories_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"b2bua/flows"
	"b2bua/testbench/phone"
	"b2bua/testbench/sound"
)

// menu makes a menu; more are fields besides id, name and prompt.
func (s *stage) menu(id, prompt, more string) {
	s.Helper()
	s.create("/v2/ivr-menus", `{"menu_id": "`+id+`", "name": "`+id+`", "prompt": "`+prompt+`"`+more+`}`)
}

func option(digit, destination, kind string) string {
	return fmt.Sprintf(`{"digit": %q, "destination": %q, "destination_type": %q}`, digit, destination, kind)
}

func rule(pattern, destination, kind string) string {
	return fmt.Sprintf(`{"pattern": %q, "destination": %q, "destination_type": %q}`, pattern, destination, kind)
}

// With 1 and 1[0-9] in play the single key counts when no second one came in
// time, and two keys count at once.
func TestShortAndLongPattern(t *testing.T) {
	story(t, func(s *stage) {
		s.menu("ivr_main", "Hello.", "")
		s.flow(rule("*", "ivr_main", "ivr_menu") + "," + rule("1", sales, "phone_number") + "," + rule("1[0-9]", support, "phone_number"))
		a, b := s.parties()
		for _, turn := range []struct {
			keys, number string
			from, to     time.Duration
		}{
			{"1", sales, 2900 * time.Millisecond, 3200 * time.Millisecond},
			{"15", support, 0, 200 * time.Millisecond},
			{"10", support, 0, 200 * time.Millisecond},
		} {
			in := s.calls(a, did)
			s.until(in, phone.Established)
			pass(2 * time.Second)
			s.presses(in, turn.keys)
			begun := time.Now()
			out := s.next(b)
			if took := time.Since(begun); took < turn.from || took > turn.to {
				s.Errorf("%s: dialled after %v", turn.keys, took)
			}
			if !strings.Contains(out.To(), turn.number) {
				s.Errorf("%s: dialled %s", turn.keys, out.To())
			}
			s.must(out.Accept())
			s.until(out, phone.Established)
			s.hangsUp(in)
			s.over(out)
			if e := s.event("call.gather.completed"); e.str("digits") != turn.keys {
				s.Errorf("%v", e)
			}
			s.event("call.completed")
			s.customer.forget()
		}
	})
}

const longPrompt = "This is a rather long text that nobody wants to hear to its end, so everybody presses a key."

func TestKeyEndsThePrompt(t *testing.T) {
	story(t, func(s *stage) {
		s.menu("ivr_main", longPrompt, `, "options": [`+option("1", sales, "phone_number")+`]`)
		s.flow(rule("*", "ivr_main", "ivr_menu"))
		a, b := s.parties()
		in := s.calls(a, did)
		s.until(in, phone.Established)
		pass(1500 * time.Millisecond)
		if level := sound.Level(last(in, time.Second)); level < -40 {
			s.Errorf("the prompt is heard at %.1f dBm0", level)
		}
		s.presses(in, "1")
		out := s.next(b)
		pass(500 * time.Millisecond)
		if level := sound.Level(last(in, 300*time.Millisecond)); level > -60 {
			s.Errorf("after the key the prompt is still heard at %.1f dBm0", level)
		}
		s.must(out.Accept())
		s.until(out, phone.Established)
		s.hangsUp(in)
		s.over(out)
		if e := s.event("call.gather.completed"); e.at("barged_in") != true || e.str("digits") != "1" || e.str("menu_id") != "ivr_main" {
			s.Errorf("%v", e)
		}
		s.event("call.completed")
	}, undrawn)
}

func TestPromptThatIsHeardToItsEnd(t *testing.T) {
	story(t, func(s *stage) {
		s.menu("ivr_main", longPrompt, `, "barge_in": false, "options": [`+option("1", sales, "phone_number")+`]`)
		s.flow(rule("*", "ivr_main", "ivr_menu"))
		a, b := s.parties()
		in := s.calls(a, did)
		s.until(in, phone.Established)
		pass(time.Second)
		s.presses(in, "1")
		begun := time.Now()
		out := s.next(b)
		if took := time.Since(begun); took < 2*time.Second {
			s.Errorf("the prompt ended %v after the key", took)
		}
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	}, undrawn)
}

// Who knows the way presses it at once, through a menu below the menu.
func TestKeysAheadOfTheMenus(t *testing.T) {
	story(t, func(s *stage) {
		s.menu("ivr_sub", longPrompt, `, "options": [`+option("3", sales, "phone_number")+`]`)
		s.menu("ivr_main", longPrompt, `, "options": [`+option("2", "ivr_sub", "ivr_menu")+`]`)
		s.flow(rule("*", "ivr_main", "ivr_menu"))
		a, b := s.parties()
		in := s.calls(a, did)
		s.until(in, phone.Established)
		pass(500 * time.Millisecond)
		s.presses(in, "23")
		begun := time.Now()
		out := s.answers(b)
		if took := time.Since(begun); took > 1200*time.Millisecond { // it rings for one second
			s.Errorf("it took %v", took)
		}
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	})
}

func TestNothingIsPressed(t *testing.T) {
	story(t, func(s *stage) {
		s.menu("ivr_main", "Hello.", `, "timeout": 4, "max_attempts": 2, "no_input_prompt": "Nothing.", "exit_prompt": "Bye.",
			"fallback": {"action": "phone_number", "action_id": "`+support+`"}`)
		s.flow(rule("*", "ivr_main", "ivr_menu") + "," + rule("1", sales, "phone_number"))
		a, b := s.parties()
		begun := time.Now()
		in := s.calls(a, did)
		out := s.answers(b)
		if !strings.Contains(out.To(), support) {
			s.Errorf("dialled %s", out.To())
		}
		if took := time.Since(begun); took < 9*time.Second || took > 15*time.Second {
			s.Errorf("it took %v", took)
		}
		s.hangsUp(out)
		s.over(in)
		if e := s.event("call.gather.completed"); e.str("reason") != "no_input" || e.num("attempts") != 2 || e.str("digits") != "" {
			s.Errorf("%v", e)
		}
		s.event("call.completed")
	})
}

// Wrong keys and no keys are counted apart; a menu that gives up is a failed
// call when nothing else is left.
func TestWrongKeys(t *testing.T) {
	story(t, func(s *stage) {
		s.menu("ivr_main", "Hello.", `, "timeout": 2, "max_attempts": 2, "invalid_prompt": "No.", "no_input_prompt": "Nothing."`)
		s.flow(rule("*", "ivr_main", "ivr_menu") + "," + rule("1", sales, "phone_number"))
		a, _ := s.parties()
		in := s.calls(a, did)
		s.until(in, phone.Established)
		pass(2 * time.Second)
		s.presses(in, "7")
		pass(5 * time.Second) // the prompts, and once nothing
		s.presses(in, "8")
		if e := s.over(in); e.By != phone.ByThem {
			s.Errorf("%+v", e)
		}
		if e := s.event("call.gather.completed"); e.str("reason") != "invalid" || e.num("attempts") != 3 {
			s.Errorf("%v", e)
		}
		failed := s.event("call.failed")
		if failed.str("failure_reason") != "routing_failed" {
			s.Errorf("%v", failed)
		}
		// The apology was heard.
		if len(sound.Loud(last(in, 4*time.Second), -40, 500*time.Millisecond)) == 0 {
			s.Error("the caller heard no apology")
		}
	}, undrawn)
}

// What is pressed in a sensitive menu is nowhere to be read.
func TestSensitiveKeys(t *testing.T) {
	const secret = "840261"
	story(t, func(s *stage) {
		s.menu("ivr_pin", "Hello.", `, "sensitive": true, "max_digits": 6`)
		s.flow(rule("*", "ivr_pin", "ivr_menu") + "," + rule(secret[:5]+"[1-3]", sales, "phone_number"))
		a, b := s.parties()
		in := s.calls(a, did)
		s.until(in, phone.Established)
		pass(1500 * time.Millisecond)
		s.presses(in, secret)
		out := s.answers(b)
		pass(time.Second)
		s.hangsUp(in)
		s.over(out)
		id := s.event("call.completed").str("call_id")
		if n := s.count("call.dtmf"); n != 0 {
			s.Errorf("%d keys were told", n)
		}
		if e := s.event("call.gather.completed"); e.str("digits") != "" || e.str("reason") != "matched" {
			s.Errorf("%v", e)
		}
		everything := map[string]string{"the trace": s.trace(id), "the log": s.logs.String(), "the record": fmt.Sprint(s.get("/v2/calls/" + id))}
		for i, raw := range s.customer.raw {
			everything[fmt.Sprint("event ", i)] = string(raw)
		}
		for what, text := range everything {
			for _, tell := range []string{secret, secret[:5], `"digits":"8`, "8,4,0", "digit=8", "symbol=8"} {
				if strings.Contains(text, tell) {
					s.Errorf("%s says %q:\n%s", what, tell, text)
				}
			}
		}
	}, undrawn)
}

func TestKeysBySIPInfo(t *testing.T) {
	story(t, func(s *stage) {
		s.menu("ivr_main", "Hello.", `, "options": [`+option("1", sales, "phone_number")+`]`)
		s.flow(rule("*", "ivr_main", "ivr_menu"))
		a, b := s.parties()
		in := s.calls(a, did)
		s.until(in, phone.Established)
		pass(time.Second)
		s.must(in.SendInfo(s.soon(), "application/dtmf-relay", "Signal=1\r\nDuration=160\r\n"))
		out := s.answers(b)
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
		if e := s.event("call.dtmf"); e.str("digit") != "1" || e.str("method") != "info" || e.num("duration_ms") != 160 {
			s.Errorf("%v", e)
		}
		s.event("call.completed")
	})
}

// A key that leads to a busy number falls back, and then goes on by the flow.
func TestKeyLeadsToABusyNumber(t *testing.T) {
	story(t, func(s *stage) {
		s.menu("ivr_main", "Hello.", "")
		s.flow(rule("*", "ivr_main", "ivr_menu") + `,{"pattern": "1", "destination": "` + sales + `", "destination_type": "phone_number",
			"fallback": {"action": "phone_number", "action_id": "` + support + `"}}`)
		a, b := s.parties()
		in := s.calls(a, did)
		s.until(in, phone.Established)
		pass(time.Second)
		s.presses(in, "1")
		s.must(s.next(b).Reject(486))
		out := s.answers(b)
		if !strings.Contains(out.To(), support) {
			s.Errorf("dialled %s", out.To())
		}
		// An answered caller hears that it rings.
		s.level("the caller hears ringing", last(in, 500*time.Millisecond)[:sound.Samples(300*time.Millisecond)], 440, -19)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	})
}

// A menu whose prompt is gone is not silent: tones are heard, keys still count,
// and the trace tells.
func TestPromptThatIsGone(t *testing.T) {
	story(t, func(s *stage) {
		s.menu("ivr_main", "prompt_gone", `, "options": [`+option("1", sales, "phone_number")+`]`)
		s.flow(rule("*", "ivr_main", "ivr_menu"))
		a, b := s.parties()
		in := s.calls(a, did)
		s.until(in, phone.Established)
		pass(1500 * time.Millisecond)
		if len(sound.Loud(in.Heard(), -40, 150*time.Millisecond)) == 0 {
			s.Error("the caller heard nothing")
		}
		s.presses(in, "1")
		out := s.answers(b)
		s.hangsUp(in)
		s.over(out)
		id := s.event("call.completed").str("call_id")
		if trace := s.trace(id); !strings.Contains(trace, "three short tones") || !strings.Contains(trace, "prompt_gone") {
			s.Errorf("the trace does not tell:\n%s", trace)
		}
	}, undrawn)
}

// Eight keys for three menus, pressed before the first one has said anything:
// none is lost, in whichever way they come.
func TestEightKeysAheadOfThreeMenus(t *testing.T) {
	for _, kind := range []string{flows.DTMFEvents, flows.DTMFTones, flows.DTMFInfo} {
		t.Run(kind, func(t *testing.T) {
			story(t, func(s *stage) {
				s.menu("ivr_c", longPrompt, `, "max_digits": 3, "options": [`+option("678", sales, "phone_number")+`]`)
				s.menu("ivr_b", longPrompt, `, "max_digits": 2, "options": [`+option("45", "ivr_c", "ivr_menu")+`]`)
				s.menu("ivr_a", longPrompt, `, "max_digits": 3, "options": [`+option("123", "ivr_b", "ivr_menu")+`]`)
				s.flow(rule("*", "ivr_a", "ivr_menu"))
				a, b := s.parties()
				in := s.calls(a, did)
				s.until(in, phone.Established)
				s.keysIn(in, kind, "12345678")
				out := s.answers(b)
				s.hangsUp(in)
				s.over(out)
				s.event("call.completed")
				if n := s.count("call.dtmf"); n != 8 {
					s.Errorf("%d keys were told", n)
				}
			}, digitsBy(kind, flows.DTMFAuto), undrawn)
		})
	}
}
