package stories_test

import (
	"testing"
	"time"

	"b2bua/configs"
	"b2bua/flows"
	"b2bua/testbench/phone"
)

// A party's key is good for 512 packets, which are ten seconds (RFC 4568 §6.1). In
// time the switch offers new keys of its own by a re-INVITE; a party that takes the
// hint brings new ones, too, and the call goes on for as long as it likes.
func TestKeysAreRenewedInTime(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		short := phone.Quirks{KeyLife: "2^9"}
		a := s.secret("caller", callerAt, short, phone.CM80)
		b := s.secret("sales", carrierAt, phone.Quirks{}, phone.GCM128)
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		seen := map[string]bool{key(in): true}
		for range 7 {
			in.Rekey() // what the next description brings
			pass(4 * time.Second)
			s.talk(in, out)
			seen[key(in)] = true
		}
		if len(seen) < 4 {
			s.Errorf("%d keys in half a minute", len(seen))
		}
		s.encrypted(in, phone.CM80)
		s.encrypted(out, phone.GCM128)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	}, encrypting(flows.SRTPRequired), undrawn)
}

// A party that goes on with its old key is offered new ones once, and is heard no
// more when the key is used up: the call ends, and says why (RFC 3711 §9.2).
func TestKeysThatAreUsedUp(t *testing.T) {
	for name, hold := range map[string]string{"talking": "", "on hold for the far end": flows.HoldRelay} {
		t.Run(name, func(t *testing.T) {
			story(t, func(s *stage) {
				s.flow(toSales)
				a := s.secret("caller", callerAt, phone.Quirks{}, phone.CM80)
				b := s.secret("sales", carrierAt, phone.Quirks{KeyLife: "600"}, phone.GCM128)
				in := s.calls(a, did)
				out := s.answers(b)
				s.until(in, phone.Established)
				first := key(out)
				pass(time.Second)
				if hold != "" { // the offer of new keys keeps what was agreed on
					s.must(in.Hold(s.soon()))
					pass(2 * time.Second)
					s.must(in.Resume(s.soon()))
				}
				pass(6 * time.Second)
				s.talk(in, out)
				if key(out) == first {
					s.Error("no new key was offered")
				}
				pass(8 * time.Second)
				s.over(out)
				s.over(in)
				completed := s.event("call.completed")
				if completed.str("completion_reason") != "srtp_keys_expired" || completed.str("hangup_source") != "system" {
					s.Errorf("%v", completed)
				}
			}, config(func(c *configs.Config) { c.Trunks[0].SRTP, c.Trunks[0].Hold = flows.SRTPRequired, hold }), undrawn)
		})
	}
}
