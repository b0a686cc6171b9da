package media_test

import (
	"math"
	"strings"
	"testing"

	"github.com/pion/rtp"

	"b2bua/media"
	"b2bua/media/codec"
	"b2bua/media/sdp"
)

// Comfort noise is not offered: far ends that were would leave out what they say
// softly, and a recording has it. Who offers it may send it.
func TestComfortNoiseIsNotAskedFor(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		d, err := sdp.Parse(b.open(media.Options{}).Offer())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range d.Media[0].Formats {
			if f.PT == 13 || f.Name == "CN" {
				t.Errorf("offered %+v", f)
			}
		}
	})
}

// A far end that says what its pauses sound like, once, and then nothing: the other
// one is told, and hears it for as long as the pause lasts.
func TestPauseOfARelay(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice, bob := b.newPeer("10.0.1.1:4000", codec.PCMU), b.newPeer("10.0.1.2:4000", codec.PCMU)
		var sessions []*media.Session
		for _, p := range []*peer{alice, bob} {
			s := b.open(media.Options{})
			offer := describe(p.conn.AddrPort(), p.pt, "PCMU", "a=rtpmap:13 CN/8000")
			offer = []byte(strings.Replace(string(offer), "RTP/AVP 0 101", "RTP/AVP 0 101 13", 1))
			mustAnswer(t, s, offer)
			p.to = s.Stats().Local
			sessions = append(sessions, s)
		}
		media.Bridge(sessions[0], sessions[1])
		tone := func(i int) []byte { return alice.tone(i, 500, 8000) }
		together(func() { alice.talk(50, tone) }, func() { bob.talk(50, tone) })
		alice.raw(&rtp.Packet{Header: rtp.Header{
			Version: 2, PayloadType: 13, SequenceNumber: alice.seq, Timestamp: alice.ts, SSRC: alice.ssrc,
		}, Payload: []byte{40}})
		alice.seq++
		bob.talk(150, tone)
		alice.ts += 150 * 160
		told := 0
		var pause []int16
		for _, h := range bob.all() {
			if h.PayloadType == 13 {
				told++
				continue
			}
			if told > 0 {
				frame := make([]int16, len(h.Payload))
				pause = append(pause, frame[:bob.c.Decode(frame, h.Payload)]...)
			}
		}
		if told != 1 {
			t.Errorf("told of the pause %d times", told)
		}
		if len(pause) > 8*3000 || len(pause) < 80 {
			t.Fatalf("%d samples in the pause", len(pause))
		}
		var sum float64
		for _, v := range pause {
			sum += float64(v) * float64(v)
		}
		if db := 20 * math.Log10(math.Sqrt(sum/float64(len(pause)))/32767); math.Abs(db+40) > 3 {
			t.Errorf("the pause sounds at %.1f dB, want -40", db)
		}
	})
}
