package media

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"b2bua/dtmf"
)

// keypad is how a session hears telephone-events. Its lock is met by events
// only, and held while OnDigit runs, so that digits are told in order.
type keypad struct {
	mu      sync.Mutex
	recv    dtmf.Receiver
	heard   [2]dtmf.Press
	open    atomic.Bool
	relayed [2]atomic.Uint64 // timestamps of the events relayed last, <<1 | 1
}

// passed notes an event whose packets go to the bridge peer as they come.
func (k *keypad) passed(began uint32) {
	v := uint64(began)<<1 | 1
	if last := k.relayed[0].Load(); last != v {
		k.relayed[1].Store(last)
		k.relayed[0].Store(v)
	}
}

func (k *keypad) hasPassed(began uint32) bool {
	v := uint64(began)<<1 | 1
	return k.relayed[0].Load() == v || k.relayed[1].Load() == v
}

// hearDigit takes one telephone-event packet.
func (s *Session) hearDigit(p packet, now time.Duration) {
	k := &s.digits
	k.mu.Lock()
	defer k.mu.Unlock()
	d := k.recv.Push(k.heard[:0], dtmf.Packet{SSRC: p.ssrc, Timestamp: p.ts, Marker: p.marker, Payload: p.payload}, now)
	k.open.Store(k.recv.Open())
	for _, press := range d {
		s.tellDigit(press)
	}
}

// flushDigits ends a digit whose end packets were all lost.
func (s *Session) flushDigits(now time.Duration) {
	k := &s.digits
	k.mu.Lock()
	defer k.mu.Unlock()
	d := k.recv.Flush(k.heard[:0], now)
	k.open.Store(k.recv.Open())
	for _, press := range d {
		s.tellDigit(press)
	}
}

// tellDigit tells the owner, and the bridge peer when its packets did not go
// there as they came.
func (s *Session) tellDigit(d dtmf.Press) {
	s.count.digits.Add(1)
	if p := s.peer.Load(); p != nil && !s.digits.hasPassed(d.Began) {
		if err := p.SendDigits(string(d.Symbol), d.Duration, 0); err != nil {
			s.log.Warn("digit not passed on", "err", err)
		}
	}
	if s.opts.OnDigit != nil {
		s.opts.OnDigit(d.Digit)
	}
}

// signalDigits hands digits to the owner, to be sent by signalling.
func (s *Session) signalDigits(digits string, duration time.Duration) error {
	if duration <= 0 {
		duration = dtmf.DefaultDuration
	}
	for i := range len(digits) {
		if _, ok := dtmf.Code(digits[i]); !ok {
			return fmt.Errorf("media: %q is no digit", digits[i])
		}
	}
	for i := range len(digits) {
		s.opts.SendDigit(dtmf.Digit{Symbol: digits[i], Duration: duration, Method: dtmf.MethodInfo})
	}
	return nil
}
