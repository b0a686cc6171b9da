package media

import "time"

// declick is how long the last sample of one sound fades into the next, at
// splices: 5 ms.
const declick = sampleRate / 200

// speak makes and sends this tick's frame to the far end, unless the bridge
// peer's packets are relayed.
func (s *Session) speak(tick uint64, now time.Duration) {
	l := &s.leg
	if tick <= l.lastTick {
		return
	}
	if w := l.writer; w != nil {
		if r := w.route; r != nil && r.relay != nil && r.relay.to == s {
			return
		}
		l.reclaim()
	}
	t := l.terms
	may := t != nil && t.sends && (l.sender.Busy() || !l.idle(now))
	if l.credit > 0 && l.play == nil && !l.over.sounding() && !l.sender.Busy() {
		l.credit--
		l.compose(true)
		s.show(l.outFrame(), tick)
		return
	}
	l.credit = 0
	switch {
	case !may:
	case l.paused:
		s.out.resume(now)
		l.spurt = true
	default:
		s.out.ts += frameSize
	}
	if step, busy := l.sender.Next(); busy && may {
		s.speakDigit(step.Send, step.First, step.End, step.Symbol, step.Payload, tick, now)
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
		l.over.mix(l.out[:])
		n := t.encoder.Encode(s.payload(), l.out[:])
		s.sendAudio(t.send[0].PT, n, now)
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
	l.feed, l.last = any(l.writer), 0
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
	if p == nil || l.play != nil || l.over.sounding() || now-p.count.lastRTP <= staleAfter {
		l.quiet = 0
		return false
	}
	l.quiet++
	return l.quiet%quietEvery != 1
}

func (l *leg) outFrame() TapFrame {
	return TapFrame{Dir: Out, FromPeer: l.peer != nil && l.feed == any(l.peer), PCM: l.out[:]}
}

// compose fills out with what the far end is to hear: what plays, else the
// bridge peer, else silence. It returns the playback that ends with it. Nothing
// plays before there is a stream.
func (l *leg) compose(negotiated bool) (done *Playback) {
	var feed any
	switch {
	case l.play != nil && negotiated:
		p := l.play
		feed = p
		more := p.source.Frame(l.out[:])
		p.frames.Add(1)
		if !more {
			done, l.play = p, nil
		}
	case l.peer != nil && l.peer.leg.heard && !l.peer.leg.muted:
		feed = l.peer
		l.out = l.peer.leg.in
	default:
		clear(l.out[:])
	}
	l.splice(feed)
	return done
}

// splice fades the last sample away over the beginning of another sound.
func (l *leg) splice(feed any) {
	if feed != l.feed {
		spliced(l.out[:], l.last)
	}
	l.feed, l.last = feed, l.out[frameSize-1]
}

// sendAudio sends a frame, marked when it does not run on from the last one
// (RFC 3551 §4.1).
func (s *Session) sendAudio(pt uint8, n int, now time.Duration) {
	s.send(pt, s.leg.spurt, s.out.ts, n, now)
	s.leg.spurt = false
}

// skip gives up time that the clock lost: the streams in both directions go on
// where they would be without the stall.
func (s *Session) skip(samples uint32) {
	l := &s.leg
	if l.writer == nil && !l.paused {
		s.out.ts += samples
		l.spurt = true
	}
	if s.route == buffering {
		s.buffer.Advance(int(samples))
	}
}

// payload is where the clock writes what send will send.
func (s *Session) payload() []byte { return s.shard.Load().packet[headerSize:] }

// send sends the payload that was written.
func (s *Session) send(pt uint8, marker bool, ts uint32, n int, now time.Duration) {
	s.out.seq++
	b := s.shard.Load().packet[:headerSize+n]
	putHeader(b, pt, marker, s.out.seq, ts, s.out.ssrc)
	s.transmit(b)
	s.out.sent(n, now)
}

// speakDigit sends one interval of a digit: a telephone-event, or its tones
// when the far end takes no events.
func (s *Session) speakDigit(send, first, end bool, symbol byte, event [4]byte, tick uint64, now time.Duration) {
	l := &s.leg
	t := l.terms
	clear(l.out[:])
	sounding := send && !end
	if !sounding {
		l.tone.Rest()
	} else if t.eventOut < 0 {
		l.tone.Fill(l.out[:], symbol)
	}
	s.show(TapFrame{Dir: Out, PCM: l.out[:]}, tick)
	l.splice(nil)
	switch {
	case t.eventOut < 0:
		n := t.encoder.Encode(s.payload(), l.out[:])
		s.sendAudio(t.send[0].PT, n, now)
	case send:
		if first {
			l.eventTS = s.out.ts
		}
		n := copy(s.payload(), event[:])
		s.send(uint8(t.eventOut), first, l.eventTS, n, now)
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
	last := max(s.count.lastRTP, l.resumed, l.lostTold)
	if now-last < s.opts.Timeout {
		return false
	}
	l.lostTold = now
	return true
}
