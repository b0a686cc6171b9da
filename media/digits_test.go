package media_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"

	"b2bua/dtmf"
	"b2bua/media"
	"b2bua/media/codec"
)

// frames.
func TestDigitsOnceUnderLoss(t *testing.T) {
	for _, far := range []string{codec.PCMU, codec.PCMA} {
		t.Run(far, func(t *testing.T) {
			onBench(t, media.Config{}, func(b *bench) {
				alice, bob := b.newPeer("10.0.1.1:4000", codec.PCMU), b.newPeer("10.0.1.2:4000", far)
				var told, passed []byte
				a := alice.call(media.Options{OnDigit: func(d dtmf.Digit) { told = append(told, d.Symbol) }})
				z := bob.call(media.Options{})
				media.Bridge(a, z)
				const dialled = "1122334455667788990011#"
				lose := func(n int) bool { return n%33 < 1 || n%100 > 60 && n%100 < 64 }
				alice.talk(20, func(i int) []byte { return alice.tone(i, 500, 3000) })
				for i := range len(dialled) {
					alice.press(dialled[i], lose)
					alice.talk(3, func(i int) []byte { return alice.tone(i, 500, 3000) })
				}
				alice.talk(100, func(i int) []byte { return alice.tone(i, 500, 3000) })
				synctest.Wait()
				var r dtmf.Receiver
				for _, h := range bob.all() {
					if h.PayloadType != 101 {
						continue
					}
					for _, d := range r.Push(nil, dtmf.Packet{SSRC: h.SSRC, Timestamp: h.Timestamp, Payload: h.Payload}, time.Since(time.Time{})) {
						passed = append(passed, d.Symbol)
					}
				}
				if string(told) != dialled {
					t.Errorf("told %s, dialled %s", told, dialled)
				}
				if string(passed) != dialled {
					t.Errorf("passed %s, dialled %s", passed, dialled)
				}
			})
		})
	}
}

// press holds a key for 100 ms and sends its packets, except those that are lost.
func (p *peer) press(symbol byte, lose func(n int) bool) {
	s := dtmf.NewSender(20 * time.Millisecond)
	if err := s.Queue(string(symbol), 100*time.Millisecond, 0); err != nil {
		p.b.t.Fatal(err)
	}
	began := p.ts
	for {
		step, busy := s.Next()
		if !busy {
			return
		}
		if step.Send {
			if !lose(int(p.seq)) {
				p.raw(&rtp.Packet{Header: rtp.Header{
					Version: 2, Marker: step.First, PayloadType: 101, SequenceNumber: p.seq, Timestamp: began, SSRC: p.ssrc,
				}, Payload: step.Payload[:]})
			}
			p.seq++
		}
		p.ts += 160
		time.Sleep(20 * time.Millisecond)
	}
}

// hears tones.
func TestSendDigits(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice := b.newPeer("10.0.1.1:4000", codec.PCMU)
		s := alice.call(media.Options{})
		if err := s.SendDigits("15#", 0, 0); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		var r dtmf.Receiver
		var got []byte
		ends := 0
		for _, h := range alice.all() {
			if h.PayloadType != 101 {
				continue
			}
			if h.Payload[1]&0x80 != 0 {
				ends++
			}
			for _, d := range r.Push(nil, dtmf.Packet{SSRC: h.SSRC, Timestamp: h.Timestamp, Payload: h.Payload}, 0) {
				got = append(got, d.Symbol)
				if d.Duration != dtmf.DefaultDuration {
					t.Errorf("duration %s", d.Duration)
				}
			}
		}
		if string(got) != "15#" || ends != 9 {
			t.Errorf("heard %q with %d end packets", got, ends)
		}
		continuousSeq(t, alice.all())

		plain := strings.Replace(string(alice.describe()), " 101\r\n", "\r\n", 1)
		if _, err := s.Answer([]byte(plain)); err != nil {
			t.Fatal(err)
		}
		alice.forget()
		if err := s.SendDigits("5", 200*time.Millisecond, 0); err != nil {
			t.Fatal(err)
		}
		time.Sleep(300 * time.Millisecond)
		pcm := alice.audio()[320:1280]
		if low, high := level(pcm, 770), level(pcm, 1336); low < -14 || high < -12 {
			t.Errorf("tones at %.1f and %.1f dB", low, high)
		}
		if err := s.SendDigits("1x", 0, 0); err == nil {
			t.Error("a letter was sent")
		}
	})
}

func continuousSeq(t *testing.T, got []heard) {
	t.Helper()
	for i := 1; i < len(got); i++ {
		if got[i].SequenceNumber != got[i-1].SequenceNumber+1 {
			t.Fatalf("sequence %d after %d", got[i].SequenceNumber, got[i-1].SequenceNumber)
		}
	}
}

// A far end that pressed its keys in two kinds is transferred to a phone that
// presses them by INFO alone: none is lost.
func TestDigitsAfterATransfer(t *testing.T) {
	for _, how := range []string{"another SSRC", "renegotiated"} {
		t.Run(how, func(t *testing.T) {
			onBench(t, media.Config{}, func(b *bench) {
				alice := b.newPeer("10.0.1.1:4000", codec.PCMU)
				var told []byte
				s := alice.call(media.Options{OnDigit: func(d dtmf.Digit) { told = append(told, d.Symbol) }})
				speech := func(i int) []byte { return alice.tone(i, 500, 3000) }
				info := func(key byte) { s.HearDigit(dtmf.Digit{Symbol: key, Duration: 100 * time.Millisecond}) }
				for _, key := range "12" {
					alice.talk(20, speech)
					alice.press(byte(key), func(int) bool { return false })
					info(byte(key))
				}
				alice.talk(10, speech)
				if how == "renegotiated" {
					mustAnswer(t, s, alice.describe())
				} else {
					alice.ssrc++
				}
				for _, key := range "2345678" {
					alice.talk(20, speech)
					info(byte(key))
				}
				synctest.Wait()
				if string(told) != "122345678" {
					t.Errorf("told %q", told)
				}
			})
		})
	}
}

// However long keys are said to have been held: who hears them hears the first
// for five seconds at most, and is soon done with the others.
func TestDigitsPassedAreNotLong(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice, bob := b.newPeer("10.0.1.1:4000", codec.PCMU), b.newPeer("10.0.1.2:4000", codec.PCMU)
		a, z := alice.call(media.Options{}), bob.call(media.Options{})
		media.Bridge(a, z)
		bob.talk(10, func(i int) []byte { return bob.tone(i, 300, 2000) })
		const digits = "123456789*"
		for i := range len(digits) {
			a.HearDigit(dtmf.Digit{Symbol: digits[i], Duration: time.Minute})
		}
		bob.talk(400, func(i int) []byte { return bob.tone(i, 300, 2000) })
		var r dtmf.Receiver
		var got []byte
		for _, h := range bob.all() {
			if h.PayloadType != 101 {
				continue
			}
			for _, d := range r.Push(nil, dtmf.Packet{SSRC: h.SSRC, Timestamp: h.Timestamp, Payload: h.Payload}, 0) {
				got = append(got, d.Symbol)
				if want := min(5*time.Second, max(dtmf.DefaultDuration, time.Duration(2-len(got))*5*time.Second)); d.Duration != want {
					t.Errorf("%c for %s", d.Symbol, d.Duration)
				}
			}
		}
		if string(got) != digits {
			t.Errorf("passed %q", got)
		}
	})
}

// Some phones have telephone-events at 8 kHz alone, though they speak Opus, whose clock
// is another: their keys are heard, once each, and go on to whoever they talk to.
func TestEventsOfAnotherClock(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice, bob := b.newPeer("10.0.1.1:4000", codec.PCMU), b.newPeer("10.0.1.2:4000", codec.PCMU)
		var told []dtmf.Digit
		a := b.open(media.Options{OnDigit: func(d dtmf.Digit) { told = append(told, d) }})
		at := strings.Index(string(a.Offer()), " opus/48000/2")
		offer := string(a.Offer())
		pt := offer[strings.LastIndex(offer[:at], ":")+1 : at]
		answer := strings.ReplaceAll(string(alice.describe()), "RTP/AVP 0", "RTP/AVP "+pt)
		answer = strings.ReplaceAll(answer, "a=rtpmap:0 PCMU/8000", "a=rtpmap:"+pt+" opus/48000/2")
		if err := a.Accept([]byte(answer)); err != nil || a.Codec() != codec.Opus {
			t.Fatalf("%q, %v", a.Codec(), err)
		}
		alice.to = a.Stats().Local
		z := bob.call(media.Options{})
		media.Bridge(a, z)
		for _, symbol := range []byte("55#") {
			alice.press(symbol, func(int) bool { return false })
		}
		time.Sleep(time.Second)
		synctest.Wait()
		keys := ""
		for _, d := range told {
			keys += string(rune(d.Symbol))
			if d.Duration != 100*time.Millisecond {
				t.Errorf("a key of 100 ms lasts %s", d.Duration)
			}
		}
		var r dtmf.Receiver
		passed := ""
		for _, h := range bob.all() {
			if h.PayloadType != 101 {
				continue
			}
			for _, d := range r.Push(nil, dtmf.Packet{SSRC: h.SSRC, Timestamp: h.Timestamp, Payload: h.Payload}, 0) {
				passed += string(rune(d.Symbol))
			}
		}
		if keys != "55#" || passed != keys {
			t.Errorf("told %q, passed on %q", keys, passed)
		}
	})
}
