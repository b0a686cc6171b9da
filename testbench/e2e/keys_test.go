//go:build e2e

package e2e

import (
	"strings"
	"testing"
	"time"

	"b2bua/testbench/peers"
)

// Keys in the sound of a recording that SIPp plays, keys as events in one, and keys by SIP INFO lead through the same
// three menus. Nobody waits for a prompt: all keys are pressed while the first one has hardly begun, and none is lost.
func TestKeysOfEveryKindThroughThreeMenus(t *testing.T) {
	s := StartSwitch(t, answering(t).Address())
	hook := Listen(s)
	s.upload("/v2/prompts?prompt_id=prompt_long&name=Long", "audio/wav", peers.Tone(t, 440, level, 10*time.Second))
	for _, m := range []struct {
		id, keys, to, kind string
	}{{"menu_last", "678", sales, "phone_number"}, {"menu_two", "45", "menu_last", "ivr_menu"}, {"menu_one", "123", "menu_two", "ivr_menu"}} {
		s.Create("/v2/ivr-menus", doc{"menu_id": m.id, "name": "Keys", "prompt": "prompt_long", "max_digits": len(m.keys),
			"options": []doc{{"digit": m.keys, "destination": m.to, "destination_type": m.kind}}})
	}
	s.Flow(rule("ivr_menu", "menu_one"))
	const press, gap = 100 * time.Millisecond, 100 * time.Millisecond
	for name, c := range map[string]struct {
		run    peers.SIPpRun
		method string
		digits []string
	}{
		"events in a pcap": {peers.SIPpRun{Scenario: "uac_keys", Pcap: peers.EventsPcap("12345678", press, gap), Keys: map[string]string{"events": "telephone-event"}}, "rfc4733", []string{"123", "45", "678"}},
		"tones in a pcap":  {peers.SIPpRun{Scenario: "uac_keys", Pcap: peers.TonesPcap("12345678", press, gap), Keys: map[string]string{"events": "nothing"}}, "inband", []string{"123", "45", "678"}},
		"INFO": {peers.SIPpRun{Scenario: "uac_info", Keys: map[string]string{"key1": "1", "key2": "2", "key3": "3"}},
			"info", []string{"123"}},
	} {
		t.Run(name, func(t *testing.T) {
			hook.Forget()
			c.run.Target, c.run.Service = s.SIP, did
			c.run.Keys["wait_ms"], c.run.Keys["talk_ms"] = "300", "3500"
			if r := peers.StartSIPp(t, c.run).Result(30 * time.Second); r.Exit != 0 || r.Successful != 1 {
				t.Fatalf("the caller: %+v", r)
			}
			for _, want := range c.digits {
				hook.AwaitThat("call.gather.completed", 5*time.Second, func(d doc) bool { return d.str("digits") == want })
			}
			for _, key := range strings.Join(c.digits, "") {
				hook.AwaitThat("call.dtmf", 5*time.Second, func(d doc) bool { return d.str("digit") == string(key) && d.str("method") == c.method })
			}
			if len(c.digits) == 3 {
				routedTo(hook, "phone_number", sales)
			}
		})
	}
}
