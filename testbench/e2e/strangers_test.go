//go:build e2e

package e2e

import (
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"b2bua/testbench/peers"
)

func TestUnknownNumberIsNotFound(t *testing.T) {
	s := StartSwitch(t, nobody(t))
	s.Flow(rule("phone_number", sales))
	for _, transport := range []string{"u1", "t1"} {
		r := peers.StartSIPp(t, peers.SIPpRun{
			Scenario: "uac_expect_404", Target: s.SIP, Service: "+14155559999", Transport: transport,
		}).Result(10 * time.Second)
		if r.Exit != 0 {
			t.Errorf("%s: %+v", transport, r)
		}
	}
}

func TestNoCommonCodecIsNotAcceptable(t *testing.T) {
	s := StartSwitch(t, answering(t).Address())
	s.Flow(rule("phone_number", sales))
	r := peers.StartSIPp(t, peers.SIPpRun{Scenario: "uac_expect_488", Target: s.SIP, Service: did}).Result(10 * time.Second)
	if r.Exit != 0 {
		t.Errorf("%+v", r)
	}
}

func TestCallsOverTCP(t *testing.T) {
	s := StartSwitch(t, answering(t).Address())
	s.Flow(rule("phone_number", sales))
	r := peers.StartSIPp(t, peers.SIPpRun{
		Scenario: "uac_call", Target: s.SIP, Service: did, Transport: "t1", Calls: 10,
		Keys: map[string]string{"talk_ms": "300"},
	}).Result(20 * time.Second)
	if r.Exit != 0 || r.Successful != 10 {
		t.Errorf("%+v", r)
	}
}

// Garbage on every port of the switch while a call goes on: the call sounds as if nothing had happened, the next
// one works, and nothing is left of it.
func TestGarbageChangesNothing(t *testing.T) {
	s := StartSwitch(t, nobody(t))
	device := s.Create("/v2/devices", doc{"username": "bob", "password": "bob-secret-1", "number": "+14155550002"})
	s.Flow(rule("device", device.str("device_id")))
	bob := peers.StartBaresip(t, peers.Tone(t, 1000, level, time.Minute),
		peers.Account{User: "bob", Password: "bob-secret-1", Registrar: s.SIP})
	phone := peers.StartBaresip(t, peers.Tone(t, 440, level, time.Minute), peers.Account{User: caller, Manual: true})
	before := s.gauges()

	phone.Call(s.URI(did), 10*time.Second)
	bob.Await("CALL_ESTABLISHED", 5*time.Second)
	peers.Talk(time.Second)
	spray(t, s)
	peers.Talk(3 * time.Second)
	phone.Hangup()
	bob.Await("CALL_CLOSED", 5*time.Second)
	hears(t, "bob", bob.Heard(), 440, time.Second)
	hears(t, "the caller", phone.Heard(), 1000, time.Second)

	phone.Call(s.URI(did), 10*time.Second)
	phone.Hangup()
	phone.Await("CALL_CLOSED", 5*time.Second)
	s.settled(t, before)
}

// spray sends junk of many kinds and sizes to the SIP port, over UDP and TCP, and to every RTP port.
func spray(t *testing.T, s *Switch) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same junk every time
	junk := [][]byte{
		{}, {0}, []byte("\r\n\r\n"), []byte("INVITE"), []byte("INVITE sip:x SIP/2.0\r\n\r\n"),
		[]byte("SIP/2.0 200 OK\r\nVia: x\r\n\r\n"), []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
		[]byte("INVITE sip:" + did + "@x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:1;branch=z9hG4bK1\r\nContent-Length: 999999999\r\n\r\n"),
		{0x80, 0}, {0x80, 0x80, 0, 1, 0, 0, 0, 1, 9, 9, 9, 9}, {0x9f, 8, 0, 1, 0, 0, 0, 1, 1, 2, 3, 4, 255},
	}
	for range 60 {
		b := make([]byte, random.IntN(1400))
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		junk = append(junk, b)
	}
	// Looks like RTP for a call that is going on: right version, right payload type, a stranger's source and SSRC.
	for i := range 40 {
		b := make([]byte, 172)
		copy(b, []byte{0x80, 0, 0, byte(i), 0, 0, byte(i), 0, 6, 6, 6, 6})
		junk = append(junk, b)
	}
	targets := []string{s.SIP}
	for port := s.RTP; port < s.RTP+rangeSize; port += 1 {
		targets = append(targets, address(port))
	}
	from, err := net.ListenPacket("udp4", peers.Loopback+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	for i, target := range targets {
		to, err := net.ResolveUDPAddr("udp4", target)
		if err != nil {
			t.Fatal(err)
		}
		for j, b := range junk {
			// Everything to the SIP port and to the first hundred RTP ports, a sample to the others.
			if i < 100 || j%37 == i%37 {
				_, _ = from.WriteTo(b, to)
			}
		}
	}
	for _, b := range junk {
		if c, err := net.DialTimeout("tcp4", s.SIP, time.Second); err == nil {
			_, _ = c.Write(b)
			c.Close()
		}
	}
}
