package dtmf

import (
	"encoding/binary"
	"fmt"
	"time"
)

const (
	// DefaultDuration suits every receiver, in-band ones beyond the next gateway
	// included (Q.24 asks for 40 ms).
	DefaultDuration = 100 * time.Millisecond
	// DefaultGap does the same for the pause.
	DefaultGap  = 60 * time.Millisecond
	minDuration = 40 * time.Millisecond
	maxDuration = time.Minute
	// endRepeats is how often the last packet is sent (RFC 4733 §2.5.1.4).
	endRepeats = 3
	// defaultVolume is what every phone says, -10 dBm0.
	defaultVolume = 10
	// maxQueued bounds what may wait to be sent.
	maxQueued = 128
)

// Step is one packet interval of a digit being sent.
type Step struct {
	// Payload is the telephone-event payload of this interval's packet.
	Payload [4]byte
	// Send is false in the pauses between digits.
	Send bool
	// First packets carry the marker bit, and their RTP timestamp is that of
	// all packets of the digit, Later added.
	First bool
	// Later is what the segments of a long press have to be added to the
	// timestamp (RFC 4733 §2.5.1.3).
	Later uint32
	// Symbol is the key of this interval, and End says that it is released:
	// what is left is the repetition of the end.
	Symbol byte
	End    bool
}

// Sender paces digits into telephone-event packets, one per interval. It is not
// safe for concurrent use.
type Sender struct {
	// Rate is the clock of the event's payload type; zero means 8000. It is
	// looked at when a digit begins.
	Rate int
	// Volume is the level that events tell, in dB below 0 dBm0, up to 63; zero
	// means 10.
	Volume byte

	interval time.Duration
	rate     int
	later    uint32 // the segments before
	queue    []pending
	elapsed  time.Duration // of the digit being sent
	ends     int           // end packets sent
	gap      time.Duration // left to be quiet
}

type pending struct {
	symbol        byte
	duration, gap time.Duration
}

// NewSender makes a sender for packets every interval.
func NewSender(interval time.Duration) *Sender { return &Sender{interval: interval} }

// Queue adds digits, or hook flashes, to be sent, each for duration and followed
// by gap; zero means the default.
func (s *Sender) Queue(digits string, duration, gap time.Duration) error {
	for i := range len(digits) {
		if _, ok := Code(digits[i]); !ok {
			return fmt.Errorf("dtmf: not a digit among %d", len(digits))
		}
	}
	if len(s.queue)+len(digits) > maxQueued {
		return fmt.Errorf("dtmf: more than %d digits waiting", maxQueued)
	}
	if duration == 0 {
		duration = DefaultDuration
	}
	if gap == 0 {
		gap = DefaultGap
	}
	duration = min(max(duration, minDuration), maxDuration)
	// The end packets already are 40 ms of pause.
	gap = max(gap, (endRepeats-1)*s.interval)
	for i := range len(digits) {
		s.queue = append(s.queue, pending{digits[i], duration, gap})
	}
	return nil
}

// Busy reports whether something is being sent or waits.
func (s *Sender) Busy() bool { return len(s.queue) > 0 || s.gap > 0 }

// Waiting is how long what is queued will take.
func (s *Sender) Waiting() time.Duration {
	t := s.gap - s.elapsed
	for _, p := range s.queue {
		t += p.duration + p.gap
	}
	return max(t, 0)
}

// Next gives the step of the next interval; busy is false when there is none.
func (s *Sender) Next() (step Step, busy bool) {
	if s.gap > 0 {
		s.gap -= s.interval
		return Step{}, true
	}
	if len(s.queue) == 0 {
		return Step{}, false
	}
	p := s.queue[0]
	code, _ := Code(p.symbol)
	step = Step{Send: true, First: s.elapsed == 0, Symbol: p.symbol}
	if step.First {
		s.later, s.rate = 0, s.Rate
		if s.rate == 0 {
			s.rate = eventRate
		}
	}
	s.elapsed = min(s.elapsed+s.interval, p.duration)
	end := s.elapsed >= p.duration
	if end {
		s.ends++
		step.End = s.ends > 1
	}
	step.Later, step.Payload = s.event(code, end)
	if s.ends == endRepeats {
		s.gap = p.gap - (endRepeats-1)*s.interval
		s.elapsed, s.ends = 0, 0
		s.queue = append(s.queue[:0], s.queue[1:]...)
	}
	return step, true
}

// event writes a payload. The last packet of a segment that goes on says the
// longest duration there is; the next one begins a new segment.
func (s *Sender) event(code byte, end bool) (later uint32, b [4]byte) {
	b[0], b[1] = code, s.Volume&0x3f
	if b[1] == 0 {
		b[1] = defaultVolume
	}
	if end {
		b[1] |= 0x80
	}
	later = s.later
	units := uint32(s.elapsed*time.Duration(s.rate)/time.Second) - later
	for end && units > segment {
		later += segment
		units -= segment
	}
	s.later = later
	if units > segment {
		s.later += segment
		units = segment
	}
	binary.BigEndian.PutUint16(b[2:], uint16(units))
	return later, b
}
