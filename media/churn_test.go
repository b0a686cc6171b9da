package media_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"b2bua/media"
	"b2bua/media/codec"
)

// Legs are bridged, parted, tapped, played to and sent digits from several
// goroutines at once, on all clocks, for a minute: every far end hears one
// stream without a gap in its numbers, and everything is returned.
func TestChurn(t *testing.T) {
	onBench(t, media.Config{}, func(b *bench) {
		const legs = 8
		var peers [legs]*peer
		var sessions [legs]*media.Session
		for i := range peers {
			name := codec.PCMU
			if i%4 == 3 {
				name = codec.PCMA
			}
			peers[i] = b.newPeer(fmt.Sprintf("10.0.1.%d:4000", i+1), name)
			sessions[i] = peers[i].call(media.Options{})
		}
		var all sync.WaitGroup
		for _, p := range peers {
			all.Go(func() { p.talk(3000, func(i int) []byte { return p.tone(i, 500, 8000) }) })
		}
		for n := range 4 {
			all.Go(func() { churn(rand.New(rand.NewPCG(1, uint64(n))), sessions[:]) })
		}
		all.Wait()
		for i, p := range peers {
			got := p.all()
			if len(got) < 2900 {
				t.Errorf("peer %d heard %d packets", i, len(got))
			}
			continuousSeq(t, got)
			for _, h := range got {
				if h.SSRC != got[0].SSRC {
					t.Fatalf("peer %d: SSRC changed", i)
				}
			}
		}
	})
}

func churn(r *rand.Rand, sessions []*media.Session) {
	for range 500 {
		a, z := sessions[r.IntN(len(sessions))], sessions[r.IntN(len(sessions))]
		switch r.IntN(8) {
		case 0, 1, 2:
			media.Bridge(a, z)
		case 3:
			media.Unbridge(a, z)
		case 4:
			p := a.Play(media.Beep(100*time.Millisecond, -20))
			if r.IntN(2) == 0 {
				p.Stop()
			}
		case 5:
			tap := &ear{}
			a.AddTap(tap)
			time.Sleep(50 * time.Millisecond)
			a.RemoveTap(tap)
		case 6:
			_ = a.SendDigits("1", 0, 0)
		case 7:
			a.Stats()
		}
		time.Sleep(time.Duration(r.IntN(100)) * time.Millisecond)
	}
}
