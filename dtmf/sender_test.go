package dtmf

import (
	"encoding/binary"
	"testing"
	"time"
)

func TestSenderPacesADigit(t *testing.T) {
	s := NewSender(20 * time.Millisecond)
	if err := s.Queue("1d", 100*time.Millisecond, 100*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	var durations []uint16
	ends, firsts, pauses, code := 0, 0, 0, byte(0)
	for {
		step, busy := s.Next()
		if !busy {
			break
		}
		if !step.Send {
			pauses++
			continue
		}
		if step.First {
			firsts++
		}
		if step.Payload[1]&0x80 != 0 {
			ends++
		}
		code = step.Payload[0]
		durations = append(durations, binary.BigEndian.Uint16(step.Payload[2:]))
	}
	if firsts != 2 || ends != 6 || len(durations) != 14 || pauses != 6 || code != 15 {
		t.Errorf("%d firsts, %d ends, %d packets, %d pauses, code %d", firsts, ends, len(durations), pauses, code)
	}
	for i, want := range []uint16{160, 320, 480, 640, 800, 800, 800} {
		if durations[i] != want {
			t.Errorf("packet %d says %d, want %d", i, durations[i], want)
		}
	}
	if s.Busy() {
		t.Error("still busy")
	}
}

func TestSenderRefuses(t *testing.T) {
	s := NewSender(20 * time.Millisecond)
	if s.Queue("12e", 0, 0) == nil {
		t.Error("e is no key")
	}
	if s.Queue(string(make([]byte, 200)), 0, 0) == nil {
		t.Error("no keys at all")
	}
	for range maxQueued {
		if err := s.Queue("1", 0, 0); err != nil {
			t.Fatal(err)
		}
	}
	if s.Queue("1", 0, 0) == nil {
		t.Error("the queue has no end")
	}
}

func TestFrequencies(t *testing.T) {
	for symbol, want := range map[byte][2]float64{'1': {697, 1209}, '5': {770, 1336}, '#': {941, 1477}, 'D': {941, 1633}, 'a': {697, 1633}} {
		low, high, ok := Frequencies(symbol)
		if !ok || low != want[0] || high != want[1] {
			t.Errorf("%c: %v %v %v", symbol, low, high, ok)
		}
	}
	if _, _, ok := Frequencies('x'); ok {
		t.Error("x has tones")
	}
}
