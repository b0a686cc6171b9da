package stories_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"b2bua/flows"
	"b2bua/testbench/phone"
)

// kindsOfKeys are the three ways in which keys come.
var kindsOfKeys = []string{flows.DTMFEvents, flows.DTMFTones, flows.DTMFInfo}

// Keys that are pressed while the switch asks a webhook where to go wait for the
// menu that comes of it.
func TestKeysWhileTheWebhookThinks(t *testing.T) {
	for _, kind := range kindsOfKeys {
		t.Run(kind, func(t *testing.T) {
			story(t, func(s *stage) {
				s.menu("ivr_c", longPrompt, `, "max_digits": 2, "options": [`+option("45", sales, "phone_number")+`]`)
				s.menu("ivr_b", longPrompt, `, "max_digits": 2, "options": [`+option("23", "ivr_c", "ivr_menu")+`]`)
				s.menu("ivr_a", longPrompt, `, "options": [`+option("1", "https://"+customerHost+"/route-call", "webhook")+`]`)
				s.flow(rule("*", "ivr_a", "ivr_menu"))
				s.customer.does(func(w http.ResponseWriter, _ asked) {
					pass(3 * time.Second)
					w.Header().Set("Content-Type", "application/json")
					_, _ = io.WriteString(w, `{"destination": "ivr_b", "destination_type": "ivr_menu"}`)
				})
				a, b := s.parties()
				in := s.calls(a, did)
				s.until(in, phone.Established)
				s.keysIn(in, kind, "12345")
				if n := len(s.customer.questions()); n != 1 {
					s.Errorf("the webhook was asked %d times", n)
				}
				out := s.answers(b)
				s.hangsUp(in)
				s.over(out)
				s.event("call.completed")
				if n := s.count("call.dtmf"); n != 5 {
					s.Errorf("%d keys were told", n)
				}
			}, digitsBy(kind, flows.DTMFAuto), undrawn)
		})
	}
}

// Who is transferred to a flow presses keys at once; those that were pressed in
// the conversation before were for the other party, and are no answer.
func TestKeysAfterATransferToAFlow(t *testing.T) {
	for _, kind := range kindsOfKeys {
		t.Run(kind, func(t *testing.T) {
			story(t, func(s *stage) {
				s.menu("ivr_b", longPrompt, `, "max_digits": 2, "options": [`+option("34", support, "phone_number")+`]`)
				s.menu("ivr_a", longPrompt, `, "max_digits": 2, "options": [`+option("12", "ivr_b", "ivr_menu")+`]`)
				s.create("/v2/call-flows", `{"call_flow_id": "cf_menus", "name": "menus", "routing": [`+rule("*", "ivr_a", "ivr_menu")+`]}`)
				s.flow(toSales)
				a, b := s.parties()
				in := s.calls(a, did)
				out := s.answers(b)
				s.until(in, phone.Established)
				id := s.event("call.answered").str("call_id")
				s.keysIn(in, kind, "99")
				s.command(id, "transfer", `{"destination": "cf_menus", "destination_type": "call_flow"}`, http.StatusOK)
				s.keysIn(in, kind, "1234")
				s.over(out)
				second := s.answers(b)
				if !strings.Contains(second.To(), support) {
					s.Errorf("dialled %s", second.To())
				}
				s.hangsUp(in)
				s.over(second)
				s.event("call.completed")
			}, digitsBy(kind, flows.DTMFAuto), undrawn)
		})
	}
}

// What is pressed for a sensitive menu is nowhere to be read, however it comes,
// and also when it is pressed ahead, while the menu before still speaks.
func TestSensitiveKeysOfEveryKind(t *testing.T) {
	const pin = "840261"
	for _, kind := range kindsOfKeys {
		for _, ahead := range []bool{false, true} {
			t.Run(fmt.Sprint(kind, " ahead ", ahead), func(t *testing.T) {
				story(t, func(s *stage) {
					s.menu("ivr_pin", longPrompt, `, "sensitive": true, "max_digits": 6, "options": [`+option(pin, sales, "phone_number")+`]`)
					s.menu("ivr_main", longPrompt, fmt.Sprintf(`, "barge_in": %v, "options": [%s]`, !ahead, option("1", "ivr_pin", "ivr_menu")))
					s.flow(rule("*", "ivr_main", "ivr_menu"))
					a, b := s.parties()
					in := s.calls(a, did)
					s.until(in, phone.Established)
					if ahead {
						s.keysIn(in, kind, "1"+pin)
					} else {
						s.keysIn(in, kind, "1")
						pass(2 * time.Second)
						s.keysIn(in, kind, pin)
					}
					out := s.answers(b)
					s.hangsUp(in)
					s.over(out)
					id := s.event("call.completed").str("call_id")
					if n := s.count("call.dtmf"); n != 1 {
						s.Errorf("%d keys were told, want that of the first menu only", n)
					}
					s.tellsNoKeys(id, pin)
				}, digitsBy(kind, flows.DTMFAuto), undrawn)
			})
		}
	}
}

// tellsNoKeys looks for keys in all that is kept of a call: together, and one by
// one in the forms in which a key is written.
func (s *stage) tellsNoKeys(id, keys string) {
	s.Helper()
	trace := s.get("/v2/calls/" + id + "/trace")
	kept := map[string]string{
		"log":    s.logs.String(),
		"trace":  s.request(http.MethodGet, "/v2/calls/"+id+"/trace", "").Body.String(),
		"ladder": trace.str("ladder"),
		"pcap":   s.request(http.MethodGet, "/v2/calls/"+id+"/pcap", "").Body.String(),
		"record": s.request(http.MethodGet, "/v2/calls/"+id, "").Body.String(),
		"events": strings.Join(s.told(), " "),
	}
	for _, raw := range s.customer.raw {
		kept["webhooks"] += string(raw)
	}
	tells := []string{keys}
	for _, key := range keys[:2] { // the others are keys of menus, numbers and times, too
		for _, form := range []string{`"digit":"%c"`, `"digit": "%c"`, `"digits":"%c`, "Signal=%c", "signal=%c", "digit=%c", "symbol=%c", "key=%c"} {
			tells = append(tells, fmt.Sprintf(form, key))
		}
	}
	for what, text := range kept {
		if text == "" {
			s.Errorf("there is no %s to look at", what)
		}
		for _, tell := range tells {
			if strings.Contains(text, tell) {
				s.Errorf("the %s says %q", what, tell)
			}
		}
	}
}
