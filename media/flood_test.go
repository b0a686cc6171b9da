package media_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"b2bua/media"
)

// 50,000 packets a second of a stranger at one port, for two seconds: the other calls
// get all of theirs, and the stranger is heard by nobody.
func TestSteadyFlood(t *testing.T) {
	const rate, lasting = 50_000, 2 * time.Second
	onSockets(t, func(t *testing.T, e *media.Engine) {
		a, z, flooded := calls(t, e), calls(t, e), calls(t, e)
		relayed(a, z)
		tape := &crier{}
		flooded.session.AddTap(tape)
		mallory := newFar(t, "127.0.0.2")
		mallory.to = flooded.to
		var sent atomic.Uint32
		var spraying sync.WaitGroup
		began := time.Now()
		spraying.Go(func() {
			beat := time.NewTicker(time.Millisecond)
			defer beat.Stop()
			for elapsed := time.Duration(0); elapsed < lasting; elapsed = time.Since(began) {
				for due := uint32(elapsed.Seconds() * rate); sent.Load() < due; sent.Add(1) {
					mallory.say(1)
				}
				<-beat.C
			}
		})
		passed := 0
		for ; time.Since(began) < lasting; passed += 2 {
			a.passes(z)
			z.passes(a)
		}
		spraying.Wait()
		st := flooded.session.Stats()
		t.Logf("%d packets in %s at one port, %d of them seen; %d of another call relayed meanwhile, none lost", sent.Load(), time.Since(began).Round(time.Millisecond), st.Refused, passed)
		flooded.session.RemoveTap(tape)
		if tape.heard != 0 || st.PacketsReceived != 0 || st.Remote != flooded.at() || st.Refused == 0 {
			t.Errorf("%d frames of the stranger: %+v", tape.heard, st)
		}
	})
}
