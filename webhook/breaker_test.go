package webhook

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// TestBreaker has a receiver that hangs, and then works again.
func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := false
		r := newReceiver(func(int, hit) (int, http.Header, time.Duration) {
			if up {
				return http.StatusOK, said(decision), time.Second
			}
			return http.StatusOK, nil, time.Hour
		})
		ro := router(r)
		ask := func(address string) (time.Duration, error) {
			begun := time.Now()
			_, _, err := ro.Ask(t.Context(), address, question)
			return time.Since(begun), err
		}
		const bad = "https://bad.example/"
		for i := range 5 {
			if took, err := ask(bad); took != 5*time.Second || errors.Is(err, ErrSkipped) {
				t.Fatalf("question %d: %v after %s", i, err, took)
			}
		}
		if took, err := ask(bad); took != 0 || !errors.Is(err, ErrSkipped) {
			t.Errorf("the sixth: %v after %s", err, took)
		}
		if took, err := ask("https://other.example/"); took != 5*time.Second || errors.Is(err, ErrSkipped) {
			t.Errorf("another address: %v after %s", err, took)
		}
		time.Sleep(25 * time.Second)
		probe := make(chan error)
		go func() {
			_, err := ask(bad)
			probe <- err
		}()
		synctest.Wait()
		if took, err := ask(bad); took != 0 || !errors.Is(err, ErrSkipped) {
			t.Errorf("beside the probe: %v after %s", err, took)
		}
		if err := <-probe; errors.Is(err, ErrSkipped) {
			t.Error("there was no probe")
		}
		if _, err := ask(bad); !errors.Is(err, ErrSkipped) {
			t.Errorf("after a bad probe: %v", err)
		}
		up = true
		time.Sleep(30 * time.Second)
		for range 2 {
			if _, err := ask(bad); err != nil {
				t.Errorf("up again: %v", err)
			}
		}
	})
}

func TestBreakersAreBounded(t *testing.T) {
	b := breakers{after: 1, pause: time.Minute}
	now := time.Now()
	for i := range 3 * maxBreakers {
		b.result(fmt.Sprint(i), now, false)
	}
	if len(b.state) > maxBreakers {
		t.Errorf("%d are remembered", len(b.state))
	}
	b.unasked("unknown")
}
