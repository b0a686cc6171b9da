package peers

import (
	"fmt"
	"math"
	"strings"
	"syscall"
	"testing"
	"time"
)

// These tests place real calls between the peers themselves: when a test of the switch fails while these
// pass, the fault lies in the switch and not in how the peers are driven.

const level = -15.0 // dBFS of the tones that the peers play

func TestLinphoneCallsBaresip(t *testing.T) {
	bob := StartBaresip(t, Tone(t, 1000, level, 30*time.Second), Account{User: "bob"})
	alice := StartLinphone(t, Tone(t, 440, level, 30*time.Second))

	alice.Call(fmt.Sprintf("sip:bob@%s:%d", Loopback, bob.Port), 10*time.Second)
	bob.Await("CALL_ESTABLISHED", 5*time.Second)
	alice.Press("5")
	bob.Expect(`received event: '5'`, 5*time.Second)
	alice.Press("#")
	bob.Expect(`received event: '#' \(end=1\)`, 5*time.Second)
	alice.Hangup()
	bob.Await("CALL_CLOSED", 5*time.Second)

	heard(t, bob.Heard(), 440)
	heard(t, alice.Recording, 1000)
}

func TestBaresipCallsLinphone(t *testing.T) {
	alice := StartLinphone(t, Tone(t, 440, level, 30*time.Second))
	alice.AutoAnswer()
	bob := StartBaresip(t, Tone(t, 1000, level, 30*time.Second), Account{User: "bob", Manual: true})

	bob.Call(fmt.Sprintf("sip:alice@%s:%d", Loopback, alice.Port), 10*time.Second)
	alice.Expect("Media streams established", 5*time.Second)
	bob.Press("7")
	alice.Expect("Receiving tone 7", 5*time.Second)
	Talk(2500 * time.Millisecond)
	bob.Hangup()
	alice.Over(5 * time.Second)
	heard(t, alice.Recording, 1000)
	heard(t, bob.Heard(), 440)
}

func TestSIPpPressesAKeyAtBaresip(t *testing.T) {
	bob := StartBaresip(t, Tone(t, 1000, level, 10*time.Second), Account{User: "bob"})
	caller := StartSIPp(t, SIPpRun{
		Scenario: "uac_menu", Target: fmt.Sprintf("%s:%d", Loopback, bob.Port), Service: "bob",
		Keys: map[string]string{"wait_ms": "300", "digits": "4", "talk_ms": "1500"},
	})
	bob.Expect(`received event: '4'`, 5*time.Second)
	expect(t, caller.Result(10*time.Second), 1)
}

func TestSIPpCallsSIPp(t *testing.T) {
	callee := StartSIPp(t, SIPpRun{Scenario: "uas_answer", Calls: 20, Echo: true, Keys: map[string]string{"ring_ms": "50"}})
	caller := StartSIPp(t, SIPpRun{
		Scenario: "uac_call", Target: callee.Address(), Calls: 20, Rate: 20,
		Keys: map[string]string{"talk_ms": "200"},
	})
	expect(t, caller.Result(15*time.Second), 20)
	expect(t, callee.Result(15*time.Second), 20)
}

func TestSIPpRefusals(t *testing.T) {
	for callee, caller := range map[string]string{
		"uas_busy": "uac_expect_486", "uas_404": "uac_expect_404", "uas_488": "uac_expect_488",
		"uas_503": "uac_expect_503", "uas_no_answer": "uac_cancel", "uas_hangup": "uac_stay",
	} {
		t.Run(callee, func(t *testing.T) {
			there := StartSIPp(t, SIPpRun{Scenario: callee, Keys: map[string]string{"ring_ms": "50", "talk_ms": "200"}})
			here := StartSIPp(t, SIPpRun{Scenario: caller, Target: there.Address(), Keys: map[string]string{"ring_ms": "200"}})
			expect(t, here.Result(10*time.Second), 1)
			expect(t, there.Result(10*time.Second), 1)
		})
	}
}

// A registrar that answers at once, without a challenge, is as quick as one can be: a phone with a lamp has registered
// before its modules have come to rest.
func TestBaresipSubscribesOnce(t *testing.T) {
	registrar := startRegistrar(t)
	bob := StartBaresip(t, Tone(t, 1000, level, time.Second), Account{User: "bob", Password: "x", Registrar: registrar.address(), Lamp: true})
	registrar.await("SUBSCRIBE", 5*time.Second)
	bob.Command("dial", "sip:carol@"+registrar.address()) // it still listens to us
	registrar.await("INVITE", 5*time.Second)
	if n := registrar.count("SUBSCRIBE"); n != 1 {
		t.Errorf("%d times subscribed", n)
	}
	bob.Signal(syscall.SIGKILL) // it would wait for a last NOTIFY
}

func TestReadNetstring(t *testing.T) {
	in := strings.NewReader("5:hello,0:,")
	for _, want := range []string{"hello", ""} {
		if got, err := readNetstring(in); err != nil || string(got) != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
	for _, bad := range []string{"", "x:", "3:ab", "2:abc", "99999999:"} {
		if got, err := readNetstring(strings.NewReader(bad)); err == nil {
			t.Errorf("%q read as %q", bad, got)
		}
	}
}

// heard fails unless the tone lies in the recording's third second at the level it was sent with, within the
// 0.5 dB that G.711 and two sound files may cost.
func heard(t *testing.T, path string, hz int) {
	t.Helper()
	if got := Level(t, path, 0, hz, time.Second, time.Second); math.Abs(got-level) > 0.5 {
		t.Errorf("%d Hz heard at %.2f dBFS, sent at %.1f (%s)", hz, got, level, path)
	}
}

func expect(t *testing.T, r SIPpResult, calls int) {
	t.Helper()
	if r.Exit != 0 || r.Successful != calls || r.Failed != 0 {
		t.Errorf("SIPp: %+v, want %d successful calls", r, calls)
	}
}
