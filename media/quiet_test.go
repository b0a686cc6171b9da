package media_test

import (
	"testing"
	"time"

	"b2bua/media"
	"b2bua/media/codec"
)

// Whose bridge peer falls silent gets a packet a second, not fifty; when the peer
// speaks again its first packet says so, and the times between them are right.
func TestSilentPeerCostsAPacketASecond(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		alice, bob := b.newPeer("10.0.1.1:4000", codec.PCMU), b.newPeer("10.0.1.2:4000", codec.PCMU)
		a, z := alice.call(media.Options{}), bob.call(media.Options{})
		media.Bridge(a, z)
		speech := func(i int) []byte { return alice.tone(i, 1000, 8000) }
		alice.talk(50, speech)
		time.Sleep(2 * time.Second)
		bob.forget()
		time.Sleep(10 * time.Second)
		if n := len(bob.all()); n < 9 || n > 11 {
			t.Errorf("%d packets in ten seconds of silence", n)
		}
		last := bob.all()[len(bob.all())-1]
		bob.forget()
		alice.talk(10, speech)
		again := bob.all()
		if len(again) < 8 || !again[0].Marker {
			t.Fatalf("%d packets, the first marked: %v", len(again), len(again) > 0 && again[0].Marker)
		}
		real := again[0].at.Sub(last.at)
		told := time.Duration(again[0].Timestamp-last.Timestamp) * time.Second / 8000
		if d := told - real; d < -40*time.Millisecond || d > 40*time.Millisecond {
			t.Errorf("timestamps are %v apart, the packets %v", told, real)
		}
		if again[0].SequenceNumber != last.SequenceNumber+1 {
			t.Errorf("sequence number %d after %d", again[0].SequenceNumber, last.SequenceNumber)
		}
	})
}
