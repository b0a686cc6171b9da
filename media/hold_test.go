package media_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"b2bua/media"
	"b2bua/media/codec"
	"b2bua/media/sdp"
)

// Silence of the far end is told every Timeout while it lasts, and not while on
// hold.
func TestLost(t *testing.T) {
	onBench(t, media.Config{Timeout: 10 * time.Second}, func(b *bench) {
		alice := b.newPeer("10.0.1.1:4000", codec.PCMU)
		var told atomic.Int32
		lost := func() int { return int(told.Load()) }
		s := alice.call(media.Options{OnLost: func() { told.Add(1) }})
		alice.talk(50, func(i int) []byte { return alice.tone(i, 500, 8000) })
		time.Sleep(9 * time.Second)
		if lost() != 0 {
			t.Error("told too early")
		}
		time.Sleep(10 * time.Second)
		if lost() != 1 {
			t.Errorf("told %d times", lost())
		}
		time.Sleep(20 * time.Second)
		if lost() != 3 {
			t.Errorf("told %d times of a silence that goes on", lost())
		}
		told.Store(1)
		alice.talk(50, func(i int) []byte { return alice.tone(i, 500, 8000) })
		if _, err := s.Answer(alice.describe("a=sendonly")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if lost() != 1 || !s.Held() {
			t.Errorf("told %d times, held %v", lost(), s.Held())
		}
		if _, err := s.Answer(alice.describe()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(9 * time.Second)
		if lost() != 1 {
			t.Error("time on hold was counted")
		}
		time.Sleep(2 * time.Second)
		if lost() != 2 {
			t.Errorf("told %d times", lost())
		}
	})
}

// the stream goes on.
func TestHoldStopsSending(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice, bob := b.newPeer("10.0.1.1:4000", codec.PCMU), b.newPeer("10.0.1.2:4000", codec.PCMU)
		a, z := alice.call(media.Options{}), bob.call(media.Options{})
		media.Bridge(a, z)
		nowhere := strings.Replace(string(alice.describe()), "c=IN IP4 10.0.1.1", "c=IN IP4 0.0.0.0", 1)
		together(func() {
			bob.talk(300, func(i int) []byte { return bob.tone(i, 500, 8000) })
		}, func() {
			for _, hold := range [][]byte{alice.describe("a=sendonly"), alice.describe("a=inactive"), []byte(nowhere)} {
				time.Sleep(500 * time.Millisecond)
				if len(alice.all()) == 0 {
					t.Error("nothing before the hold")
				}
				answer, err := a.Answer(hold)
				if err != nil || !a.Held() {
					t.Errorf("held %v: %v", a.Held(), err)
				}
				if d, _ := sdp.Parse(answer); d.Media[0].Direction.Sends() {
					t.Errorf("answered the hold with %s", d.Media[0].Direction)
				}
				time.Sleep(40 * time.Millisecond)
				alice.forget()
				time.Sleep(500 * time.Millisecond)
				if n := len(alice.all()); n != 0 {
					t.Errorf("%d packets into the hold", n)
				}
				if _, err := a.Answer(alice.describe()); err != nil || a.Held() {
					t.Errorf("resumed %v: %v", !a.Held(), err)
				}
				alice.forget()
			}
		})
		if n := len(alice.all()); n < 100 {
			t.Errorf("%d packets after the last hold", n)
		}
	})
}

// Our own hold is offered, and what comes meanwhile is not heard.
func TestOwnHold(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice := b.newPeer("10.0.1.1:4000", codec.PCMU)
		s := b.open(media.Options{})
		first, err := sdp.Parse(s.Offer())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Accept(alice.describe()); err != nil {
			t.Fatal(err)
		}
		alice.to = s.Stats().Local
		s.SetHold(true)
		hold, _ := sdp.Parse(s.Offer())
		if hold.Media[0].Direction != sdp.SendOnly || hold.Origin.Version != first.Origin.Version+1 {
			t.Errorf("hold offers %s, version %d after %d", hold.Media[0].Direction, hold.Origin.Version, first.Origin.Version)
		}
		if err := s.Accept(alice.describe("a=recvonly")); err != nil || s.Held() {
			t.Errorf("held %v: %v", s.Held(), err)
		}
		tap := &ear{}
		s.AddTap(tap)
		alice.talk(50, func(i int) []byte { return alice.tone(i, 500, 8000) })
		s.RemoveTap(tap)
		if l := level(tap.in, 500); l > -60 {
			t.Errorf("heard at %.1f dB", l)
		}
		if len(alice.all()) < 45 {
			t.Errorf("the held far end got %d packets", len(alice.all()))
		}
		s.SetHold(false)
		back, _ := sdp.Parse(s.Offer())
		if back.Media[0].Direction != sdp.SendRecv || back.Origin.Version != first.Origin.Version+2 {
			t.Errorf("resume offers %s, version %d", back.Media[0].Direction, back.Origin.Version)
		}
	})
}
