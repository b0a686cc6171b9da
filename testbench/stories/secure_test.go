package stories_test

import (
	"bytes"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"b2bua/configs"
	"b2bua/flows"
	"b2bua/testbench/phone"
	"b2bua/testbench/sound"
)

// encrypting makes the trunk of the stories encrypt.
func encrypting(policy string) func(*setup) {
	return config(func(c *configs.Config) { c.Trunks[0].SRTP = policy })
}

// secret adds a phone that makes and takes no call in the clear.
func (s *stage) secret(name, at string, q phone.Quirks, suites ...string) *phone.Phone {
	s.Helper()
	conn, err := s.net.ListenPacket("udp", at)
	s.must(err)
	p, err := phone.New(phone.Config{
		Name: name, Conn: conn, Quirks: q, Ladder: s.ladder, SRTP: suites, SRTPOnly: true,
		ListenRTP: func(at netip.AddrPort) (phone.RTPConn, error) { return s.net.Listen(at) },
	})
	s.must(err)
	s.phones = append(s.phones, p)
	return p
}

// encrypted holds a call to its suite, and to every packet being one of the switch's.
func (s *stage) encrypted(c *phone.Call, suite string) {
	s.Helper()
	if got, st := c.Encryption(), c.Stats(); got != suite || st.Forged > 0 {
		s.Errorf("encrypted by %q, want %q; %d packets did not fit", got, suite, st.Forged)
	}
}

// quality is what the record says of the legs.
func (s *stage) quality(id string) (caller, called doc) {
	s.Helper()
	list := s.get("/v2/calls/" + id).list("quality")
	if len(list) != 2 {
		s.Fatalf("quality of %d legs: %v", len(list), list)
	}
	caller, called = list[0].(map[string]any), list[1].(map[string]any)
	if caller.str("leg") != "caller" {
		caller, called = called, caller
	}
	return caller, called
}

// Whoever encrypts on either side, by whatever suite: both hear each other, and what
// is on the wire is of no use to others.
func TestCallsAreEncrypted(t *testing.T) {
	const none = ""
	for name, c := range map[string]struct{ caller, sales string }{
		"GCM to counter mode": {phone.GCM128, phone.CM80},
		"long GCM to GCM":     {phone.GCM256, phone.GCM128},
		"short tags to GCM":   {phone.CM32, phone.GCM256},
		"one suite":           {phone.CM80, phone.CM80},
		"to the clear":        {phone.CM80, none},
		"from the clear":      {none, phone.CM32},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(s *stage) {
				s.flow(toSales)
				party := func(name, at, suite string) *phone.Phone {
					if suite == none {
						return s.phone(name, at, phone.Quirks{})
					}
					return s.secret(name, at, phone.Quirks{}, suite)
				}
				a, b := party("caller", callerAt, c.caller), party("sales", carrierAt, c.sales)
				in := s.calls(a, did)
				if c.sales == none { // RTP/SAVP is refused, RTP/AVP is taken
					s.refuses(b)
				}
				out := s.answers(b)
				s.until(in, phone.Established)
				s.talk(in, out)
				s.encrypted(in, c.caller)
				s.encrypted(out, c.sales)
				wire := in.Wire()
				plain := bytes.Count(wire, wire[len(wire)-1:]) > 100 // silence, in the clear
				if plain != (c.caller == none) {
					s.Errorf("in the clear: %v: %x", plain, wire)
				}
				s.presses(in, "5")
				pass(time.Second)
				if out.Digits() != "5" {
					s.Errorf("sales heard the keys %q", out.Digits())
				}
				s.hangsUp(in)
				s.over(out)
				caller, called := s.quality(s.event("call.completed").str("call_id"))
				if caller.str("encryption") != c.caller || called.str("encryption") != c.sales || caller.num("mos") < 4 || called.num("mos") < 4 {
					s.Errorf("%v, %v", caller, called)
				}
			}, encrypting(flows.SRTPOptional), undrawn)
		})
	}
}

// refuses waits for a call that the phone cannot take, and its refusal.
func (s *stage) refuses(p *phone.Phone) {
	s.Helper()
	if err := s.next(p).Accept(); err == nil {
		s.Fatal("takes what it does not understand")
	}
}

// Who refuses to encrypt is offered the other profile, once.
func TestOtherProfileAfterARefusal(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		s.refuses(b)
		out := s.answers(b)
		s.until(in, phone.Established)
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
		completed := s.event("call.completed")
		if told := completed.list("quality"); len(told) != 2 || doc(told[0].(map[string]any)).num("mos") < 4 {
			s.Errorf("told of the quality: %v", told)
		}
		attempts := s.get("/v2/calls/" + completed.str("call_id")).list("attempts")
		if len(attempts) != 2 || doc(attempts[0].(map[string]any)).str("result") != "codec_mismatch" || doc(attempts[1].(map[string]any)).str("result") != "connected" {
			s.Errorf("%v", attempts)
		}
	}, encrypting(flows.SRTPOptional))
}

// Where encryption is required there is no call without, from either side.
func TestEncryptionIsRequired(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		s.refused(s.calls(a, did), 488)
		s.event("call.failed")
		c := s.secret("secret", "10.0.1.2:5060", phone.Quirks{}, phone.CM80)
		in := s.calls(c, did)
		s.refuses(b)
		s.refused(in, 488)
		failed := s.event("call.failed", func(d doc) bool { return len(d.list("attempts")) > 0 })
		if attempts := failed.list("attempts"); len(attempts) != 1 {
			s.Errorf("%v", attempts)
		}
	}, encrypting(flows.SRTPRequired), undrawn)
}

// Without the knob a stream with keys is refused, as before.
func TestEncryptionIsOff(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a := s.secret("caller", callerAt, phone.Quirks{}, phone.CM80)
		s.refused(s.calls(a, did), 488)
		s.event("call.failed")
	}, undrawn)
}

// Keys in RTP/AVP are used (RFC 8643).
func TestKeysInThePlainProfile(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a := s.secret("caller", callerAt, phone.Quirks{Opportunistic: true}, phone.GCM128, phone.CM80)
		b := s.phone("sales", carrierAt, phone.Quirks{})
		in := s.calls(a, did)
		s.refuses(b)
		out := s.answers(b)
		s.until(in, phone.Established)
		s.talk(in, out)
		s.encrypted(in, phone.GCM128)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	}, encrypting(flows.SRTPOptional), undrawn)
}

// A device has a policy of its own, whatever that of the trunk is.
func TestDevicesEncrypt(t *testing.T) {
	story(t, func(s *stage) {
		s.create("/v2/devices", `{"device_id": "dev_1", "username": "alice", "password": "s3cret-s3cret", "srtp": "required"}`)
		s.flow(`{"pattern": "*", "destination": "dev_1", "destination_type": "device"}`)
		b := s.secret("alice", "10.0.9.1:5060", phone.Quirks{}, phone.CM80)
		s.must(b.Register(s.soon(), "sip:"+switchAt, "alice", "s3cret-s3cret", time.Hour))
		a := s.phone("caller", callerAt, phone.Quirks{})
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		s.talk(in, out)
		s.encrypted(in, "")
		s.encrypted(out, phone.CM80)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	}, undrawn)
}

// A re-INVITE keeps the keys, and with them what belongs to them; or it brings new
// ones, and then ours change as well, and no sound is lost over it.
func TestKeysOverReinvites(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a := s.secret("caller", callerAt, phone.Quirks{}, phone.CM80, phone.GCM128)
		b := s.secret("sales", carrierAt, phone.Quirks{}, phone.GCM256)
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		s.talk(in, out)
		keys := []string{key(in)}
		for i, renew := range []bool{false, true, true, false} {
			if renew {
				in.Rekey()
			}
			in.SendTone(callerTone, toneLevel, time.Second)
			pass(400 * time.Millisecond)
			s.must(in.Reinvite(s.soon(), phone.SendRecv))
			pass(600 * time.Millisecond)
			if spans := sound.Tones(last(out, 1100*time.Millisecond), callerTone, toneLevel-6); len(spans) != 1 || spans[0].Length() < 900*time.Millisecond {
				s.Errorf("re-INVITE %d: sales heard %v", i, spans)
			}
			pass(200 * time.Millisecond)
			s.talk(in, out)
			keys = append(keys, key(in))
			if (keys[i] == keys[i+1]) == renew {
				s.Errorf("re-INVITE %d: a new key: %v", i, !renew)
			}
		}
		s.must(in.Hold(s.soon()))
		pass(time.Second)
		s.must(in.Resume(s.soon()))
		pass(time.Second)
		s.talk(in, out)
		s.must(in.Reoffer(s.soon(), nil)) // the switch offers, what is in use first
		pass(time.Second)
		s.talk(in, out)
		s.encrypted(out, phone.GCM256)
		if in.Encryption() != phone.CM80 {
			s.Errorf("encrypted by %s", in.Encryption())
		}
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	}, encrypting(flows.SRTPRequired), undrawn)
}

var inline = regexp.MustCompile(`inline:([A-Za-z0-9+/=]+)`)

// key is that of the switch's last description; the first one, if it has several.
func key(c *phone.Call) string {
	m := inline.FindStringSubmatch(c.Described())
	if m == nil {
		return ""
	}
	return m[1]
}

// What does not come from the far end, or comes again, is not heard, however much of
// it there is, and ends no call.
func TestAttackSRTPRubbish(t *testing.T) {
	for name, tamper := range map[string]func(p []byte) [][]byte{
		"a bit is wrong in every copy": func(p []byte) [][]byte {
			bad := bytes.Clone(p)
			bad[len(bad)/2] ^= 4
			return [][]byte{bad, p, bad}
		},
		"all comes twice, and once more later": func() func(p []byte) [][]byte {
			var before []byte
			return func(p []byte) [][]byte {
				out := [][]byte{p, p}
				if before != nil {
					out = append(out, before)
				}
				before = bytes.Clone(p)
				return out
			}
		}(),
		"packets in the clear between": func(p []byte) [][]byte {
			clear := append(bytes.Clone(p[:12]), bytes.Repeat([]byte{0x2a}, 160)...)
			clear[3]++
			return [][]byte{clear, p, clear}
		},
		"another source in the header": func(p []byte) [][]byte {
			other := bytes.Clone(p)
			other[8] ^= 0xff
			return [][]byte{other, p}
		},
		"a packet cut short": func(p []byte) [][]byte { return [][]byte{p[:20], p[:13], p, p[:len(p)-1]} },
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(s *stage) {
				s.flow(toSales)
				a := s.secret("caller", callerAt, phone.Quirks{}, phone.CM80)
				b := s.secret("sales", carrierAt, phone.Quirks{}, phone.GCM128)
				in := s.calls(a, did)
				out := s.answers(b)
				s.until(in, phone.Established)
				in.Tamper(tamper)
				out.Tamper(tamper)
				pass(10 * time.Second)
				for range 5 {
					s.talk(in, out)
				}
				if st := out.Stats(); st.Lost > 0 || st.Forged > 0 {
					s.Errorf("%+v", st)
				}
				s.hangsUp(in)
				s.over(out)
				caller, called := s.quality(s.event("call.completed").str("call_id"))
				if caller.num("packets_refused") < 500 || called.num("packets_refused") < 500 || caller.num("lost") > 0 || called.num("lost") > 0 {
					s.Errorf("%v, %v", caller, called)
				}
			}, encrypting(flows.SRTPRequired), undrawn)
		})
	}
}

// Numbers wrap, sources change, with the same key.
func TestEncryptedStreamsGoOn(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a := s.secret("caller", callerAt, phone.Quirks{Sequence: 65500}, phone.CM80)
		b := s.secret("sales", carrierAt, phone.Quirks{Sequence: 65400}, phone.GCM128)
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		for range 4 {
			s.talk(in, out)
			pass(time.Second)
		}
		in.Source(0xabcdef01)
		pass(time.Second)
		s.talk(in, out)
		s.encrypted(out, phone.GCM128)
		s.encrypted(in, phone.CM80)
		s.hangsUp(in)
		s.over(out)
		caller, _ := s.quality(s.event("call.completed").str("call_id"))
		if caller.num("lost") > 0.05 {
			s.Errorf("%v", caller)
		}
	}, encrypting(flows.SRTPRequired), undrawn)
}

// A recording, a menu and its keys, with a caller who encrypts; and no key is in
// anything that the switch shows or writes down.
func TestEncryptedCallsAreRecorded(t *testing.T) {
	story(t, func(s *stage) {
		s.create("/v2/call-flows", `{"name": "story", "phone_number": "`+did+`", "recording": {"enabled": true}, "routing": [`+toSales+`]}`)
		a := s.secret("caller", callerAt, phone.Quirks{}, phone.CM80)
		b := s.secret("sales", carrierAt, phone.Quirks{}, phone.GCM128)
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		s.conversation(in, out)
		s.hangsUp(in)
		s.over(out)
		done := s.event("recording.completed")
		id := s.event("call.completed").str("call_id")
		s.recorded(s.clip(s.download(s.get("/v2/recordings/"+done.str("recording_id")).str("audio_url"))), true, true)
		pass(time.Second)
		s.noKeys(id, in, out)
	}, encrypting(flows.SRTPRequired), undrawn)
}

func TestMenuForACallerWhoEncrypts(t *testing.T) {
	story(t, func(s *stage) {
		s.create("/v2/ivr-menus", `{"menu_id": "ivr_main", "name": "Main", "prompt": "Press one for sales.", "options": [{"digit": "1", "destination": "`+sales+`", "destination_type": "phone_number"}]}`)
		s.flow(`{"pattern": "*", "destination": "ivr_main", "destination_type": "ivr_menu"}`)
		a := s.secret("caller", callerAt, phone.Quirks{}, phone.GCM256)
		b := s.secret("sales", carrierAt, phone.Quirks{}, phone.CM32)
		in := s.calls(a, did)
		s.until(in, phone.Established)
		pass(2 * time.Second)
		if level := sound.Level(last(in, time.Second)); level < -40 {
			s.Errorf("the prompt has %.1f dBm0", level)
		}
		s.presses(in, "1")
		out := s.answers(b)
		s.talk(in, out)
		s.encrypted(in, phone.GCM256)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	}, encrypting(flows.SRTPRequired), undrawn)
}

// noKeys looks for the keys of a call in all that is kept of it, and in the log.
func (s *stage) noKeys(id string, calls ...*phone.Call) {
	s.Helper()
	kept := map[string]string{
		"log":    s.logs.String(),
		"trace":  s.request(http.MethodGet, "/v2/calls/"+id+"/trace", "").Body.String(),
		"pcap":   s.request(http.MethodGet, "/v2/calls/"+id+"/pcap", "").Body.String(),
		"record": s.request(http.MethodGet, "/v2/calls/"+id, "").Body.String(),
		"events": strings.Join(s.told(), " "),
	}
	if !strings.Contains(kept["pcap"], "a=crypto:1 ") {
		s.Error("the pcap has no crypto attribute, so nothing is shown")
	}
	for _, c := range calls {
		keys := inline.FindAllStringSubmatch(c.Described(), -1)
		for _, own := range c.Keys() {
			keys = append(keys, []string{"", own})
		}
		if len(keys) < 2 {
			s.Errorf("%d keys of a call", len(keys))
		}
		for _, k := range keys {
			for what, text := range kept {
				if strings.Contains(text, k[1]) {
					s.Errorf("a key is in the %s", what)
				}
			}
		}
	}
}

// To require encryption of a trunk that is reached in the clear is allowed, and
// warned of: its keys travel in the messages.
func TestKeysInTheClearAreWarnedOf(t *testing.T) {
	story(t, func(s *stage) {
		trunk := s.create("/v2/trunks", `{"trunk_id": "t", "name": "t", "srtp": "required", "outbound": {"uri": "sip:192.0.2.1"}}`)
		if list := trunk.list("warnings"); len(list) != 1 || doc(list[0].(map[string]any)).str("code") != "srtp_keys_in_clear" {
			s.Errorf("%v", trunk)
		}
		trunk = s.api(http.MethodPatch, "/v2/trunks/t", `{"outbound": {"transport": "tls"}}`, http.StatusOK)
		if list := trunk.list("warnings"); len(list) != 0 || trunk.str("srtp") != "required" {
			s.Errorf("%v", trunk)
		}
	}, undrawn)
}
