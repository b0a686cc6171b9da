package stories_test

import (
	"fmt"
	"math"
	"net/http"
	"testing"
	"time"

	"b2bua/testbench/phone"
	"b2bua/testbench/sound"
)

// toned serves a clip of a tone under a name and gives its address.
func (s *stage) toned(name string, freq float64, length time.Duration) string {
	s.Helper()
	s.customer.mu.Lock()
	defer s.customer.mu.Unlock()
	s.customer.files[name] = wav(freq, -16, length)
	return "https://" + customerHost + "/files/" + name
}

// hearsOrNot holds a party to hearing a tone at some time since it was asked to forget.
func (s *stage) hearsOrNot(what string, c *phone.Call, freq float64, want bool) {
	s.Helper()
	found := len(sound.Tones(c.Heard(), freq, -30)) > 0
	if found != want {
		s.Errorf("%s: %v Hz heard: %v", what, freq, found)
	}
}

// The caller hears the music of the queue, interrupted by an announcement.
func TestQueueMusicAndAnnouncement(t *testing.T) {
	story(t, func(s *stage) {
		music := s.toned("music.wav", 520, 4*time.Second)
		m := s.queue(`, "hold_music": "`+music+`", "announce": {"position": true, "every": 20}`, "anna")
		a := s.phone("caller", callerAt, phone.Quirks{})
		in := s.calls(a, did)
		s.until(in, phone.Established)
		rings := s.next(m[0])
		rings.Ring()
		pass(10 * time.Second)
		pcm := in.Heard()
		if level := sound.ToneLevel(last(in, 2*time.Second), 520); level < -20 {
			s.Errorf("music at %.1f dBm0", level)
		}
		// Before it came the announcement: speech, which is no tone of 520 Hz.
		if speech := sound.Loud(pcm[:sound.Samples(1500*time.Millisecond)], -40, 200*time.Millisecond); len(speech) == 0 || sound.Purity(pcm[:sound.Samples(time.Second)], 520) > 0 {
			s.Errorf("no announcement at the beginning: %v", speech)
		}
		in.Forget()
		pass(21 * time.Second)
		alone := 0
		heard := in.Heard()
		for at := 0; at+800 <= len(heard); at += 800 {
			if part := heard[at : at+800]; sound.Level(part) > -40 && sound.Purity(part, 520) < 0 {
				alone++
			}
		}
		if alone < 5 || alone > 60 {
			s.Errorf("%d tenths of a second of something else than music", alone)
		}
		s.hangsUp(in)
		s.over(rings)
		s.event("call.completed")
	}, undrawn)
}

// The whisper is for the member alone; then the two talk.
func TestQueueWhisper(t *testing.T) {
	story(t, func(s *stage) {
		whisper := s.toned("whisper.wav", 900, 2*time.Second)
		m := s.queue(`, "whisper": "`+whisper+`"`, "anna")
		a := s.phone("caller", callerAt, phone.Quirks{})
		in := s.calls(a, did)
		s.until(in, phone.Established)
		out := s.next(m[0])
		out.Ring()
		pass(time.Second)
		in.Forget()
		s.must(out.Accept())
		s.until(out, phone.Established)
		pass(time.Second)
		in.SendTone(callerTone, toneLevel, 500*time.Millisecond) // nobody hears it yet
		pass(2500 * time.Millisecond)
		s.hearsOrNot("the member", out, 900, true)
		s.hearsOrNot("the member, meanwhile", out, callerTone, false)
		s.hearsOrNot("the caller", in, 900, false)
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	}, undrawn)
}

// A member on a mobile takes a call by a key. A mailbox that answers does not.
func TestQueueAcceptKey(t *testing.T) {
	story(t, func(s *stage) {
		s.create("/v2/queues", `{"queue_id": "queue_x", "name": "Sales", "accept": true, "strategy": "linear", "retry": 2,
			"members": [{"destination": "`+sales+`", "destination_type": "phone_number"}]}`)
		s.flow(rule("*", "queue_x", "queue"))
		a, b := s.parties()
		in := s.calls(a, did)
		s.until(in, phone.Established)
		mailbox := s.next(b)
		s.must(mailbox.Accept())
		s.until(mailbox, phone.Established)
		answered := time.Now()
		s.over(mailbox)
		if d := time.Since(answered); d < 10*time.Second || d > 25*time.Second {
			s.Errorf("the mailbox was hung up on after %v", d)
		}
		refuses := s.next(b)
		s.must(refuses.Accept())
		s.until(refuses, phone.Established)
		pass(time.Second)
		_ = refuses.SendDigits(s.soon(), "9") // hung up on before the pause after the key
		s.over(refuses)
		takes := s.next(b)
		s.must(takes.Accept())
		s.until(takes, phone.Established)
		pass(time.Second)
		s.music("the caller waits", in)
		s.presses(takes, "1") // into the prompt
		pass(500 * time.Millisecond)
		s.talk(in, takes)
		s.hangsUp(in)
		s.over(takes)
		if e := s.dequeued("connected"); e.num("offers") != 3 {
			s.Errorf("%v", e)
		}
		s.event("call.completed")
		if s.count("call.dtmf") != 0 {
			s.Errorf("keys of members were told: %v", s.told())
		}
	}, undrawn)
}

// Between two callers a member has the time of the wrap-up.
func TestQueueWrapUp(t *testing.T) {
	story(t, func(s *stage) {
		m := s.queue(`, "wrap_up": 10, "retry": 1`, "anna")
		a, c := s.phone("caller", callerAt, phone.Quirks{}), s.phone("second", "10.0.1.2:5060", phone.Quirks{})
		in := s.calls(a, did)
		out := s.answers(m[0])
		s.talk(in, out)
		next := s.calls(c, did, phone.Options{From: other})
		s.until(next, phone.Established)
		s.notRung(m[0], 5*time.Second)
		s.hangsUp(in)
		s.over(out)
		ended := time.Now()
		if list := s.get("/v2/queues/queue_x/members").list("data"); doc(list[0].(map[string]any)).str("status") != "wrap_up" {
			s.Errorf("%v", list)
		}
		out = s.next(m[0])
		if d := time.Since(ended); d < 9900*time.Millisecond || d > 10500*time.Millisecond {
			s.Errorf("rung after %v", d)
		}
		s.must(out.Accept())
		s.until(out, phone.Established)
		s.talk(next, out)
		s.hangsUp(next)
		s.over(out)
		s.event("call.completed")
	}, undrawn)
}

// A caller who has hung up and calls again soon is where they were.
func TestQueueKeepsThePlace(t *testing.T) {
	story(t, func(s *stage) {
		m := s.queue(`, "keep_place_for": 30, "ring_timeout": 60`, "anna")
		first, c, d := s.phone("caller", callerAt, phone.Quirks{}), s.phone("second", "10.0.1.2:5060", phone.Quirks{}), s.phone("third", "10.0.1.3:5060", phone.Quirks{})
		busy := s.calls(d, did, phone.Options{From: "+14155552698"})
		talks := s.answers(m[0])
		in := s.calls(first, did)
		s.until(in, phone.Established)
		pass(time.Second)
		behind := s.calls(c, did, phone.Options{From: other})
		s.until(behind, phone.Established)
		s.hangsUp(in)
		pass(5 * time.Second)
		in = s.calls(first, did)
		s.until(in, phone.Established)
		line := s.get("/v2/queues/queue_x/entries").list("data")
		if len(line) != 2 || doc(line[0].(map[string]any)).str("from") != caller || doc(line[0].(map[string]any))["returned"] != true {
			s.Fatalf("%v", line)
		}
		// And who comes back too late is last.
		s.hangsUp(in)
		pass(31 * time.Second)
		in = s.calls(first, did)
		s.until(in, phone.Established)
		line = s.get("/v2/queues/queue_x/entries").list("data")
		if doc(line[0].(map[string]any)).str("from") != other || doc(line[1].(map[string]any)).str("from") != caller {
			s.Errorf("%v", line)
		}
		// The API changes the order: ten steps are ten minutes.
		s.api(http.MethodPatch, "/v2/queues/queue_x/entries/"+doc(line[1].(map[string]any)).str("entry_id"), `{"priority": 10}`, 200)
		s.hangsUp(busy)
		s.over(talks)
		out := s.answers(m[0])
		s.talk(in, out)
		// And takes somebody out of the line.
		line = s.get("/v2/queues/queue_x/entries").list("data")
		s.api(http.MethodDelete, "/v2/queues/queue_x/entries/"+doc(line[0].(map[string]any)).str("entry_id"), "", http.StatusNoContent)
		s.over(behind)
		s.hangsUp(in)
		s.over(out)
	}, undrawn)
}

// Who talks elsewhere is not rung, and is as soon as that is over.
func TestQueueMemberTalksElsewhere(t *testing.T) {
	story(t, func(s *stage) {
		m := s.queue("", "anna")
		ben := s.phone("ben", "10.0.5.9:5060", phone.Quirks{})
		s.device("ben", ben)
		a := s.phone("caller", callerAt, phone.Quirks{})
		private, err := m[0].Invite(s.soon(), "ben", phone.Options{})
		s.must(err)
		theirs := s.answers(ben)
		in := s.calls(a, did)
		s.until(in, phone.Established)
		s.notRung(m[0], 30*time.Second)
		s.hangsUp(private)
		s.over(theirs)
		ended := time.Now()
		out := s.next(m[0])
		if d := time.Since(ended); d > 200*time.Millisecond {
			s.Errorf("rung %v after the other call", d)
		}
		s.must(out.Accept())
		s.until(out, phone.Established)
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
	}, undrawn)
}

// The conversation with a member is recorded, not the waiting.
func TestQueueRecords(t *testing.T) {
	story(t, func(s *stage) {
		m := s.queue(`, "record": true`, "anna")
		a := s.phone("caller", callerAt, phone.Quirks{})
		in := s.calls(a, did)
		s.until(in, phone.Established)
		pass(5 * time.Second)
		out := s.answers(m[0])
		pass(100 * time.Millisecond)
		s.conversation(in, out)
		s.hangsUp(in)
		s.over(out)
		done := s.event("recording.completed")
		s.event("call.completed")
		if d := done.num("duration"); math.Abs(d-7.2) > 0.4 {
			s.Errorf("recorded %v s", d)
		}
		pcm := s.clip(s.download("/v2/recordings/" + done.str("recording_id") + "/audio"))
		s.recordingHas("the recording", pcm, callerTone)
		s.recordingHas("the recording", pcm, salesTone)
	}, undrawn)
}

func (s *stage) recordingHas(what string, pcm []int16, freq float64) {
	s.Helper()
	if len(sound.Tones(pcm, freq, -30)) == 0 {
		s.Errorf("%s has no %v Hz", what, freq)
	}
}

// Members are paused, and what is known of a queue outlives a restart.
func TestQueueAfterARestart(t *testing.T) {
	story(t, func(s *stage) {
		m := s.queue(`, "wrap_up": 1`, "anna", "ben")
		s.api(http.MethodPost, "/v2/queues/queue_x/members/dev_anna/pause", `{"reason": "lunch"}`, 200)
		if e := s.event("queue.member.changed"); e.str("member") != "dev_anna" || e["paused"] != true || e.str("reason") != "lunch" {
			s.Errorf("%v", e)
		}
		a := s.phone("caller", callerAt, phone.Quirks{})
		in := s.calls(a, did)
		out := s.answers(m[1])
		s.talk(in, out)
		s.notRung(m[0], 5*time.Second)
		s.hangsUp(in)
		s.over(out)
		pass(3 * time.Second)
		before := fmt.Sprint(s.get("/v2/queues/queue_x/statistics"))
		s.restarts()
		if after := fmt.Sprint(s.get("/v2/queues/queue_x/statistics")); after != before {
			s.Errorf("before %s\nafter %s", before, after)
		}
		list := s.get("/v2/queues/queue_x/members").list("data")
		if x, y := doc(list[0].(map[string]any)), doc(list[1].(map[string]any)); x["paused"] != true || x.str("reason") != "lunch" || y.num("answered") != 1 {
			s.Errorf("%v", list)
		}
		in = s.calls(a, did)
		out = s.answers(m[1])
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
	}, undrawn)
}
