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

// What waits takes as long as it says, at any moment.
func TestSenderWaiting(t *testing.T) {
	s := NewSender(20 * time.Millisecond)
	if err := s.Queue("1d5", 100*time.Millisecond, 100*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if err := s.Queue("*", time.Second, 200*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	for left := 1800 * time.Millisecond; ; left -= 20 * time.Millisecond {
		// The end is told twice more in the pause.
		if off := s.Waiting() - left; off < 0 || off > 40*time.Millisecond {
			t.Fatalf("%s are left, it says %s", left, s.Waiting())
		}
		if _, busy := s.Next(); !busy {
			return
		}
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

// A press too long for one event goes on as segments at the clock of the codec
// (RFC 4733 §2.5.1.3).
func TestSenderSegments(t *testing.T) {
	s := NewSender(20 * time.Millisecond)
	s.Rate, s.Volume = 48000, 20
	if err := s.Queue("7", 3*time.Second, 0); err != nil {
		t.Fatal(err)
	}
	var last uint32
	full, ends, firsts := 0, 0, 0
	for {
		step, busy := s.Next()
		if !busy {
			break
		}
		if !step.Send {
			continue
		}
		units := uint32(binary.BigEndian.Uint16(step.Payload[2:]))
		if units == 0xffff {
			full++
		}
		if total := step.Later + units; total < last || total-last > 2*960 {
			t.Fatalf("%d units after %d", total, last)
		} else {
			last = total
		}
		if step.First {
			firsts++
		}
		if step.Payload[1]&0x3f != 20 {
			t.Fatalf("volume %d", step.Payload[1]&0x3f)
		}
		if step.Payload[1]&0x80 != 0 {
			ends++
		}
	}
	if full != 2 || ends != 3 || firsts != 1 || last != 144000 {
		t.Errorf("%d full segments, %d ends, %d markers, %d units", full, ends, firsts, last)
	}
}

func TestSenderFlashes(t *testing.T) {
	s := NewSender(20 * time.Millisecond)
	if err := s.Queue("!", 0, 0); err != nil {
		t.Fatal(err)
	}
	if step, _ := s.Next(); step.Payload[0] != 16 || !step.First {
		t.Errorf("%+v", step)
	}
}
