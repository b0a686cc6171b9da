//go:build e2e

package e2e

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"b2bua/media/audio"
	"b2bua/testbench/peers"
	"b2bua/testbench/phone"
	"b2bua/testbench/sound"
)

// How many callers speak when the switch is killed; 200 is the figure that is promised.
var killedVoicemails = flag.Int("voicemails", 40, "how many voicemails are cut off by a kill -9")

const (
	voiceTone = 400.0 // of every caller, who never pauses
	voiceIs   = -13.0 // dBm0

	// A message that nobody could doubt: the box wants a second of speech, and one may be missing.
	sureLength = 2500 * time.Millisecond
)

// speaker is a caller with a number of its own.
type speaker struct {
	from   string
	call   *phone.Call
	begins time.Duration // after the first one
	leaves time.Duration // before the kill; 0 stays on the line
	over   time.Time     // when the caller hung up; zero: never
	failed error
}

// said is how much the caller had said after the beep, until the end.
func (c *speaker) said(killed time.Time) time.Duration {
	if c.call == nil {
		return 0
	}
	spans := sound.Tones(c.call.Heard(), 1000, -25)
	if len(spans) == 0 {
		return 0
	}
	beep := spans[len(spans)-1]
	end := killed
	if !c.over.IsZero() && c.over.Before(killed) {
		end = c.over
	}
	return end.Sub(c.call.Stats().First) - beep.To
}

// A process that is killed while many speak loses none of them: every message plays and lacks its last second at
// most, and every one is told of, under one id, by the next process.
func TestVoicemailsOfAKilledSwitch(t *testing.T) {
	n := *killedVoicemails
	s := StartSwitchWith(t, Setup{Trunks: fmt.Sprintf(carrier, nobody(t)), Ports: 4 * max(n, 100)})
	hook := Listen(s)
	s.Create("/v2/voicemail-boxes", doc{"voicemail_box_id": "vmbox_all", "name": "All", "min_duration": 1, "max_messages": 1000})
	s.Flow(rule("voicemail", "vmbox_all"))
	speakers, killed := s.speakUntilKilled(n)
	s.http.CloseIdleConnections()
	s.start()

	want := 0
	said := map[string]time.Duration{}
	for _, c := range speakers {
		if c.failed != nil {
			t.Errorf("%s: %v", c.from, c.failed)
		}
		if said[c.from] = c.said(killed); said[c.from] >= sureLength {
			want++
		}
	}
	if want < n*3/4 {
		t.Errorf("only %d of %d callers had said enough to be judged", want, n)
	}
	messages := map[string]doc{}
	s.eventually("have the messages", 30*time.Second, func() bool {
		messages = s.messagesOf(t, "vmbox_all")
		return len(messages) >= want
	})
	worst, sum := time.Duration(0), 0
	for from, spoken := range said {
		m, there := messages[from]
		if !there {
			if spoken >= sureLength {
				t.Errorf("%s had said %v, and there is no message", from, spoken)
			}
			continue
		}
		sum++
		missing := spoken - s.plays(t, m)
		worst = max(worst, missing)
		if missing > time.Second || missing < -400*time.Millisecond {
			t.Errorf("%s: %v of %v are missing", from, missing, spoken)
		}
	}
	// Whoever asks afterwards has been told of each of them under one id.
	for from, m := range messages {
		id := m.str("message_id")
		hook.AwaitThat("voicemail.received", 20*time.Second, func(d doc) bool { return d.str("message_id") == id })
		if ids := hook.ids("voicemail.received", id); len(ids) != 1 {
			t.Errorf("%s: told under %d ids", from, len(ids))
		}
	}
	t.Logf("%d callers, %d messages, each told of under one id; at most %v missing", n, sum, worst.Round(time.Millisecond))
	for _, m := range messages { // and one by a player that forgives nothing
		peers.ToWAV(t, s.Fetch(m.str("audio_url"), "message.mp3"))
		break
	}
}

// speakUntilKilled has so many callers speak, who began at different times, some of whom hang up at the last moment.
func (s *Switch) speakUntilKilled(n int) (speakers []*speaker, killed time.Time) {
	s.t.Helper()
	conn, err := net.ListenPacket("udp", address(0))
	if err != nil {
		s.t.Fatal(err)
	}
	p, err := phone.New(phone.Config{Name: "callers", Conn: conn})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = p.Close() })
	const spread, longest = 4 * time.Second, 5 * time.Second
	var wg sync.WaitGroup
	for i := range n {
		c := &speaker{from: fmt.Sprintf("+1415556%04d", i), begins: time.Duration(rand.Int64N(int64(spread)))}
		if rand.IntN(3) == 0 {
			c.leaves = 1 + time.Duration(rand.Int64N(int64(700*time.Millisecond)))
		}
		speakers = append(speakers, c)
		wg.Go(func() {
			peers.Talk(c.begins)
			c.call, c.failed = p.Invite(s.t.Context(), s.URI(did), phone.Options{From: c.from})
			if c.failed != nil {
				return
			}
			if c.failed = c.call.WaitState(s.t.Context(), phone.Established); c.failed != nil {
				return
			}
			c.call.SendTone(voiceTone, voiceIs, 30*time.Second)
			if c.leaves > 0 {
				peers.Talk(spread + longest - c.leaves - c.begins)
				c.over = time.Now()
				_ = c.call.Hangup(s.t.Context()) // the switch may be dead by then
			}
		})
	}
	peers.Talk(spread + longest)
	killed = time.Now()
	s.Signal(syscall.SIGKILL)
	s.Wait(10 * time.Second)
	_ = p.Close() // ends whoever waits for the dead
	wg.Wait()
	return speakers, killed
}

// messagesOf are the messages in a box, by their callers, of whom none has two.
func (s *Switch) messagesOf(t *testing.T, box string) map[string]doc {
	t.Helper()
	all := map[string]doc{}
	for cursor := ""; ; {
		page := s.Get("/v2/voicemail-boxes/" + box + "/messages?limit=100&cursor=" + cursor)
		list, _ := page["data"].([]any)
		for _, one := range list {
			m := doc(one.(map[string]any))
			if _, twice := all[m.str("from")]; twice {
				t.Errorf("%s has two messages", m.str("from"))
			}
			all[m.str("from")] = m
		}
		if cursor = page.str("next_cursor"); cursor == "" {
			return all
		}
	}
}

// plays is how long a message is, which holds the caller's voice all along and is what the index says of it.
func (s *Switch) plays(t *testing.T, m doc) time.Duration {
	t.Helper()
	raw, err := os.ReadFile(s.Fetch(m.str("audio_url"), "message.mp3"))
	if err != nil {
		t.Fatal(err)
	}
	clip, err := audio.Decode(bytes.NewReader(raw), audio.Limits{})
	if err != nil {
		t.Errorf("%s does not play: %v", m.str("message_id"), err)
		return 0
	}
	if float64(len(raw)) != m.num("size") {
		t.Errorf("%s has %d bytes, its index says %v", m.str("message_id"), len(raw), m.num("size"))
	}
	clip = clip.Resample(sound.Rate)
	// Piece by piece: on a machine that has too much to do packets come late, and the tone takes up with another phase.
	pieces, there := 0, 0
	for at := 0; at+800 <= len(clip.Samples); at += 800 {
		pieces++
		if sound.ToneLevel(clip.Samples[at:at+800], voiceTone) > voiceIs-3 {
			there++
		}
	}
	if 10*there < 7*pieces {
		t.Errorf("%s: the voice is in %d of %d pieces", m.str("message_id"), there, pieces)
	}
	return sound.Time(len(clip.Samples))
}

// ids are the ids of the events of this name that told of a message.
func (r *Receiver) ids(name, message string) map[string]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	ids := map[string]bool{}
	for _, e := range r.events {
		if e.str("event") == name && e.str("data", "message_id") == message {
			ids[e.str("id")] = true
		}
	}
	return ids
}
