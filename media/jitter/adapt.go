package jitter

// adapt makes the delay longer when packets come just in time, and shorter when
// all of them came sooner than they had to. Where the sound repeats itself, that
// is not heard; where it does not for half a second, it is done all the same.
func (p *Playout) adapt(f Formats) {
	q := &p.queue
	over := p.overhang()
	if slack, ok := q.spare.tight(); ok && slack-over < q.units(hurry)+q.spare.reserve {
		p.stretch()
		return
	}
	if slack, ok := q.spare.calm(); ok {
		frame := q.units(frameTime)
		// What hangs over costs nothing to be left out; then it is whole frames.
		if most := over + (slack-over-q.units(leisure)-q.spare.reserve)/frame*frame; most >= frame {
			p.compress(f, p.samples(most))
			return
		}
	}
	p.pending = 0
}

// overhang is how much of a packet, in ticks, is decoded at most before the
// frame that it belongs to: a packet must be there when its first sample is
// needed, and gets no more time from having a few samples too many waiting.
func (p *Playout) overhang() int {
	frame := p.queue.units(frameTime)
	ahead := (p.ticks(p.to-p.from-heldBack*p.k) + frame) % frame
	grid := frame
	for n := p.ticks(p.packet); n != 0; {
		grid, n = n, grid%n
	}
	return ahead%grid + frame - grid
}

// regret counts what was made up before it was known to be lost. Where the next
// packet could have helped it is waited for in future.
func (p *Playout) regret() {
	p.stats.Concealed += p.lasting(p.hollow)
	if _, own := p.decoder.(repairer); own {
		p.queue.spare.wantNext(p.ticks(p.packet))
	}
}

func (p *Playout) stretch() {
	p.room(2 * maxPeriod * p.k)
	p.pending++
	n := stretch(p.sound[:], p.from, p.to, p.k, p.pending > patience/2)
	if n == 0 {
		return
	}
	p.to += n
	p.pending = 0
	p.stats.Stretched++
	p.queue.spare.shift(p.ticks(n))
}

func (p *Playout) compress(f Formats, most int) {
	// Two of the longest periods are needed to leave one of them out.
	for p.to-p.from < 2*maxPeriod*p.k+heldBack*p.k && p.queue.used > 0 && p.queue.wait() <= 0 {
		p.decode(f)
	}
	p.pending++
	n := compress(p.sound[p.from:p.to], most, p.k, p.pending > patience)
	if n == 0 {
		return
	}
	p.to -= n
	p.pending = 0
	p.stats.Compressed++
	p.queue.spare.shift(-p.ticks(n))
}

// match goes over to another sample rate, when the far end has changed to a
// codec that has one. What is there is converted roughly: it is a few
// milliseconds, and something for what comes to overlap with.
func (p *Playout) match(d Decoder) {
	rate := d.SampleRate()
	if rate == p.rate {
		if p.decoder != nil && p.decoder != d {
			p.splice()
		}
		return
	}
	if p.from < p.to {
		p.splice()
	}
	up := rate > p.rate
	p.from, p.to = convert(&p.sound, p.from, p.to, up)
	p.rate, p.k = rate, rate/8000
	filled := p.gap.filled
	p.gap = erasure{k: p.k}
	p.packet = 0
	if filled > 0 {
		p.splice()
	}
}

// convert doubles or halves the rate of what sound holds around from, and gives
// where it begins and ends now.
func convert(sound *[soundRoom]int16, from, to int, up bool) (int, int) {
	start := max(from-pastKept, 0)
	if up {
		x := sound[:copy(sound[:], sound[start:to])]
		for i := len(x) - 1; i >= 0; i-- {
			last := x[max(i-1, 0)]
			sound[2*i], sound[2*i+1] = int16((int(last)+int(x[i]))/2), x[i]
		}
		return 2 * (from - start), 2 * (to - start)
	}
	for i := range to / 2 {
		sound[i] = int16((int(sound[2*i]) + int(sound[2*i+1])) / 2)
	}
	return from / 2, to / 2
}
