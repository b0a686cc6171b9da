package stories_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"b2bua/configs"
	"b2bua/flows"
	"b2bua/testbench/phone"
	"b2bua/testbench/sound"
)

// music holds a party to hearing the music on hold now, and no voice.
func (s *stage) music(what string, c *phone.Call) {
	s.Helper()
	before := c.Stats().Received
	pass(time.Second)
	if n := c.Stats().Received - before; n < 45 {
		s.Errorf("%s: %d packets in a second", what, n)
	}
	pcm := last(c, time.Second)
	if level := sound.Level(pcm); level < -30 || level > -14 {
		s.Errorf("%s: music at %.1f dBm0", what, level)
	}
	if sound.Purity(pcm, callerTone) > 0 || sound.Purity(pcm, salesTone) > 0 {
		s.Errorf("%s: a voice, not music", what)
	}
}

// sentNothing holds a party to getting no RTP now.
func (s *stage) sentNothing(what string, c *phone.Call) {
	s.Helper()
	before := c.Stats().Received
	pass(time.Second)
	if n := c.Stats().Received - before; n > 0 {
		s.Errorf("%s is sent %d packets", what, n)
	}
}

// speaks lets both parties say something for a while, without looking at what
// comes of it.
func speaks(calls ...*phone.Call) {
	for i, c := range calls {
		c.SendTone([]float64{callerTone, salesTone}[i%2], toneLevel, 3*time.Second)
	}
}

// old is the hold of RFC 2543.
func old(sdp string) string {
	lines := strings.Split(sdp, "\r\n")
	for i, l := range lines {
		if strings.HasPrefix(l, "c=") {
			lines[i] = "c=IN IP4 0.0.0.0"
		}
	}
	return strings.Join(lines, "\r\n")
}

// ways to put a call on hold.
var ways = []struct {
	name string
	hold func(*stage, *phone.Call) error
}{
	{"sendonly", func(s *stage, c *phone.Call) error { return c.Hold(s.soon()) }},
	{"inactive", func(s *stage, c *phone.Call) error { return c.Reinvite(s.soon(), phone.Inactive) }},
	{"nowhere", func(s *stage, c *phone.Call) error { return c.Reoffer(s.soon(), old) }},
}

// Whoever is held hears music, whoever holds is sent nothing; the hold lasts
// longer than the media time-out.
func TestHoldWithMusic(t *testing.T) {
	for _, by := range []string{"caller", "callee"} {
		for _, way := range ways {
			t.Run(by+" "+way.name, func(t *testing.T) {
				story(t, func(s *stage) {
					s.flow(toSales)
					a, b := s.parties()
					in := s.calls(a, did)
					out := s.answers(b)
					s.until(in, phone.Established)
					s.talk(in, out)
					holder, held := in, out
					if by == "callee" {
						holder, held = out, in
					}
					s.must(way.hold(s, holder))
					pass(time.Second)
					speaks(in, out)
					s.sentNothing("the holder", holder)
					s.music("the held party", held)
					pass(90 * time.Second)
					s.music("the held party, later", held)
					s.must(holder.Resume(s.soon()))
					pass(500 * time.Millisecond)
					s.talk(in, out)
					for _, name := range []string{"call.held", "call.resumed"} {
						if e := s.event(name); e.str("by") != by {
							s.Errorf("%v", e)
						}
					}
					s.hangsUp(in)
					s.over(out)
					s.event("call.completed")
				})
			})
		}
	}
}

// Both hold, and each ends only its own hold (RFC 6337 §5.3).
func TestBothHold(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		s.must(in.Hold(s.soon()))
		pass(time.Second)
		s.music("sales", out)
		s.must(out.Hold(s.soon()))
		pass(time.Second)
		s.sentNothing("the caller", in)
		s.sentNothing("sales", out)
		pass(2 * time.Minute)
		s.must(in.Resume(s.soon()))
		pass(time.Second)
		s.music("the caller", in)
		s.must(out.Resume(s.soon()))
		pass(time.Second)
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	})
}

// relayed has holds told to the parties themselves.
var relayed = config(func(c *configs.Config) {
	for i := range c.Trunks {
		c.Trunks[i].Hold = flows.HoldRelay
	}
})

func TestHoldIsRelayed(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		s.talk(in, out)
		s.must(in.Hold(s.soon()))
		s.must(out.WaitHeld(s.soon(), true))
		pass(time.Second)
		// What the holder plays is heard: it may have music of its own.
		in.SendTone(callerTone, toneLevel, time.Second)
		pass(800 * time.Millisecond)
		s.level("sales hears", last(out, 300*time.Millisecond), callerTone, toneLevel)
		s.sentNothing("the caller", in)
		pass(90 * time.Second)
		s.must(in.Resume(s.soon()))
		s.must(out.WaitHeld(s.soon(), false))
		pass(time.Second)
		s.talk(in, out)
		// Both hold: each is told of the other's, and of its end.
		s.must(in.Hold(s.soon()))
		s.must(out.WaitHeld(s.soon(), true))
		pass(time.Second)
		s.must(out.Reinvite(s.soon(), phone.Inactive))
		pass(time.Second)
		s.must(in.Resume(s.soon()))
		pass(time.Second)
		if !in.Held() {
			s.Error("the caller is not held by sales")
		}
		s.must(out.Resume(s.soon()))
		pass(time.Second)
		if in.Held() || out.Held() {
			s.Errorf("caller held %v, sales held %v", in.Held(), out.Held())
		}
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	}, relayed)
}

// Both hold at the same moment: what is passed on meets an offer the other way,
// and both come through in the end.
func TestHoldsCross(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		insist := func(c *phone.Call, do func(*phone.Call) error) {
			var status *phone.StatusError
			err := do(c)
			for range 5 {
				if !errors.As(err, &status) || status.Code != 491 {
					break
				}
				status = nil
				pass(time.Second)
				err = do(c)
			}
			if err != nil {
				s.Error(err)
			}
		}
		for _, do := range []func(*phone.Call) error{
			func(c *phone.Call) error { return c.Hold(s.soon()) },
			func(c *phone.Call) error { return c.Resume(s.soon()) },
		} {
			wait := s.later(0, func() { insist(out, do) })
			insist(in, do)
			wait()
			pass(10 * time.Second)
		}
		if in.Held() || out.Held() {
			s.Errorf("caller held %v, sales held %v", in.Held(), out.Held())
		}
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
	}, relayed, undrawn)
}

// Who will not be told of a hold hears music.
func TestHoldThatIsNotTaken(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a := s.phone("caller", callerAt, phone.Quirks{})
		b := s.phone("sales", carrierAt, phone.Quirks{Refuse: 488})
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		s.must(in.Hold(s.soon()))
		pass(time.Second)
		s.music("sales", out)
		s.must(in.Resume(s.soon()))
		pass(time.Second)
		s.talk(in, out)
		s.hangsUp(out)
		s.over(in)
		s.event("call.completed")
	}, relayed)
}

// The API parts the two, both hear music, and brings them together again; no
// phone is told anything.
func TestAPIHolds(t *testing.T) {
	story(t, func(s *stage) {
		s.flow(toSales)
		a, b := s.parties()
		in := s.calls(a, did)
		id := s.event("call.initiated").str("call_id")
		if e := s.command(id, "hold", "", http.StatusConflict); e.str("error") != "invalid_call_state" {
			s.Errorf("%v", e)
		}
		out := s.answers(b)
		s.until(in, phone.Established)
		s.talk(in, out)
		if e := s.command(id, "resume", "", http.StatusConflict); e.str("error") != "invalid_call_state" {
			s.Errorf("%v", e)
		}
		s.command(id, "hold", "", http.StatusOK)
		if e := s.event("call.held"); e.str("by") != "api" {
			s.Errorf("%v", e)
		}
		speaks(in, out)
		pass(time.Second)
		s.music("the caller", in)
		s.music("sales", out)
		pass(90 * time.Second)
		s.command(id, "hold", "", http.StatusConflict)
		s.command(id, "resume", "", http.StatusOK)
		if e := s.event("call.resumed"); e.str("by") != "api" {
			s.Errorf("%v", e)
		}
		pass(500 * time.Millisecond)
		s.talk(in, out)
		if trace := s.trace(id); !strings.Contains(trace, "put on hold by the api") || !strings.Contains(trace, "taken off hold by the api") {
			s.Errorf("the trace has no hold: %s", trace)
		}
		// Muted, the caller still hears.
		s.command(id, "mute", "", http.StatusOK)
		s.command(id, "mute", "", http.StatusConflict)
		pass(200 * time.Millisecond)
		speaks(in, out)
		pass(time.Second)
		s.quiet("sales hears", last(out, 500*time.Millisecond), callerTone)
		s.level("the caller hears", last(in, 500*time.Millisecond), salesTone, toneLevel)
		pass(3 * time.Second)
		s.command(id, "unmute", "", http.StatusOK)
		pass(200 * time.Millisecond)
		s.talk(in, out)
		// Who leaves during a hold ends it.
		s.command(id, "hold", "", http.StatusOK)
		pass(time.Second)
		s.hangsUp(out)
		s.over(in)
		s.event("call.completed")
	})
}

// A recording has what was heard: the music, and no voice meanwhile.
func TestRecordingOfAHold(t *testing.T) {
	story(t, func(s *stage) {
		s.create("/v2/call-flows", `{"name": "story", "phone_number": "`+did+`", "routing": [`+toSales+`], "recording": {"enabled": true, "format": "wav"}}`)
		a, b := s.parties()
		in := s.calls(a, did)
		out := s.answers(b)
		s.until(in, phone.Established)
		s.talk(in, out)
		s.must(out.Hold(s.soon()))
		pass(500 * time.Millisecond)
		began := s.event("recording.started")
		out.SendTone(salesTone, toneLevel, 3*time.Second)
		pass(5 * time.Second)
		s.must(out.Resume(s.soon()))
		pass(500 * time.Millisecond)
		s.talk(in, out)
		s.hangsUp(in)
		s.over(out)
		s.event("call.completed")
		done := s.event("recording.completed")
		if done.str("recording_id") != began.str("recording_id") {
			s.Errorf("%v", done)
		}
		pcm := s.clip(s.download(done.str("url")))
		held := sound.Window(pcm, 2*time.Second, 3*time.Second)
		if level := sound.Level(held); level < -32 || level > -14 {
			s.Errorf("the music is recorded at %.1f dBm0", level)
		}
		s.quiet("the recording of the hold", held, salesTone)
	}, undrawn)
}
