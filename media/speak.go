package media

import (
	"time"

	"b2bua/dtmf"
)

// declick is how long the last sample of one sound fades into the next, at
// splices: 5 ms, in samples of 8 kHz.
const declick = sampleRate / 200

// speak makes and sends this tick's frame to the far end, unless the bridge
// peer's packets are relayed.
func (s *Session) speak(tick uint64, now time.Duration) {
	l := &s.leg
	if tick <= l.lastTick {
		return
	}
	if w := l.writer; w != nil {
		if w.relaysTo(s) {
			if len(l.taps) > 0 {
				l.compose(true)
				s.show(l.outFrame(), tick)
			}
			return
		}
		l.reclaim()
	}
	t := l.terms
	may := t != nil && t.sends && (l.sender.Busy() || !l.idle(now))
	if l.credit > 0 && l.play == nil && !l.over.sounding() && !l.sender.Busy() {
		l.credit--
		return
	}
	l.credit = 0
	switch {
	case !may:
	case l.paused:
		s.out.resume(now, t.sendClock())
		l.spurt = true
		l.pack = l.pack[:0]
	default:
		s.out.ts += units(frameTime, t.sendClock())
	}
	l.sender.Rate = t.sendClock()
	if step, busy := l.sender.Next(); busy && may {
		s.speakDigit(step, tick, now)
		return
	}
	done := l.compose(t != nil)
	if t != nil && !may {
		// What a far end does not hear is not said: no recording has it.
		l.feed, l.last = nil, 0
		clear(l.out[:])
	}
	s.show(l.outFrame(), tick)
	if may {
		l.over.mix(l.speech(), t.rate())
		s.sendFrame(now)
	}
	l.paused = !may
	if done != nil {
		done.end(true)
	}
}

// reclaim: the relay has ended, the stream is the clock's again.
func (l *leg) reclaim() {
	if l.writer == nil {
		return
	}
	l.feed = any(l.writer)
	l.writer = nil
	l.paused = true
}

// quietEvery is how often a far end gets a packet while its bridge peer sends
// none: it keeps the way through NAT open (RFC 6263 §4.6), and a far end content
// that waits for sound.
const quietEvery = 50 // frames: one second

// idle: the bridge peer has sent nothing for a while, nor does anything play.
func (l *leg) idle(now time.Duration) bool {
	p := l.peer
	if p == nil || l.play != nil || l.over.sounding() || now-p.got.lastRTP <= staleAfter {
		l.quiet = 0
		return false
	}
	l.quiet++
	return l.quiet%quietEvery != 1
}

func (l *leg) outFrame() TapFrame {
	f := TapFrame{Dir: Out, FromPeer: l.peer != nil && l.feed == any(l.peer), PCM: l.speech(), Rate: l.terms.rate()}
	if f.FromPeer {
		h := &l.peer.leg.hearing
		if f.Held = h.held; h.rate != f.Rate {
			f.Held += convertTime
		}
	}
	return f
}

// speech is the frame to be sent.
func (l *leg) speech() []int16 { return l.out[:l.terms.rate()/50] }

// compose fills out with what the far end is to hear: what plays, else the
// bridge peer, else silence. It returns the playback that ends with it. Nothing
// plays before there is a stream.
func (l *leg) compose(negotiated bool) (done *Playback) {
	var feed any
	out, rate := l.speech(), l.terms.rate()
	switch {
	case l.play != nil && negotiated:
		p := l.play
		feed = p
		if !p.fill(out, rate) {
			done, l.play = p, nil
		}
	case l.peer != nil && l.peer.leg.hearing.pcm != nil && !l.peer.leg.muted:
		feed = l.peer
		if l.feed != feed {
			l.convert.rest()
		}
		h := &l.peer.leg.hearing
		l.convert.frame(out, rate, h.pcm, h.rate)
	default:
		clear(out)
	}
	l.splice(feed)
	return done
}

// splice fades the last sample away over the beginning of another sound.
func (l *leg) splice(feed any) {
	out := l.speech()
	if feed != l.feed {
		spliced(out, l.last)
	}
	l.feed, l.last = feed, out[len(out)-1]
}

// sendFrame sends the frame in packets of the length that the far end asks for:
// several at once, or one when enough has come together.
func (s *Session) sendFrame(now time.Duration) {
	l := &s.leg
	t := l.terms
	out := l.speech()
	if t.ptime == frameTime && len(l.pack) == 0 {
		s.sendAudio(out, s.out.ts, now)
		return
	}
	if len(l.pack) == 0 {
		l.packTS = s.out.ts
	}
	l.pack = append(l.pack, out...)
	rate := t.encoder.SampleRate()
	n := int(t.ptime) * rate / int(time.Second)
	sent := 0
	for ; len(l.pack)-sent >= n; sent += n {
		s.sendAudio(l.pack[sent:sent+n], l.packTS, now)
		l.packTS += units(t.ptime, t.sendClock())
	}
	l.pack = l.pack[:copy(l.pack, l.pack[sent:])]
}

// sendAudio sends sound, marked when it does not run on from the last (RFC 3551
// §4.1).
func (s *Session) sendAudio(pcm []int16, ts uint32, now time.Duration) {
	t := s.leg.terms
	n := t.encoder.Encode(s.payload(), pcm)
	if n == 0 {
		return
	}
	s.send(t.send[0].PT, s.leg.spurt, ts, n, now)
	s.leg.spurt = false
}

// skip gives up time that the clock lost: the streams in both directions go on
// where they would be without the stall.
func (s *Session) skip(frames int) {
	l := &s.leg
	if l.writer == nil && !l.paused {
		s.out.ts += uint32(frames) * units(frameTime, l.terms.sendClock())
		l.spurt = true
		l.pack = l.pack[:0]
	}
	if s.route == buffering && l.hearing.playout != nil {
		l.hearing.playout.Skip(frames)
	}
}

// payload is where the clock writes what send will send.
func (s *Session) payload() []byte { return s.shard.Load().packet[headerSize:] }

// send sends the payload that was written.
func (s *Session) send(pt uint8, marker bool, ts uint32, n int, now time.Duration) {
	s.out.seq++
	b := s.shard.Load().packet[:headerSize+n]
	putHeader(b, pt, marker, s.out.seq, ts, s.out.ssrc)
	s.out.sent(n, s.transmit(b), now)
}

// speakDigit sends one interval of a digit: a telephone-event, or its tones
// when the far end takes no events.
func (s *Session) speakDigit(step dtmf.Step, tick uint64, now time.Duration) {
	l := &s.leg
	t := l.terms
	out := l.speech()
	clear(out)
	if !step.Send || step.End {
		l.tone.Rest()
	} else if t.eventOut < 0 {
		l.tone.Rate = t.rate()
		l.tone.Fill(out, step.Symbol)
	}
	s.show(TapFrame{Dir: Out, PCM: out, Rate: t.rate()}, tick)
	l.splice(nil)
	switch {
	case t.eventOut < 0:
		s.sendFrame(now)
	case step.Send:
		l.pack = l.pack[:0]
		if step.First {
			l.eventTS = s.out.ts
		}
		n := copy(s.payload(), step.Payload[:])
		s.send(uint8(t.eventOut), step.First, l.eventTS+step.Later, n, now)
	}
	l.paused = false
}

// tend does what is due now and then: digits whose end was lost, a stream that
// has stopped, reports.
func (s *Session) tend(sh *shard, tick uint64, now time.Duration) {
	l := &s.leg
	l.lastTick = tick
	if s.digits.recv.Open() {
		s.flushDigits(now)
	}
	if now < l.checkAt {
		return
	}
	l.checkAt = now + time.Second/2
	if s.lost(now) {
		sh.later(s, "lost", s.tellLost)
	}
	s.worn(sh)
	s.answered(now)
	s.reportDue(now)
}

// lost tells that nothing has come for too long, while something should, and
// again when that lasts as long once more.
func (s *Session) lost(now time.Duration) bool {
	l := &s.leg
	t := l.terms
	if t == nil || t.held || !t.receives {
		l.resumed = now
		return false
	}
	last := max(s.got.lastRTP, s.count.sign, l.resumed, l.lostTold)
	if now-last < s.opts.Timeout {
		return false
	}
	l.lostTold = now
	return true
}
