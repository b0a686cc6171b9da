package sip

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestRefreshComesInTimeButNotTooOften(t *testing.T) {
	for _, c := range []struct{ granted, earliest, latest time.Duration }{
		{time.Hour, 48 * time.Minute, 57 * time.Minute},
		{10 * time.Minute, 8 * time.Minute, 10*time.Minute - lifetime},
		{time.Minute, 28 * time.Second, 30 * time.Second},
		{30 * time.Second, 15 * time.Second, 15 * time.Second},
		{time.Second, shortestRefresh, shortestRefresh},
	} {
		for _, chance := range []float64{0, 0.3, 0.999} {
			if got := refreshAfter(c.granted, chance); got < c.earliest || got > c.latest {
				t.Errorf("%v of %v: %v, want %v to %v", chance, c.granted, got, c.earliest, c.latest)
			}
		}
	}
}

func TestBackOff(t *testing.T) {
	for _, c := range []struct {
		code, failures int
		least, most    time.Duration
	}{
		{503, 0, 5 * time.Second, 10 * time.Second},
		{408, 1, 10 * time.Second, 20 * time.Second},
		{500, 4, 80 * time.Second, 160 * time.Second},
		{503, 9, 150 * time.Second, 5 * time.Minute},
		{503, 1000, 150 * time.Second, 5 * time.Minute},
		{403, 0, 15 * time.Second, 30 * time.Second},
		{404, 1, 30 * time.Second, time.Minute},
		{401, 8, 15 * time.Minute, 30 * time.Minute},
		{603, 70, 15 * time.Minute, 30 * time.Minute},
	} {
		if least, most := backOff(c.code, c.failures, 0), backOff(c.code, c.failures, 0.9999999999999999); least != c.least || most < c.most-time.Second || most > c.most {
			t.Errorf("%d after %d: %v to %v, want %v to %v", c.code, c.failures, least, most, c.least, c.most)
		}
	}
}

func TestBackOffStaysInBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		code, failures := rapid.IntRange(0, 699).Draw(t, "code"), rapid.IntRange(0, 1<<40).Draw(t, "failures")
		chance := rapid.Float64Range(0, 0.999).Draw(t, "chance")
		got := backOff(code, failures, chance)
		if got < troubleBase || got > refusalMost || backOff(code, failures+1, chance) < got {
			t.Errorf("%v", got)
		}
	})
}
