package media_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtp"

	"b2bua/dtmf"
	"b2bua/media"
	"b2bua/media/codec"
)

type badTap struct{ dir media.Direction }

func (b badTap) Frame(f media.TapFrame) {
	if f.Dir == b.dir {
		panic("tap")
	}
}

type badSource struct{}

func (badSource) Frame([]int16) bool { panic("source") }

// pages is a log that may be written by several goroutines.
type pages struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (p *pages) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.Write(b)
}

func (p *pages) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.String()
}

// A panic ends the sound of the leg it happened on, and of no other: the owner
// is told, until he closes it, the log has it once, nobody waits for ever.
func TestPanicEndsOneLeg(t *testing.T) {
	for name, fault := range map[string]func(s *media.Session, p *peer){
		"tap, heard":  func(s *media.Session, _ *peer) { s.AddTap(badTap{media.In}) },
		"tap, spoken": func(s *media.Session, _ *peer) { s.AddTap(badTap{media.Out}) },
		"source":      func(s *media.Session, _ *peer) { s.Play(badSource{}) },
		"digit, by the reader": func(_ *media.Session, p *peer) {
			for i := range 5 {
				e := byte(0)
				if i > 2 {
					e = 0x80
				}
				p.raw(&rtp.Packet{Header: rtp.Header{
					Version: 2, PayloadType: 101, SequenceNumber: p.seq, Timestamp: p.ts, SSRC: p.ssrc, Marker: i == 0,
				}, Payload: []byte{5, e | 10, 3, 32}})
				p.seq++
			}
			p.ts += 800
		},
	} {
		t.Run(name, func(t *testing.T) {
			onBench(t, media.Config{Timeout: 10 * time.Second}, func(b *bench) { breakOne(t, b, fault) })
		})
	}
}

func breakOne(t *testing.T, b *bench, fault func(s *media.Session, p *peer)) {
	alice, bob, carol := b.newPeer("10.0.1.1:4000", codec.PCMU), b.newPeer("10.0.1.2:4000", codec.PCMU), b.newPeer("10.0.1.3:4000", codec.PCMU)
	var log pages
	var lost atomic.Int32
	a := alice.call(media.Options{
		OnLost:  func() { lost.Add(1); panic("owner") },
		OnDigit: func(dtmf.Digit) { panic("digit") },
		Log:     slog.New(slog.NewTextHandler(&log, nil)),
	})
	z, c := bob.call(media.Options{}), carol.call(media.Options{})
	media.Bridge(a, z)
	prompt := c.Play(media.Beep(2*time.Second, -10))
	tone := func(p *peer) func(int) []byte { return func(i int) []byte { return p.tone(i, 500, 8000) } }
	together(
		func() { alice.talk(20, tone(alice)); fault(a, alice); alice.talk(80, tone(alice)) },
		func() { bob.talk(100, tone(bob)) })
	if lost.Load() != 1 {
		t.Errorf("told %d times", lost.Load())
	}
	if n := strings.Count(log.String(), "media leg broken"); n != 1 || !strings.Contains(log.String(), "stack=") {
		t.Errorf("logged %d times:\n%s", n, &log)
	}
	<-a.Play(media.HoldMusic()).Done()
	a.AddTap(&ear{})
	if !prompt.Finished() && prompt.Played() < 1900*time.Millisecond {
		t.Errorf("another leg's prompt stands at %s", prompt.Played())
	}
	alice.forget()
	media.Bridge(z, a)
	time.Sleep(10 * time.Second)
	if lost.Load() != 2 || len(alice.all()) != 0 {
		t.Errorf("told %d times, %d packets sent", lost.Load(), len(alice.all()))
	}
	continuous(t, bob.all(), 600*time.Millisecond)
	// Whom it was bridged to can be bridged anew.
	media.Bridge(z, c)
	bob.forget()
	carol.talk(50, tone(carol))
	if l := level(bob.audio()[3200:], 500); l < -12.5 {
		t.Errorf("the peer's next peer is heard at %.1f dB", l)
	}
	a.Close()
	time.Sleep(time.Minute)
	if lost.Load() != 2 {
		t.Errorf("told %d times, closed", lost.Load())
	}
}
