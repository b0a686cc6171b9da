//go:build e2e

package e2e

import (
	"math"
	"path/filepath"
	"testing"
	"time"

	"b2bua/testbench/peers"
)

// Linphone registers, calls the number, hears a menu, presses a key and talks to baresip. Each hears the other as
// loud as the other spoke, and the MP3 of the call holds both.
func TestLinphoneReachesBaresipThroughAMenu(t *testing.T) {
	s := StartSwitch(t, nobody(t))
	hook := Listen(s)
	s.Create("/v2/devices", doc{"username": "alice", "password": "alice-secret-1", "display_name": "Alice", "number": "+14155550001"})
	bob := s.Create("/v2/devices", doc{"username": "bob", "password": "bob-secret-1", "number": "+14155550002"})
	s.Create("/v2/ivr-menus", doc{
		"menu_id": "menu_main", "name": "Main", "prompt": "Press one for Bob.",
		"options": []doc{{"digit": "1", "destination": bob.str("device_id"), "destination_type": "device"}},
	})
	flow := s.Flow(rule("ivr_menu", "menu_main"))
	s.Do("PATCH", "/v2/call-flows/"+flow.str("call_flow_id"),
		`{"recording": {"enabled": true, "format": "mp3", "participant": "all"}}`, 200)

	baresip := peers.StartBaresip(t, peers.Tone(t, 1000, level, time.Minute),
		peers.Account{User: "bob", Password: "bob-secret-1", Registrar: s.SIP})
	linphone := peers.StartLinphone(t, peers.Tone(t, 440, level, time.Minute))
	linphone.Register("alice", s.SIP, "alice-secret-1")

	linphone.Call(s.URI(did), 15*time.Second)
	initiated := hook.Await("call.initiated", 5*time.Second)
	peers.Talk(500 * time.Millisecond)
	linphone.Press("1") // into the prompt: barge-in
	baresip.Await("CALL_ESTABLISHED", 10*time.Second)
	peers.Talk(6 * time.Second)
	linphone.Hangup()
	baresip.Await("CALL_CLOSED", 5*time.Second)

	hears(t, "baresip", baresip.Heard(), 440, 2*time.Second)
	// What Linphone recorded begins with the menu; the conversation is the end of it.
	hears(t, "linphone", linphone.Recording, 1000, peers.Length(t, linphone.Recording)-4*time.Second)

	id := initiated.str("data", "call_id")
	record := s.ended(id)
	if record.str("status") != "completed" || record.str("hangup_source") != "caller" {
		t.Errorf("call record: %v", record)
	}
	hook.Await("call.completed", 5*time.Second)
	rec := hook.Await("recording.completed", 10*time.Second).str("data", "recording_id")
	recordingHolds(t, s, rec, "mp3", []int{440, 1000})
}

// Linphone is called at its device from the outside, by a trunk.
func TestTrunkReachesLinphone(t *testing.T) {
	s := StartSwitch(t, nobody(t))
	device := s.Create("/v2/devices", doc{"username": "alice", "password": "alice-secret-1", "number": "+14155550001"})
	s.Flow(rule("device", device.str("device_id")))
	linphone := peers.StartLinphone(t, peers.Tone(t, 440, level, time.Minute))
	linphone.AutoAnswer()
	linphone.Register("alice", s.SIP, "alice-secret-1")
	baresip := peers.StartBaresip(t, peers.Tone(t, 1000, level, time.Minute), peers.Account{User: caller, Manual: true})

	baresip.Call(s.URI(did), 10*time.Second)
	linphone.Expect("Media streams established", 5*time.Second)
	peers.Talk(4 * time.Second)
	linphone.Hangup() // the called side ends it this time
	baresip.Await("CALL_CLOSED", 5*time.Second)
	hears(t, "linphone", linphone.Recording, 1000, 2*time.Second)
	hears(t, "baresip", baresip.Heard(), 440, 2*time.Second)
}

// hears fails unless the tone is heard within half a decibel of the level it was sent with.
func hears(t *testing.T, who, path string, hz int, from time.Duration) {
	t.Helper()
	if got := peers.Level(t, path, 0, hz, from, 1500*time.Millisecond); math.Abs(got-level) > 0.5 {
		t.Errorf("%s hears %d Hz at %.2f dBFS, sent at %.1f", who, hz, got, level)
	}
	// Half an octave above the tones nothing was sent: what is there is noise that the way added.
	if noise := peers.Level(t, path, 0, 1700, from, 1500*time.Millisecond); noise > -55 {
		t.Errorf("%s hears noise of %.1f dBFS at 1700 Hz", who, noise)
	}
}

// recordingHolds fetches a recording, decodes it with a decoder that forgives nothing, and wants the tones in it.
func recordingHolds(t *testing.T, s *Switch, id, format string, tones []int) {
	t.Helper()
	meta := s.Get("/v2/recordings/" + id)
	if meta.str("format") != format || meta.str("status") != "completed" {
		t.Errorf("recording: %v", meta)
	}
	file := s.Fetch("/v2/recordings/"+id+"/audio", "recording."+format)
	if got := filepath.Ext(file); got != "."+format {
		t.Errorf("recording saved as %s", got)
	}
	wav := peers.ToWAV(t, file)
	length := peers.Length(t, wav)
	if diff := length.Seconds() - meta.num("duration"); math.Abs(diff) > 0.2 {
		t.Errorf("recording plays for %v, its metadata says %g s", length, meta.num("duration"))
	}
	for _, hz := range tones {
		// Mixed to one channel a side may be halved (6 dB), never more.
		got := peers.Level(t, wav, 0, hz, length-3*time.Second, 1500*time.Millisecond)
		if got > level+0.7 || got < level-6.7 {
			t.Errorf("recording has %d Hz at %.2f dBFS, sent at %.1f", hz, got, level)
		}
	}
}
