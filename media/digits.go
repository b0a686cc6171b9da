package media

import (
	"fmt"
	"time"

	"b2bua/dtmf"
)

// How digits travel between us and a far end. The default is DigitsAuto.
const (
	// DigitsAuto offers telephone-events, hears tones while the far end has none,
	// and takes digits that came by signalling.
	DigitsAuto = "auto"
	// The others go by one kind and hear that alone.
	DigitsEvents = dtmf.MethodRFC4733
	DigitsTones  = dtmf.MethodInband
	DigitsInfo   = dtmf.MethodInfo
)

// keypad is how a session hears digits, in whatever kinds they come.
type keypad struct {
	recv    dtmf.Receiver
	once    dtmf.Once
	stream  uint32 // the SSRC that once was told of last
	heard   [4]dtmf.Press
	relayed [2]uint64 // timestamps of the events relayed last, <<1 | 1
	blocked uint64    // that of the event which has come in another kind already
	tones   *listening
	counts  DigitCounts
}

// DigitCounts is how many digits were heard, by kind.
type DigitCounts struct {
	Events, Tones, Info uint64
	// Again are those that had come in another kind already.
	Again uint64
}

func (c *DigitCounts) add(method string) {
	switch method {
	case dtmf.MethodRFC4733:
		c.Events++
	case dtmf.MethodInband:
		c.Tones++
	case dtmf.MethodInfo:
		c.Info++
	}
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

// blocks reports whether a telephone-event is one whose key the bridge peer has
// been sent already, because it came in another kind first.
func (k *keypad) blocks(p packet, now time.Duration) bool {
	v := uint64(p.ts)<<1 | 1
	if k.blocked == v {
		return true
	}
	if len(p.payload) == 0 || k.hasPassed(p.ts) {
		return false
	}
	symbol, ok := dtmf.Symbol(p.payload[0])
	if ok && k.once.Counted(symbol, dtmf.MethodRFC4733, now) {
		k.blocked = v
		return true
	}
	return false
}

// hearDigit takes one telephone-event packet.
func (s *Session) hearDigit(p packet, now time.Duration) {
	k := &s.digits
	for _, press := range k.recv.Push(k.heard[:0], dtmf.Packet{
		SSRC: p.ssrc, Timestamp: p.ts, Marker: p.marker, Rate: s.leg.terms.eventRate(p.pt), Payload: p.payload,
	}, now) {
		s.tellDigit(press, now)
	}
}

// eventRate is the clock of telephone-events, that of the codec they go with
// (RFC 4733 §2.1); or another one that we offered, as some phones have events at
// 8 kHz alone, whatever they speak.
func (t *terms) eventRate(pt uint8) uint32 {
	for _, f := range t.events {
		if f.PT == pt {
			return uint32(f.Rate)
		}
	}
	return 0
}

// flushDigits ends a digit whose end packets were all lost.
func (s *Session) flushDigits(now time.Duration) {
	k := &s.digits
	for _, press := range k.recv.Flush(k.heard[:0], now) {
		s.tellDigit(press, now)
	}
}

// HearDigit takes a digit that came by signalling. It is told as others are,
// unless the same key press has been heard already.
func (s *Session) HearDigit(d dtmf.Digit) {
	switch s.opts.digits() {
	case DigitsAuto, DigitsInfo:
	default:
		return
	}
	d.Method = dtmf.MethodInfo
	sh := s.lock()
	defer sh.unlock()
	if !s.leg.gone {
		s.tellDigit(dtmf.Press{Digit: d}, s.engine.now())
	}
}

// tellDigit tells the owner, and the bridge peer when it has not got it with the
// sound or the packets that it came in.
func (s *Session) tellDigit(d dtmf.Press, now time.Duration) {
	k := &s.digits
	if ssrc := s.recv.ssrc; k.stream != ssrc {
		k.stream = ssrc
		k.once.Forget()
	}
	if !k.once.Take(d.Digit, now) {
		k.counts.Again++
		return
	}
	k.counts.add(d.Method)
	sh := s.shard.Load()
	if p := s.leg.peer; p != nil && !s.reached(p, d) {
		p.passDigit(sh, d)
	}
	if s.opts.OnDigit != nil {
		sh.later(s, "digit", func() { s.opts.OnDigit(d.Digit) })
	}
}

// reached: the digit has gone to the peer as it came.
func (s *Session) reached(p *Session, d dtmf.Press) bool {
	switch d.Method {
	case dtmf.MethodRFC4733:
		return s.digits.hasPassed(d.Began)
	case dtmf.MethodInband:
		return !s.suppresses(p)
	}
	return false
}

// How long a key of the bridge peer is pressed here at most: nobody chooses for
// how long somebody else hears tones. While keys wait for longer than passedBehind
// each is pressed for as long as any receiver needs, and no longer.
const (
	passedLongest = 5 * time.Second
	passedBehind  = 2 * time.Second
)

// passDigit sends a digit of the bridge peer to the far end.
func (s *Session) passDigit(sh *shard, d dtmf.Press) {
	if s.leg.terms == nil {
		return
	}
	d.Duration = min(d.Duration, passedLongest)
	if s.leg.sender.Waiting() > passedBehind {
		d.Duration = min(d.Duration, dtmf.DefaultDuration)
	}
	s.wake()
	note := func(err error) {
		if err != nil {
			s.log.Warn("digit not passed on", "err", err)
		}
	}
	if s.opts.SendDigit == nil {
		err := s.leg.sender.Queue(string(rune(d.Symbol)), d.Duration, 0)
		if err != nil {
			sh.later(s, "log", func() { note(err) })
		}
		return
	}
	sh.later(s, "digit", func() { note(s.signalDigits(string(rune(d.Symbol)), d.Duration)) })
}

// signalDigits hands digits to the owner, to be sent by signalling.
func (s *Session) signalDigits(digits string, duration time.Duration) error {
	if duration <= 0 {
		duration = dtmf.DefaultDuration
	}
	for i := range len(digits) {
		if _, ok := dtmf.Code(digits[i]); !ok {
			return fmt.Errorf("media: not a digit among %d", len(digits))
		}
	}
	for i := range len(digits) {
		s.opts.SendDigit(dtmf.Digit{Symbol: digits[i], Duration: duration, Method: dtmf.MethodInfo})
	}
	return nil
}

// digits is how they travel, the default filled in.
func (o *Options) digits() string {
	switch {
	case o.Digits != "":
		return o.Digits
	case o.SendDigit != nil:
		return DigitsInfo
	}
	return DigitsAuto
}
