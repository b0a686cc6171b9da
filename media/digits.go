package media

import (
	"fmt"
	"time"

	"b2bua/dtmf"
)

// keypad is how a session hears telephone-events.
type keypad struct {
	recv    dtmf.Receiver
	heard   [2]dtmf.Press
	relayed [2]uint64 // timestamps of the events relayed last, <<1 | 1
}

// passed notes an event whose packets go to the bridge peer as they come.
func (k *keypad) passed(began uint32) {
	v := uint64(began)<<1 | 1
	if k.relayed[0] != v {
		k.relayed[0], k.relayed[1] = v, k.relayed[0]
	}
}

func (k *keypad) hasPassed(began uint32) bool {
	v := uint64(began)<<1 | 1
	return k.relayed[0] == v || k.relayed[1] == v
}

// hearDigit takes one telephone-event packet.
func (s *Session) hearDigit(p packet, now time.Duration) {
	k := &s.digits
	for _, press := range k.recv.Push(k.heard[:0], dtmf.Packet{SSRC: p.ssrc, Timestamp: p.ts, Marker: p.marker, Payload: p.payload}, now) {
		s.tellDigit(press)
	}
}

// flushDigits ends a digit whose end packets were all lost.
func (s *Session) flushDigits(now time.Duration) {
	k := &s.digits
	for _, press := range k.recv.Flush(k.heard[:0], now) {
		s.tellDigit(press)
	}
}

// tellDigit tells the owner, and the bridge peer when its packets did not go
// there as they came.
func (s *Session) tellDigit(d dtmf.Press) {
	s.count.digits++
	sh := s.shard.Load()
	if p := s.leg.peer; p != nil && !s.digits.hasPassed(d.Began) {
		p.passDigit(sh, d)
	}
	if s.opts.OnDigit != nil {
		sh.later(s, "digit", func() { s.opts.OnDigit(d.Digit) })
	}
}

// passDigit sends a digit of the bridge peer to the far end.
func (s *Session) passDigit(sh *shard, d dtmf.Press) {
	if s.leg.terms == nil {
		return
	}
	note := func(err error) {
		if err != nil {
			s.log.Warn("digit not passed on", "err", err)
		}
	}
	if s.opts.SendDigit == nil {
		note(s.leg.sender.Queue(string(d.Symbol), d.Duration, 0))
		return
	}
	sh.later(s, "digit", func() { note(s.signalDigits(string(d.Symbol), d.Duration)) })
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
