//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"b2bua/testbench/peers"
)

// Each phone plays a tone of its own. None lies near the ringback tone.
const (
	toneA = 600
	toneB = 1000
	toneC = 800
)

var tones = []int{toneA, toneB, toneC}

// exchange is a switch with devices that register by any transport.
type exchange struct {
	*Switch
	addresses map[string]string // by transport
	hook      *Receiver
}

func startExchange(t *testing.T, users ...string) *exchange {
	t.Helper()
	secure := address(peers.Ports(t, 2))
	s := StartSwitchWith(t, Setup{Trunks: fmt.Sprintf(carrier, nobody(t)), Listen: []string{"tls://" + secure}})
	x := &exchange{Switch: s, hook: Listen(s), addresses: map[string]string{"udp": s.SIP, "tcp": s.SIP, "tls": secure}}
	for _, user := range users {
		s.Create("/v2/devices", doc{"device_id": "dev_" + user, "username": user, "password": user + "-secret-1"})
	}
	return x
}

func (x *exchange) linphone(user string, hz int, o peers.LinphoneSetup) *peers.Linphone {
	x.t.Helper()
	l := peers.StartLinphoneWith(x.t, peers.Tone(x.t, hz, level, time.Minute), o)
	l.Register(user, x.addresses[l.Transport], user+"-secret-1")
	return l
}

func (x *exchange) baresip(user string, hz int, a peers.Account) *peers.Baresip {
	x.t.Helper()
	if a.Transport == "" {
		a.Transport = "udp"
	}
	a.User, a.Password, a.Registrar = user, user+"-secret-1", x.addresses[a.Transport]
	rate := 8000
	if strings.HasPrefix(a.Codec, "G722") {
		rate = 16000
	}
	return peers.StartBaresip(x.t, peers.ToneAt(x.t, rate, hz, level, time.Minute), a)
}

// at is the address of a user, by a transport.
func (x *exchange) at(user, transport string) string {
	return "sip:" + user + "@" + x.addresses[transport] + ";transport=" + transport
}

// initiated waits for the call of a user to another and returns its id.
func (x *exchange) initiated(from, to string) string {
	x.t.Helper()
	return x.hook.AwaitThat("call.initiated", 5*time.Second, func(d doc) bool {
		return d.str("from") == from && d.str("to") == to
	}).str("data", "call_id")
}

// endedBy wants a call that went well and was ended by a side.
func (x *exchange) endedBy(id, side string) {
	x.t.Helper()
	if r := x.ended(id); r.str("status") != "completed" || r.str("hangup_source") != side {
		x.t.Errorf("the record of a call that the %s ended: %v", side, r)
	}
}

// carried wants all that was said of a call to have gone by one transport, and returns it as it went.
func (x *exchange) carried(id, transport string) []byte {
	x.t.Helper()
	trace, _ := x.Get("/v2/calls/" + id + "/trace")["sip"].([]any)
	if len(trace) < 8 {
		x.t.Errorf("%d messages are known of a call over %s", len(trace), transport)
	}
	for _, m := range trace {
		if m := doc(m.(map[string]any)); m.str("transport") != transport {
			x.t.Errorf("not over %s: %v", transport, m)
		}
	}
	raw, err := os.ReadFile(x.Fetch("/v2/calls/"+id+"/pcap", "call.pcap"))
	if err != nil {
		x.t.Fatal(err)
	}
	return raw
}

const music = "music"

// stretches tells what a recording holds, one after the other: a phone's tone ("600 Hz"), or music, which is any
// other sound. What is shorter than 0.8 s does not count, nor does silence.
func stretches(t *testing.T, path string) []string {
	t.Helper()
	whole := peers.Length(t, path)
	all := peers.Levels(t, path, 0, 0, 0, whole)
	bands := map[int][]float64{}
	for _, hz := range tones {
		bands[hz] = peers.Levels(t, path, 0, hz, 0, whole)
	}
	var found []string
	last, run := "", 0
	for i, loud := range all {
		now := music
		for hz, band := range bands {
			if i < len(band) && band[i] > loud-2 {
				now = fmt.Sprintf("%d Hz", hz)
			} else if i < len(band) && band[i] > loud-12 {
				now = "a mixture"
			}
		}
		if loud < -45 {
			now = ""
		}
		if now != last {
			last, run = now, 0
		}
		run++
		if run == int(800*time.Millisecond/peers.Window) && now != "" && (len(found) == 0 || found[len(found)-1] != now) {
			found = append(found, now)
		}
	}
	return found
}

// heardInTurn fails unless a recording holds just these stretches. A number is the tone of a phone.
func heardInTurn(t *testing.T, who, path string, want ...any) {
	t.Helper()
	var names []string
	for _, w := range want {
		if hz, ok := w.(int); ok {
			w = fmt.Sprintf("%d Hz", hz)
		}
		names = append(names, fmt.Sprint(w))
	}
	if got := stretches(t, path); !slices.Equal(got, names) {
		t.Errorf("%s heard %s; want %s", who, strings.Join(got, ", "), strings.Join(names, ", "))
	}
}

// digestOf is the algorithm with which a phone answered a challenge.
func digestOf(wire []byte) string {
	for line := range bytes.Lines(wire) {
		if bytes.HasPrefix(line, []byte("Authorization:")) || bytes.HasPrefix(line, []byte("Proxy-Authorization:")) {
			if bytes.Contains(line, []byte("SHA-256")) {
				return "SHA-256"
			}
			return "MD5"
		}
	}
	return ""
}

// By each transport Linphone calls baresip and hangs up, then baresip calls Linphone, who hangs up again: each phone
// reaches the switch and is reached by it that way.
func TestPhonesByEveryTransport(t *testing.T) {
	x := startExchange(t, "alice", "bob")
	for _, transport := range []string{"udp", "tcp", "tls"} {
		t.Run(transport, func(t *testing.T) {
			y := *x
			y.Switch = &Switch{Process: x.Process, t: t, SIP: x.SIP, API: x.API, http: x.http}
			y.hook.Forget()
			bob := y.baresip("bob", toneB, peers.Account{Transport: transport})
			alice := y.linphone("alice", toneA, peers.LinphoneSetup{Transport: transport})

			alice.Call(y.at("bob", transport), 10*time.Second)
			there := y.initiated("alice", "bob")
			bob.Await("CALL_ESTABLISHED", 5*time.Second)
			peers.Talk(2500 * time.Millisecond)
			alice.Hangup()
			bob.Await("CALL_CLOSED", 5*time.Second)
			heardInTurn(t, "Linphone", alice.Recording, toneB)
			heardInTurn(t, "baresip", bob.Heard(), toneA)
			y.endedBy(there, "caller")

			alice.AutoAnswer()
			alice.RecordAfresh()
			bob.Call(y.at("alice", transport), 10*time.Second)
			back := y.initiated("bob", "alice")
			alice.Expect("Media streams established", 5*time.Second)
			peers.Talk(2500 * time.Millisecond)
			alice.Hangup()
			bob.Await("CALL_CLOSED", 5*time.Second)
			heardInTurn(t, "Linphone", alice.Recording, toneB)
			heardInTurn(t, "baresip", bob.Heard(), toneA)
			y.endedBy(back, "callee")

			// Both are offered; baresip knows only the older.
			if got := digestOf(y.carried(there, transport)); got != "SHA-256" {
				t.Errorf("Linphone proves who it is by %s", got)
			}
			if got := digestOf(y.carried(back, transport)); got != "MD5" {
				t.Errorf("baresip proves who it is by %s", got)
			}
		})
	}
}
