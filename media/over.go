package media

import "b2bua/media/mixer"

// overlay is sound mixed over what a far end hears anyway.
type overlay struct {
	play  *Playback
	fresh bool  // its first frame is still to come
	last  int16 // its last sample, to fade away from
	limit mixer.Limiter
	frame [maxFrame]int16
}

// PlayOver plays src to the far end over whatever else it hears: its bridge
// peer, a prompt, silence. It is for these ears only: neither the peer hears it
// nor a tap, so that what is whispered to one party is in no recording of the
// conversation. It replaces what was played over before. For sound instead of
// the peer there is Play.
func (s *Session) PlayOver(src Source) *Playback {
	p := &Playback{session: s, source: src, done: make(chan struct{})}
	s.clocked(func() {
		l := &s.leg
		if l.gone {
			p.end(false)
			return
		}
		if l.over == nil {
			l.over = new(overlay)
		}
		l.over.stop()
		l.over.play, l.over.fresh = p, true
	})
	return p
}

// stop ends what is played over; what it leaves behind fades.
func (o *overlay) stop() {
	if o != nil && o.play != nil {
		o.play.end(false)
		o.play = nil
	}
}

// sounding: there is something to mix, if only a fading end. Such a leg needs
// its frames.
func (o *overlay) sounding() bool { return o != nil && (o.play != nil || o.last != 0) }

// mix adds the next frame of what is played over to out, which has a rate.
func (o *overlay) mix(out []int16, rate int) {
	if !o.sounding() {
		return
	}
	f := o.frame[:len(out)]
	if p := o.play; p != nil {
		more := p.fill(f, rate)
		if o.fresh {
			o.fresh = false
			spliced(f, o.last)
		}
		if o.last = f[len(f)-1]; !more {
			o.play = nil
			p.end(true)
		}
	} else {
		spliced(f, o.last)
		o.last = 0
	}
	o.limit.Add(out, out, f)
}

// spliced fades a last sample away over the beginning of another sound, a frame.
func spliced(pcm []int16, last int16) {
	over := declick * len(pcm) / frameSize
	for i := range over {
		pcm[i] = int16((int(last)*(over-i) + int(pcm[i])*i) / over)
	}
}
