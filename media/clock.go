package media

import (
	"slices"
	"time"
)

const (
	// frameTime is the tick of a leg and the packet time we send.
	frameTime = 20 * time.Millisecond
	// sampleRate is that of the telephone, and frameSize a frame of it. Frames of
	// wideband codecs have up to maxFrame samples.
	sampleRate = 8000
	frameSize  = sampleRate / 50
	maxFrame   = 320
	// phases is how many groups of legs a shard ticks one after the other, so
	// that not all packets are sent at one moment.
	phases    = 4
	phaseTime = frameTime / phases
	// catchUp is how many missed ticks are made up for after a stall. What is
	// older is given up: the far end's jitter buffer could not use it.
	catchUp = 25
)

// phase is the legs that tick at the same moment. Legs that are bridged are in
// the same one, so that a frame is heard and spoken in one tick.
type phase struct {
	tick uint64 // the last one; all shards and phases count from the same moment
	legs []*lane
}

// at is when a phase's tick is due.
func at(phase int, tick uint64) time.Duration {
	return time.Duration(tick)*frameTime + time.Duration(phase)*phaseTime
}

// reached is the tick of a phase that is due now.
func reached(phase int, now time.Duration) uint64 {
	return uint64(max(now-time.Duration(phase)*phaseTime, 0) / frameTime)
}

func (p *phase) join(s *Session, phase int, now time.Duration) {
	if len(p.legs) == 0 {
		p.tick = max(p.tick, reached(phase, now)) // nobody has missed those before
	}
	p.legs = append(p.legs, s.lane)
}

func (p *phase) leave(s *Session) bool {
	i := slices.Index(p.legs, s.lane)
	if i < 0 {
		return false
	}
	p.legs = slices.Delete(p.legs, i, i+1)
	return true
}

// emptiest is the phase for a new leg; the lock is held.
func (sh *shard) emptiest() int {
	best := 0
	for k := range sh.phases {
		if len(sh.phases[k].legs) < len(sh.phases[best].legs) {
			best = k
		}
	}
	return best
}

// next is when the next tick is due; any is false when there is nobody to tick for.
// The lock is held.
func (sh *shard) next() (next time.Duration, any bool) {
	for k := range sh.phases {
		if p := &sh.phases[k]; len(p.legs) > 0 {
			if t := at(k, p.tick+1); !any || t < next {
				next, any = t, true
			}
		}
	}
	return next, any
}

// due is until when the loop may wait; zero when nobody waits for it. The lock is
// held.
func (sh *shard) due() time.Time {
	next, any := sh.next()
	switch {
	case any:
	case len(sh.broken) > 0:
		next = sh.engine.now() + time.Second
	default:
		return time.Time{}
	}
	return sh.engine.epoch.Add(next)
}

// advance makes up every tick until now; the lock is held.
func (sh *shard) advance(now time.Duration) {
	for k := range sh.phases {
		if len(sh.phases[k].legs) > 0 {
			sh.catchUp(k, reached(k, now), now)
		}
	}
	sh.remind(now)
}

// catchUp steps a phase until a tick.
func (sh *shard) catchUp(k int, due uint64, now time.Duration) {
	p := &sh.phases[k]
	behind := due - min(p.tick, due)
	if behind > 0 {
		sh.delays.note(now-at(k, p.tick+1), now)
	}
	if behind > 1 {
		sh.late.Add(behind - 1)
	}
	if behind > catchUp {
		p.tick = due - catchUp
		sh.each(p, "skip", func(l *lane) { l.session.skip(int(behind - catchUp)) })
	}
	for p.tick < due {
		p.tick++
		sh.step(p, now)
	}
}

// step is one tick: first everybody is heard, then everybody is spoken to, so
// that a bridge adds no tick of delay whatever the order of its legs. Those that
// are asleep cost one look.
func (sh *shard) step(p *phase, now time.Duration) {
	sh.each(p, "hear", func(l *lane) {
		if now >= l.asleep {
			s := l.session
			s.direct(now)
			s.hear(p.tick, now)
		}
	})
	sh.each(p, "speak", func(l *lane) {
		if now >= l.asleep {
			s := l.session
			s.speak(p.tick, now)
			s.tend(sh, p.tick, now)
			s.asleep = s.sleep()
		}
	})
}

// sleep says until when the clock has nothing to do with a leg, unless it is
// woken: both ways of its bridge are relayed, and go on. Its packets take the short
// way for as long.
func (s *Session) sleep() time.Duration {
	l := &s.leg
	p := l.peer
	s.ahead = nil
	if p == nil || l.writer != p || !s.relaysTo(p) || !p.relaysTo(s) || s.digits.recv.Open() || l.hearing.along > 0 || p.leg.hearing.along > 0 {
		return 0
	}
	s.shorten(p)
	return min(l.checkAt, s.got.lastRTP+staleAfter, p.got.lastRTP+staleAfter)
}

// relaysTo: what the far end says goes to another leg as it is.
func (s *Session) relaysTo(p *Session) bool {
	return s.route != nil && s.route.relay != nil && s.route.relay.to == p
}

// wake has the clock look at a leg and its peer again, because something about
// it has changed.
func (s *Session) wake() {
	s.asleep, s.ahead = 0, nil
	if p := s.leg.peer; p != nil {
		p.asleep, p.ahead = 0, nil
	}
}

// move brings two legs together, on the shard and in the phase of one of them;
// it is false when one is broken. The topology lock is held, so that no leg
// changes its shard meanwhile. Of two phases the earlier one is taken: a frame
// that comes a little early harms nobody, one that comes late is a gap.
func move(s, to *Session) bool {
	home := to.shard.Load()
	from := s.lock()
	if s.leg.gone {
		from.release()
		return false
	}
	from.detach(s)
	from.deafen(s)
	s.shard.Store(home)
	if from == home {
		defer from.release()
		return home.meet(s, to)
	}
	from.rest()
	from.release()
	home.mu.Lock()
	defer home.release()
	return home.meet(s, to)
}

// meet takes a leg on where another is; the lock is held. One that broke on the way
// stays off, one whose sockets cannot be heard here is broken.
func (sh *shard) meet(s, to *Session) bool {
	if s.leg.gone {
		return false
	}
	if err := sh.hear(s); err != nil {
		sh.lose(s, "poll", err, nil)
		return false
	}
	sh.attach(s)
	if to.leg.gone {
		return false
	}
	first := min(s.phase, to.phase)
	for _, l := range []*Session{s, to} {
		if l.phase != first {
			sh.phases[l.phase].leave(l)
			l.phase = first
			sh.phases[first].join(l, first, sh.engine.now())
		}
	}
	return true
}
