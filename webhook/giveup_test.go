package webhook

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2bua/store"
)

func TestGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBook("a")
		r := newReceiver(func(int, hit) (int, http.Header, time.Duration) { return http.StatusGone, nil, time.Second })
		d := start(t, b, r, Config{})
		for n := range 5 {
			d.tell("call_1", n)
		}
		time.Sleep(2 * time.Second)
		d.tell("call_1", 6)
		time.Sleep(time.Hour)
		if len(r.got()) != 1 || !strings.Contains(b.whyDisabled(), "410") {
			t.Errorf("%d attempts, disabled: %q", len(r.got()), b.whyDisabled())
		}
		if s := d.Stats(); s != (Stats{Failed: 1, Dropped: 4}) {
			t.Errorf("stats %+v", s)
		}
		d.stop()
	})
}

// TestDisabledAfterADay has a receiver that is down, with calls coming in all
// the time.
func TestDisabledAfterADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, r := newBook("a"), newReceiver(always(0))
		d := start(t, b, r, Config{})
		for n := range 47 {
			d.tell(fmt.Sprint("call_", n), 1)
			time.Sleep(30 * time.Minute)
		}
		if b.whyDisabled() != "" {
			t.Fatal("disabled too early")
		}
		time.Sleep(time.Hour)
		d.tell("call_99", 1)
		synctest.Wait()
		if !strings.Contains(b.whyDisabled(), "24h") || d.Stats().Waiting != 0 {
			t.Errorf("disabled: %q, %+v", b.whyDisabled(), d.Stats())
		}
		b.change("a", func(w *store.Webhook) { w.Active = true })
		b.mu.Lock()
		delete(b.disabled, "a")
		b.mu.Unlock()
		d.tell("call_100", 1)
		synctest.Wait()
		if b.whyDisabled() != "" {
			t.Error("enabled, and disabled again by one failure")
		}
		d.stop()
	})
}

// TestTwoFailuresADayApart is no reason to disable.
func TestTwoFailuresADayApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, r := newBook("a"), newReceiver(always(http.StatusBadRequest))
		d := start(t, b, r, Config{})
		for n := range 2 {
			d.tell("call_1", n)
			time.Sleep(25 * time.Hour)
		}
		if b.whyDisabled() != "" {
			t.Errorf("disabled: %q", b.whyDisabled())
		}
		d.stop()
	})
}

func TestDeletedWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, r := newBook("a"), newReceiver(always(http.StatusBadGateway))
		d := start(t, b, r, Config{})
		d.tell("call_1", 1)
		synctest.Wait()
		b.mu.Lock()
		b.hooks = nil
		b.mu.Unlock()
		time.Sleep(time.Hour)
		d.mu.Lock()
		lanes := len(d.lanes)
		d.mu.Unlock()
		if len(r.got()) != 1 || lanes != 0 || d.Stats().Dropped != 1 {
			t.Errorf("%d attempts, %d lanes, %+v", len(r.got()), lanes, d.Stats())
		}
		d.stop()
	})
}

func TestBoundedQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, r := newBook("a"), newReceiver(always(http.StatusBadGateway))
		d := start(t, b, r, Config{MaxWaiting: 10})
		for n := range 25 {
			d.tell("call_1", n)
		}
		synctest.Wait()
		if s := d.Stats(); s.Waiting != 10 || s.Dropped != 15 {
			t.Errorf("stats %+v", s)
		}
		d.stop()
	})
}

// TestDrain stops while events are under way, ready, and waiting for a retry:
// each is tried once more, and Run ends.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := false
		r := newReceiver(func(int, hit) (int, http.Header, time.Duration) {
			if up {
				return http.StatusOK, nil, 100 * time.Millisecond
			}
			return http.StatusBadGateway, nil, 0
		})
		b := newBook("a")
		d := start(t, b, r, Config{})
		for n := range 20 {
			d.tell("call_1", n)
			d.tell("call_2", n)
		}
		synctest.Wait()
		up = true
		d.tell("call_3", 1)
		begun := time.Now()
		d.stop()
		if s := d.Stats(); s.Delivered != 41 || s.Waiting != 0 || time.Since(begun) > 3*time.Second {
			t.Errorf("stats %+v after %s", s, time.Since(begun))
		}
		if log := b.deliveries(); len(log) != 41 {
			t.Errorf("%d in the log", len(log))
		}
	})
}

// TestDrainGivesUp stops with a receiver that hangs.
func TestDrainGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBook("a")
		r := newReceiver(func(int, hit) (int, http.Header, time.Duration) { return http.StatusOK, nil, time.Hour })
		d := start(t, b, r, Config{})
		for n := range 20 {
			d.tell("call_1", n)
			d.tell("call_2", n)
		}
		synctest.Wait()
		begun := time.Now()
		d.stop()
		if s := d.Stats(); s.Waiting != 0 || s.Dropped != 40 || time.Since(begun) != 5*time.Second {
			t.Errorf("stats %+v after %s", s, time.Since(begun))
		}
		for _, one := range b.deliveries() {
			if one.Result != store.DeliveryDropped || !strings.Contains(one.Reason, "the switch stopped") {
				t.Errorf("the log: %+v", one)
			}
		}
	})
}

// TestLogFailure has a disk that is full: deliveries go on.
func TestLogFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, r := newBook("a"), newReceiver(always(http.StatusOK))
		b.fails = true
		d := start(t, b, r, Config{})
		for n := range 10 {
			d.tell("call_1", n)
		}
		synctest.Wait()
		if d.Stats().Delivered != 10 {
			t.Errorf("stats %+v", d.Stats())
		}
		d.stop()
	})
}
