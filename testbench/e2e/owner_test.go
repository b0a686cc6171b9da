//go:build e2e

package e2e

import (
	"strings"
	"testing"
	"time"

	"b2bua/testbench/peers"
)

// Bob's Linphone leaves a message in the box of Alice, whose Linphone shows it. She listens, deletes it and records a
// greeting, all by keys; Bob hears the greeting when he calls again.
func TestOwnerListensOnLinphone(t *testing.T) {
	x := startExchange(t, "alice", "bob")
	x.Create("/v2/voicemail-boxes", doc{"voicemail_box_id": "vmbox_alice", "name": "Alice", "number": "700", "pin": "4711", "greeting": "Hello."})
	x.Do("PATCH", "/v2/devices/dev_alice", doc{"voicemail_box_id": "vmbox_alice"}, 200)
	alice := x.linphone("alice", toneA, peers.LinphoneSetup{Trace: true})
	bob := x.linphone("bob", toneB, peers.LinphoneSetup{})
	lamp := func(counts string) {
		t.Helper()
		x.eventually("tell Linphone of "+counts+" messages", 10*time.Second, func() bool {
			return strings.HasSuffix(lastOf(alice.Wire(), "Voice-Message: "), counts)
		})
	}
	box := func() doc { return x.Get("/v2/voicemail-boxes/vmbox_alice") }

	bob.Call(x.at("700", "udp"), 10*time.Second)
	peers.Talk(4500 * time.Millisecond)
	bob.Hangup()
	x.hook.Await("voicemail.received", 10*time.Second)
	lamp("1/0")

	alice.Call(x.at("700", "udp"), 10*time.Second)
	peers.Talk(time.Second)
	alice.Press("4711#")
	x.eventually("play the message to its end", 60*time.Second, func() bool { return box().num("status", "read") == 1 })
	lamp("0/1")
	alice.Press("3")
	x.eventually("delete the message", 10*time.Second, func() bool { return box().num("status", "read") == 0 })
	lamp("0/0")
	alice.Press("92")
	peers.Talk(7500 * time.Millisecond) // she is asked to speak after the tone, and does
	alice.Press("#")
	peers.Talk(time.Second)
	alice.Press("3")
	x.eventually("use the greeting", 15*time.Second, func() bool { return box().str("recorded_greeting") != "" })
	alice.Hangup()
	// The message is a tone of Bob's, among what is said to her.
	hearsSomewhere(t, "Alice", alice.Recording, toneB)

	bob.RecordAfresh()
	bob.Call(x.at("700", "udp"), 10*time.Second)
	peers.Talk(3 * time.Second)
	bob.Hangup()
	hearsSomewhere(t, "Bob", bob.Recording, toneA)
	for _, e := range x.hook.all() {
		if e.str("event") == "call.dtmf" {
			t.Errorf("a key of the owner was told: %v", e)
		}
	}
}

// lastOf is the rest of the last line that begins so.
func lastOf(text, begin string) string {
	i := strings.LastIndex(text, begin)
	if i < 0 {
		return ""
	}
	line, _, _ := strings.Cut(text[i+len(begin):], "\n")
	line, _, _ = strings.Cut(line, " ")
	return strings.TrimSpace(line)
}

// hearsSomewhere fails unless the tone is heard for half a second at some time.
func hearsSomewhere(t *testing.T, who, path string, hz int) {
	t.Helper()
	best := -100.0
	for at := time.Duration(0); best < level-1.5 && at+500*time.Millisecond <= peers.Length(t, path); at += time.Second {
		best = max(best, peers.Level(t, path, 0, hz, at, 500*time.Millisecond))
	}
	if best < level-1.5 {
		t.Errorf("%s hears %d Hz at %.1f dBFS at most", who, hz, best)
	}
}

// all are the events so far.
func (r *Receiver) all() []doc {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]doc(nil), r.events...)
}
