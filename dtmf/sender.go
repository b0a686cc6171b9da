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
	maxDuration = 8 * time.Second // what one event can say
	// endRepeats is how often the last packet is sent (RFC 4733 §2.5.1.4).
	endRepeats = 3
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
	// all packets of the digit.
	First bool
	// Symbol is the key of this interval, and End says that it is released:
	// what is left is the repetition of the end.
	Symbol byte
	End    bool
}

// Sender paces digits into telephone-event packets, one per interval. It is not
// safe for concurrent use.
type Sender struct {
	interval time.Duration
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

// Queue adds digits to be sent, each for duration and followed by gap; zero
// means the default.
func (s *Sender) Queue(digits string, duration, gap time.Duration) error {
	if !Valid(digits) {
		return fmt.Errorf("dtmf: not a digit among %d", len(digits))
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
	s.elapsed = min(s.elapsed+s.interval, p.duration)
	// -10 dBm0, what every phone sends.
	step.Payload[0], step.Payload[1] = code, 10
	if s.elapsed >= p.duration {
		s.ends++
		step.End = s.ends > 1
		step.Payload[1] |= 0x80
	}
	units := uint16(min(s.elapsed*rate/time.Second, segment))
	binary.BigEndian.PutUint16(step.Payload[2:], units)
	if s.ends == endRepeats {
		s.gap = p.gap - (endRepeats-1)*s.interval
		s.elapsed, s.ends = 0, 0
		s.queue = append(s.queue[:0], s.queue[1:]...)
	}
	return step, true
}
