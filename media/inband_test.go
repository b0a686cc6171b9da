package media_test

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"b2bua/dtmf"
	"b2bua/media"
	"b2bua/media/codec"
)

// party is a peer that gives and takes its digits in one kind.
type party struct {
	*peer
	kind    string
	session *media.Session

	mu       sync.Mutex
	told     []byte // by our session: what it pressed
	signaled []byte // what it was sent by signalling
}

func (b *bench) newParty(addr, name, kind string) *party {
	p := &party{peer: b.newPeer(addr, name), kind: kind}
	o := media.Options{Digits: kind, OnDigit: func(d dtmf.Digit) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.told = append(p.told, d.Symbol)
	}}
	if kind == media.DigitsInfo {
		o.SendDigit = func(d dtmf.Digit) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.signaled = append(p.signaled, d.Symbol)
		}
	}
	p.session = p.call(o)
	return p
}

// dial presses keys in the party's kind, with speech between them.
func (p *party) dial(digits string) {
	var tone dtmf.Tone
	for i := range len(digits) {
		p.talk(12, func(i int) []byte { return p.tone(i, 440, 3000) })
		switch p.kind {
		case media.DigitsEvents:
			p.press(digits[i], func(int) bool { return false })
		case media.DigitsInfo:
			p.session.HearDigit(dtmf.Digit{Symbol: digits[i], Duration: 100 * time.Millisecond})
		case media.DigitsTones:
			// Keys begin anywhere in a frame.
			pcm := tone.Append(make([]int16, 23*i%160), digits[i:i+1], 100*time.Millisecond, 100*time.Millisecond)
			pcm = append(pcm, make([]int16, 160-len(pcm)%160)...)
			p.talk(len(pcm)/160, func(f int) []byte { return encode(p.c, pcm[f*160:f*160+160]) })
		}
	}
	p.talk(40, func(i int) []byte { return p.tone(i, 440, 3000) })
}

// got is what digits the party was sent in each kind.
func (p *party) got() (events, tones, signaled string) {
	var r dtmf.Receiver
	var d dtmf.Detector
	for _, h := range p.all() {
		if h.PayloadType == 101 {
			for _, d := range r.Push(nil, dtmf.Packet{SSRC: h.SSRC, Timestamp: h.Timestamp, Payload: h.Payload}, 0) {
				events += string(rune(d.Symbol))
			}
		}
	}
	for _, press := range d.Flush(d.Push(nil, p.audio())) {
		tones += string(rune(press.Symbol))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return events, tones, string(p.signaled)
}

// Keys of each kind arrive in each other kind, once, and in that alone.
func TestDigitsBetweenKinds(t *testing.T) {
	kinds := []string{media.DigitsEvents, media.DigitsTones, media.DigitsInfo}
	for _, from := range kinds {
		for _, to := range kinds {
			for _, law := range []string{codec.PCMU, codec.PCMA} {
				t.Run(from+" to "+to+" by "+law, func(t *testing.T) {
					onBench(t, media.Config{}, func(b *bench) {
						alice, bob := b.newParty("10.0.1.1:4000", codec.PCMU, from), b.newParty("10.0.1.2:4000", law, to)
						media.Bridge(alice.session, bob.session)
						const digits = "15#509D*"
						together(func() { alice.dial(digits) }, func() {
							bob.talk(200, func(i int) []byte { return bob.tone(i, 300, 2000) })
						})
						time.Sleep(time.Second)
						synctest.Wait()
						if string(alice.told) != digits {
							t.Errorf("told %q", alice.told)
						}
						want := map[string]string{to: digits}
						events, tones, signaled := bob.got()
						if events != want[media.DigitsEvents] || tones != want[media.DigitsTones] || signaled != want[media.DigitsInfo] {
							t.Errorf("events %q, tones %q, signalling %q", events, tones, signaled)
						}
						if events, tones, signaled := alice.got(); events+tones+signaled != "" {
							t.Errorf("back came %q %q %q", events, tones, signaled)
						}
						if from == media.DigitsTones && to != from {
							quiet(t, bob.audio())
						}
					})
				})
			}
		}
	}
}

// quiet checks that nothing of keys is left in sound but the first moment: no
// 10 ms have a tone of the columns as loud as keys are.
func quiet(t *testing.T, pcm []int16) {
	t.Helper()
	loud := 0
	for at := 0; at+80 <= len(pcm); at += 40 {
		for _, hz := range []float64{1209, 1336, 1477, 1633} {
			if level(pcm[at:at+80], hz) > -25 {
				loud++
				break
			}
		}
	}
	if loud > 0 {
		t.Errorf("%d times 10 ms of a tone were passed on", loud)
	}
}

// A key that comes as packets, as tones and by signalling, in any order, is one.
func TestDigitsOfSeveralKindsCountOnce(t *testing.T) {
	press := func(p *peer, s *media.Session, kind string, key byte) {
		switch kind {
		case media.DigitsEvents:
			p.press(key, func(int) bool { return false })
		case media.DigitsInfo:
			s.HearDigit(dtmf.Digit{Symbol: key, Duration: 100 * time.Millisecond})
			p.talk(5, func(i int) []byte { return p.tone(i, 440, 3000) })
		case media.DigitsTones:
			pcm := new(dtmf.Tone).Append(nil, string(rune(key)), 100*time.Millisecond, 100*time.Millisecond)
			p.talk(10, func(f int) []byte { return encode(p.c, pcm[f*160:f*160+160]) })
		}
	}
	for _, c := range []struct {
		order  []string
		events bool // were negotiated: then no tones are listened for
	}{
		{[]string{media.DigitsEvents, media.DigitsInfo}, true}, {[]string{media.DigitsInfo, media.DigitsEvents}, true},
		{[]string{media.DigitsEvents, media.DigitsTones, media.DigitsInfo}, true},
		{[]string{media.DigitsTones, media.DigitsInfo}, false}, {[]string{media.DigitsInfo, media.DigitsTones}, false},
	} {
		t.Run(strings.Join(c.order, " "), func(t *testing.T) {
			onBench(t, media.Config{}, func(b *bench) {
				alice, bob := b.newPeer("10.0.1.1:4000", codec.PCMU), b.newParty("10.0.1.2:4000", codec.PCMU, media.DigitsEvents)
				var told []byte
				s := b.open(media.Options{OnDigit: func(d dtmf.Digit) { told = append(told, d.Symbol) }})
				offer := string(alice.describe())
				if !c.events {
					offer = strings.Replace(offer, " 101\r\n", "\r\n", 1)
				}
				if _, err := s.Answer([]byte(offer)); err != nil {
					t.Fatal(err)
				}
				alice.to = s.Stats().Local
				media.Bridge(s, bob.session)
				together(func() {
					for _, key := range "1155#" {
						alice.talk(10, func(i int) []byte { return alice.tone(i, 440, 3000) })
						for _, kind := range c.order {
							press(alice, s, kind, byte(key))
						}
						alice.talk(30, func(i int) []byte { return alice.tone(i, 440, 3000) })
					}
				}, func() { bob.talk(250, func(i int) []byte { return bob.tone(i, 300, 2000) }) })
				time.Sleep(time.Second)
				synctest.Wait()
				if string(told) != "1155#" {
					t.Errorf("told %q", told)
				}
				if events, _, _ := bob.got(); events != "1155#" {
					t.Errorf("passed on %q", events)
				}
				if st := s.Stats().Digits; st.Again != uint64(min(len(c.order), 2)-1)*5 || st.Events+st.Info+st.Tones != 5 {
					t.Errorf("counted %+v", st)
				}
			})
		})
	}
}

// Where a key begins in speech the speech fades: no step in it is larger than
// its own.
func TestSuspectedSoundFades(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice, bob := b.newParty("10.0.1.1:4000", codec.PCMU, media.DigitsTones), b.newParty("10.0.1.2:4000", codec.PCMU, media.DigitsEvents)
		media.Bridge(alice.session, bob.session)
		key := new(dtmf.Tone).Append(make([]int16, 80), "5", 100*time.Millisecond, 100*time.Millisecond)
		const speaks = 31 // then a frame begins where the speech is far from nothing
		together(func() {
			alice.talk(60, func(i int) []byte {
				pcm := sine(i, 440, 3000)
				if at := (i - speaks) * 160; at >= 0 && at < len(key) {
					from := 0
					if i == speaks {
						from = 80
					}
					clear(pcm[from:])
					copy(pcm[from:], key[at+from:])
				}
				return encode(alice.c, pcm)
			})
		}, func() { bob.talk(60, func(i int) []byte { return bob.tone(i, 300, 2000) }) })
		pcm := bob.audio()
		silent := 0
		for i := 1; i < len(pcm); i++ {
			if step := int(pcm[i]) - int(pcm[i-1]); max(step, -step) > 1400 {
				t.Errorf("a step of %d at %d", step, i)
			}
			if pcm[i] == 0 {
				silent++
			}
		}
		if silent < 800 {
			t.Errorf("the key was not silenced: %d samples are", silent)
		}
	})
}

// Tones in a stream that loses every twentieth packet: each key is heard once.
func TestTonesUnderLoss(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice := b.newParty("10.0.1.1:4000", codec.PCMA, media.DigitsTones)
		const digits = "0123456789*#ABCD00112233"
		pcm := new(dtmf.Tone).Append(make([]int16, 8000), digits, 120*time.Millisecond, 120*time.Millisecond)
		pcm = append(pcm, make([]int16, 8000+160-len(pcm)%160)...)
		for f := range len(pcm) / 160 {
			if f%20 == 7 {
				alice.seq++
				alice.ts += 160
			} else {
				alice.send(encode(alice.c, pcm[f*160:f*160+160]))
			}
			time.Sleep(20 * time.Millisecond)
		}
		synctest.Wait()
		if string(alice.told) != digits {
			t.Errorf("told %q", alice.told)
		}
	})
}

// Who takes digits by events is not listened to, and relayed.
func TestListeningOnlyWhereNeeded(t *testing.T) {
	for _, c := range []struct {
		kind    string
		relayed bool
	}{{media.DigitsAuto, true}, {media.DigitsEvents, true}, {media.DigitsInfo, true}, {media.DigitsTones, false}} {
		onBench(t, media.Config{}, func(b *bench) {
			alice, bob := b.newParty("10.0.1.1:4000", codec.PCMU, c.kind), b.newParty("10.0.1.2:4000", codec.PCMU, media.DigitsAuto)
			media.Bridge(alice.session, bob.session)
			alice.talk(20, func(i int) []byte { return alice.tone(i, 440, 3000) })
			if st := alice.session.Stats(); st.Relayed != c.relayed {
				t.Errorf("%s: relayed %v", c.kind, st.Relayed)
			}
		})
	}
}
