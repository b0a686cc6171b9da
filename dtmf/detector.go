package dtmf

import "time"

// The times of the detector, in samples at 8 kHz.
const (
	ms = toneRate / 1000
	// minTone is how long the tones of a key last at least. ITU-T Q.24 asks for
	// 40 ms to be taken and for 23 to be refused.
	minTone = 34 * ms
	// maxBreak is the longest interruption that does not end a key; 10 ms are to
	// be ignored, 30 to be seen.
	maxBreak = 20 * ms
	// maxLost bounds how much of a lost piece of sound is not counted as an
	// interruption: three packets.
	maxLost = 60 * ms
	// maxBeside is how much of a pause next to lost sound may be an interruption.
	// A key is released where silence is heard: 30 ms of it are 10 when a packet
	// is lost of them.
	maxBeside = 5 * ms
	// unseen is how much of a key's beginning may have been heard before it shows.
	unseen = 15 * ms
	// minWindow is the least energy worth looking at, two tones just under the
	// lowest level.
	minWindow = 2 * block * 900
	// history is how many blocks are kept.
	history = 20
	// judged is the length of a run, in windows, at which a key is decided on,
	// and again after every retry until it is one.
	judged = 7
	retry  = 8
	// shortest is the shortest run that can be measured.
	shortest = 5
	// suspicious is the length of a run that may become a key.
	suspicious = 3
)

// Detector hears keys in sound of 8000 samples a second. A key is told when it
// is released, with its length. The zero value is ready; it takes 2 kB and makes
// no garbage. It is not safe for concurrent use.
type Detector struct {
	now    int64 // samples heard or lost before the block that is being filled
	filled int
	count  int // blocks in the history that follow each other
	newest int // where the block being filled is in the history
	sound  [history][block]int16
	before spectrum
	run    run
	pieces piece // of a key too short to be one so far
	scrap  scrap // of a key in even shorter pieces
	key    piece // the key that is down
	down   bool
	doubt  bool    // the run goes on with the key, or presses it again
	lost   [2]loss // the last ones
}

// run is a sequence of windows, each 10 ms and 5 ms after the one before, with
// one pair of tones.
type run struct {
	row, col int8
	windows  int
	start    int64 // about where the tones began
}

// Push takes the next samples and appends the keys that were released in them
// to dst. A press began at sample Began of the sound.
func (d *Detector) Push(dst []Press, pcm []int16) []Press {
	for len(pcm) > 0 {
		n := copy(d.sound[d.newest][d.filled:], pcm)
		d.filled += n
		pcm = pcm[n:]
		if d.filled == block {
			dst = d.hop(dst)
		}
	}
	return dst
}

// Gap says that the next n samples were lost on their way. What they held is not
// known: a key that is down before and after was down all the time.
func (d *Detector) Gap(dst []Press, n int) []Press {
	if n <= 0 {
		return dst
	}
	at := d.now + int64(d.filled)
	if last := &d.lost[0]; last.to == at && at > 0 {
		last.to += int64(n)
	} else {
		d.lost[1], d.lost[0] = d.lost[0], loss{at, at + int64(n)}
	}
	if n <= maxLost {
		var silence [maxLost]int16
		return d.Push(dst, silence[:n])
	}
	dst = d.mend(d.endRun(dst, d.now, 0))
	d.now += int64(n + d.filled)
	d.filled, d.count = 0, 0
	return d.release(dst)
}

// Flush tells the key that is down: the sound has ended.
func (d *Detector) Flush(dst []Press) []Press {
	dst = d.mend(d.endRun(dst, d.now, 0))
	if d.down {
		dst = d.tell(dst)
	}
	d.filled, d.count, d.pieces = 0, 0, piece{}
	return dst
}

// Down is the key that is down now.
func (d *Detector) Down() (symbol byte, ok bool) {
	return keypad[d.key.row][d.key.col], d.down
}

// Suspect reports whether the sound may be the beginning of a key, or is one.
func (d *Detector) Suspect() bool { return d.down || d.run.windows >= suspicious }

// hop takes a block that was filled.
func (d *Detector) hop(dst []Press) []Press {
	var s spectrum
	s.of(&d.sound[d.newest])
	d.newest = (d.newest + 1) % history
	d.filled = 0
	d.count = min(d.count+1, history)
	d.now += block
	var p pair
	is := false
	if d.count > 1 && s.energy+d.before.energy > minWindow {
		p, is = pairOf(&d.before, &s)
	}
	d.before = s
	if !is || d.run.windows > 0 && (p.row != d.run.row || p.col != d.run.col) {
		dst = d.endRun(dst, d.now-2*block, 2)
	}
	if is {
		dst = d.goOn(dst, p)
	}
	if c := &d.scrap; c.due > 0 && d.now >= c.due && (d.run.windows == 0 || d.run.row != c.row || d.run.col != c.col) {
		dst = d.mend(dst)
	}
	return d.release(dst)
}

// goOn adds a window to the run.
func (d *Detector) goOn(dst []Press, p pair) []Press {
	r := &d.run
	if r.windows == 0 {
		*r = run{row: p.row, col: p.col, start: d.now - block}
	}
	r.windows++
	if d.down && d.key.is(r) {
		if again, known := d.again(); !known {
			return dst
		} else if !again {
			d.key.end = d.now
			return dst
		}
		dst = d.tell(dst)
	}
	if r.windows >= judged && (r.windows-judged)%retry == 0 {
		if p, ok := d.measure(0); ok && d.joined(p).tones >= minTone {
			dst = d.press(dst, d.joined(p))
		}
	}
	return dst
}

// again reports whether the run presses the key again that was down before it.
// When sound was lost between them its beginning has to be known well: that takes
// some windows.
func (d *Detector) again() (again, known bool) {
	r := &d.run
	switch {
	case r.windows == 1:
		d.doubt = d.lostIn(d.key.end, r.start) > 0
		if d.doubt && d.now-d.key.end <= maxLost+maxBreak {
			return false, false
		}
		d.doubt = false
		return d.since(&d.key, r.start, maxBeside) > maxBreak, true
	case !d.doubt:
		return false, true
	case r.windows < shortest:
		return false, false
	}
	d.doubt = false
	p, ok := d.measure(0)
	return ok && d.since(&d.key, p.begin, maxBeside) > maxBreak, true
}

// endRun ends the run about at sample end, after which there are so many blocks
// of something else.
func (d *Detector) endRun(dst []Press, end int64, after int) []Press {
	r := d.run
	if r.windows == 0 {
		return dst
	}
	switch {
	case d.down && d.key.is(&r):
		d.key.end = d.ending(end, after)
		d.doubt = false
	case r.windows >= shortest:
		p, ok := d.measure(after)
		if !ok {
			break
		}
		if d.pieces = d.joined(p); d.pieces.tones >= minTone {
			dst = d.press(dst, d.pieces)
			break
		}
		fallthrough
	case after > 0:
		d.keep(&r)
	}
	d.run = run{}
	return dst
}

// ending finds when a key that is down was released, about at sample end.
func (d *Detector) ending(end int64, after int) int64 {
	var s span
	if after == 0 || d.run.windows < shortest {
		return end
	}
	d.load(&s, 0, shortest-1, after)
	tones, _ := s.solve(d.key.w)
	return d.now - int64(s.to-s.end(&tones))
}

// measure looks at the last blocks of the run closely.
func (d *Detector) measure(after int) (p piece, ok bool) {
	r := &d.run
	// The first window of a run is half tones at least, and so is the last: the
	// blocks in the middle of them are whole.
	n := r.windows
	if after > 0 {
		n--
	}
	n = min(n, spanBlocks)
	var s span
	d.load(&s, min(2, d.count-n-after), n, after)
	f, ok := s.measure(r.row, r.col)
	if !ok {
		return p, false
	}
	zero := d.now - int64(s.to)
	p = piece{row: r.row, col: r.col, begin: zero + int64(f.begin), end: zero + int64(f.end), w: f.w}
	if r.windows > spanBlocks {
		p.begin = r.start
	}
	p.tones = p.end - p.begin
	return p, true
}

// load takes a span of n blocks, with blocks before and after it, from the end
// of the history.
func (d *Detector) load(s *span, before, n, after int) {
	s.first = before * block
	s.last = s.first + n*block
	s.to = s.last + after*block
	at := d.newest - before - n - after + 2*history
	for i := range before + n + after {
		x := s.x[i*block : (i+1)*block]
		for j, v := range d.sound[(at+i)%history] {
			x[j] = float32(v)
		}
	}
}

// press notes that a key is down.
func (d *Detector) press(dst []Press, p piece) []Press {
	if d.down {
		dst = d.tell(dst)
	}
	d.down, d.key, d.pieces, d.scrap = true, p, piece{}, scrap{}
	return dst
}

// release tells the key when it has been up for longer than an interruption
// lasts.
func (d *Detector) release(dst []Press) []Press {
	held := d.run.windows > 0 && d.key.is(&d.run)
	if d.down && !held && d.since(&d.key, d.now, unseen) > maxBreak {
		dst = d.tell(dst)
	}
	return dst
}

func (d *Detector) tell(dst []Press) []Press {
	d.down = false
	k := &d.key
	return append(dst, Press{Digit{
		Symbol:   keypad[k.row][k.col],
		Duration: time.Duration(k.end-k.begin) * time.Second / toneRate,
		Method:   MethodInband,
	}, uint32(k.begin)})
}
