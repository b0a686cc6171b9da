package jitter

import "time"

// frameTime is what is played at a time.
const frameTime = 20 * time.Millisecond

// Decoder makes sound of payloads of one kind.
type Decoder interface {
	ClockRate() int
	SampleRate() int
	Decode(dst []int16, payload []byte) int
}

// repairer is a Decoder that makes up sound itself for what was lost. next is the
// payload behind the gap, nil while it is not there.
type repairer interface {
	Repair(dst []int16, next []byte) int
}

// follower is a Decoder with a history that can go along with what was made up.
type follower interface {
	Follow(pcm []int16)
}

// Formats tells what the payload types of a stream stand for.
type Formats interface {
	// Decoder is nil for payload types that carry no sound.
	Decoder(pt uint8) Decoder
	// Noise reports whether pt is comfort noise (RFC 3389).
	Noise(pt uint8) bool
}

const (
	// longest is 120 ms at 16 kHz, the most that is decoded at a time.
	longest = 1920
	// soundRoom holds what was played lately, a frame and a half to come, and
	// the longest packet on top.
	soundRoom = 2*pastKept + 1200 + longest
)

// Playout makes a steady stream of frames of the packets of one far end. It puts
// them in order and holds them back for as long as their way here is unsteady;
// makes up what is missing; and gives way to the far end's clock by leaving out
// or repeating a period of the sound now and then, overlapped so that it cannot
// be heard. It is not safe for concurrent use.
type Playout struct {
	queue   queue
	stats   Stats
	rate    int // of the samples, hertz: 8000 or 16000
	k       int // rate/8000
	decoder Decoder
	packet  int // samples in the last packet

	// sound[from:to] is to be played, what is before has been.
	sound    [soundRoom]int16
	from, to int
	made     [2]int        // where the last hole was filled, in sound
	shown    int           // where the frame given last begins
	held     time.Duration // how long its sound has been held back

	hollow  int // samples made up since the last packet, with none behind
	gap     erasure
	noise   noise
	pending int // frames that a change of the delay has waited for fitting sound
}

// NewPlayout makes a playout whose frames have rate, 8000 or 16000, until a
// packet comes that is decoded to the other one.
func NewPlayout(rate int) *Playout {
	p := &Playout{rate: rate, k: rate / 8000}
	p.queue.stats = &p.stats
	p.gap.k = p.k
	p.Reset()
	return p
}

// Reset forgets everything that waits; the next packet begins a new time line.
// What was played is remembered, so that the sound can go on from there.
func (p *Playout) Reset() {
	p.queue.reset()
	p.to = p.from
	p.pending, p.hollow = 0, 0
	p.noise.on = false
}

// Stats is what befell packets so far.
func (p *Playout) Stats() Stats { return p.stats }

// Running reports whether a stream has begun.
func (p *Playout) Running() bool { return p.queue.running }

// SSRC is that of the stream at hand.
func (p *Playout) SSRC() uint32 { return p.queue.ssrc }

// Rate is that of the frame given last.
func (p *Playout) Rate() int { return p.rate }

// Waiting is how much sound is held back: decoded, and in packets from the time
// that is due to the one that came last.
func (p *Playout) Waiting() time.Duration {
	d := p.lasting(p.to - p.from)
	if q := &p.queue; q.used > 0 {
		ticks := int(int32(q.slot[q.order[q.used-1]].ts-q.pos)) + p.ticks(p.packet)
		d += time.Duration(max(ticks, 0)) * time.Second / time.Duration(q.clock)
	}
	return d
}

// Push takes a packet that came now. Payload types without sound are none of its.
func (p *Playout) Push(f Formats, in Packet, now time.Duration) {
	clock := p.queue.clock
	if d := f.Decoder(in.PT); d != nil {
		clock = d.ClockRate()
	} else if !f.Noise(in.PT) {
		return
	} else if clock == 0 {
		clock = 8000
	}
	p.queue.push(in, clock, now)
}

// Other notes a packet of the stream that carries no sound, such as a
// telephone-event: it is not missing.
func (p *Playout) Other() { p.queue.other++ }

// Frame gives the next 20 ms, valid until the next call.
func (p *Playout) Frame(f Formats, now time.Duration) []int16 {
	frame := p.rate / 50
	p.fill(f, frame)
	if p.queue.running {
		p.adapt(f)
		// A packet may have come with samples of another rate.
		frame = p.rate / 50
		p.fill(f, frame)
	}
	out := p.sound[p.from : p.from+frame]
	p.shown = p.from
	p.held = p.heldBack(now)
	p.from += frame
	p.queue.lastPull = now
	p.queue.ahead = p.ticks(p.to - p.from - heldBack*p.k)
	return out
}

// Last changes the frame that Frame has just given so that it ends with all that
// is decoded: what comes next begins with the next packet. It gives nothing when
// more than a frame would be left out.
func (p *Playout) Last() []int16 {
	frame, over := p.rate/50, p.to-p.from
	if over > frame || p.from < frame {
		return nil
	}
	out := p.sound[p.to-frame : p.to]
	// Over the first three quarters, so that the end is as it is. Backwards,
	// because the samples that fade away lie before, and in, those that they
	// lead to.
	n := frame * 3 / 4
	for i := n - 1; i >= 0; i-- {
		out[i] = mix(p.sound[p.from-frame+i], out[i], i+1, n+1)
	}
	p.from = p.to
	return out
}

// Silent says that what was played last has died away, if there ever was
// anything.
func (p *Playout) Silent() bool { return p.decoder == nil || p.gap.filled >= audible*p.k }

// MadeUp is which samples of the frame given last were made up, from and to,
// because there was nothing to play.
func (p *Playout) MadeUp() (from, to int) {
	frame := p.rate / 50
	from = min(max(p.made[0]-p.shown, 0), frame)
	return from, min(max(p.made[1]-p.shown, from), frame)
}

// Played is the end of what was played, at most so much.
func (p *Playout) Played(d time.Duration) []int16 {
	return p.sound[max(p.from-int(d*time.Duration(p.rate)/time.Second), 0):p.from]
}

// fill decodes until there is a frame, and behind it what is held back so that a
// gap can begin softly.
func (p *Playout) fill(f Formats, frame int) {
	for p.to-p.from < frame+heldBack*p.k {
		p.pull(f, frame+heldBack*p.k-(p.to-p.from))
		frame = p.rate / 50
	}
}

// pull adds a packet's samples, or those of a gap of about need.
func (p *Playout) pull(f Formats, need int) {
	q := &p.queue
	if q.used == 0 {
		if _, own := p.decoder.(repairer); own {
			need = (need + 20*p.k - 1) / (20 * p.k) * (20 * p.k) // whole 2.5 ms, as Opus wants it
		}
		need += need % p.k
		p.conceal(need, nil)
		if q.running {
			q.pos += uint32(p.ticks(need))
			p.hollow += need
		}
		return
	}
	if wait := q.wait(); wait > 0 {
		p.missing(wait, need)
		return
	}
	p.decode(f)
}

// missing fills the time until the oldest packet waiting, of which the packets
// before it have been lost, or never sent.
func (p *Playout) missing(wait, need int) {
	q := &p.queue
	gap := min(wait, max(p.ticks(max(p.packet, need)), 1))
	n := p.samples(gap)
	q.pos += uint32(gap)
	if n == 0 {
		return
	}
	var next []byte
	if q.lost() {
		p.stats.Concealed += p.lasting(n)
		if gap == wait {
			_, next = q.head()
		}
	}
	p.conceal(n, next)
}

// decode uses the oldest packet waiting.
func (p *Playout) decode(f Formats) {
	q := &p.queue
	over := -q.wait()
	s, payload := q.head()
	if q.lost() {
		p.regret()
	}
	p.hollow = 0
	q.take()
	if f.Noise(s.pt) {
		if !p.noise.on {
			p.splice()
		}
		p.noise.set(payload)
		return
	}
	d := f.Decoder(s.pt)
	if d == nil {
		return
	}
	p.match(d)
	p.room(longest)
	n := d.Decode(p.sound[p.to:p.to+longest], payload)
	if n == 0 {
		return
	}
	p.decoder, p.packet = d, n
	if skip := p.samples(over); skip > 0 {
		if skip >= n {
			p.stats.Late++
			return
		}
		copy(p.sound[p.to:], p.sound[p.to+skip:p.to+n])
		n -= skip
	}
	if p.noise.on {
		p.splice()
		p.noise.on = false
	}
	if p.gap.filled > 0 {
		p.gap.end(p.sound[p.to : p.to+n])
	}
	p.to += n
	q.pos += uint32(p.ticks(n))
}

// conceal makes up n samples; next is the packet behind them when it is there.
func (p *Playout) conceal(n int, next []byte) {
	n = min(n, longest)
	p.room(n)
	dst := p.sound[p.to : p.to+n]
	r, own := p.decoder.(repairer)
	switch {
	case p.noise.on:
		p.noise.fill(dst)
		if p.gap.filled > 0 {
			p.gap.end(dst)
		}
	case own && p.queue.running:
		clear(dst[r.Repair(dst, next):])
	default:
		if p.gap.filled == 0 {
			p.gap.begin(p.sound[:p.to], p.to-p.from)
		}
		p.gap.fill(dst)
		if d, ok := p.decoder.(follower); ok && p.queue.running && p.gap.filled < audible*p.k {
			d.Follow(dst)
		}
	}
	if !p.noise.on {
		if p.made[1] != p.to {
			p.made[0] = p.to
		}
		p.made[1] = p.to + n
	}
	p.to += n
}

// splice tells that what comes next does not run on from what is there: it will
// be overlapped, as behind a gap of no length.
func (p *Playout) splice() {
	if p.gap.filled == 0 {
		p.gap.begin(p.sound[:p.to], p.to-p.from)
		p.gap.filled = 1
	}
}

// room makes room for n samples more, by forgetting what was played long ago.
func (p *Playout) room(n int) {
	if p.to+n <= len(p.sound) {
		return
	}
	start := max(p.from-pastKept*p.k, 0)
	copy(p.sound[:], p.sound[start:p.to])
	p.from, p.to, p.shown = p.from-start, p.to-start, p.shown-start
	p.made[0], p.made[1] = p.made[0]-start, p.made[1]-start
}

// ticks is how long so many samples last on the clock of the packets.
func (p *Playout) ticks(samples int) int { return samples * p.queue.clock / p.rate }

// samples is how many of them last so many ticks.
func (p *Playout) samples(ticks int) int {
	if p.queue.clock == 0 {
		return 0
	}
	return ticks * p.rate / p.queue.clock
}

// lasting is the time of so many samples.
func (p *Playout) lasting(samples int) time.Duration {
	return time.Duration(samples) * time.Second / time.Duration(p.rate)
}
