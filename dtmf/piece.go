package dtmf

// piece is sound known to be a key's tones.
type piece struct {
	row, col   int8
	begin, end int64
	tones      int64 // how much of it are tones: interruptions are none
	w          [2]float64
}

// loss is a stretch of sound that was lost on its way.
type loss struct{ from, to int64 }

// joined adds a piece to the ones before it that an interruption parted from it.
func (d *Detector) joined(p piece) piece {
	b := &d.pieces
	if b.tones == 0 || b.row != p.row || b.col != p.col || d.since(b, p.begin, maxBeside) > maxBreak {
		return p
	}
	p.begin = b.begin
	p.tones += b.tones
	return p
}

func (p *piece) is(r *run) bool { return p.row == r.row && p.col == r.col }

// lostIn is how much was lost of the sound between two samples.
func (d *Detector) lostIn(from, to int64) (n int64) {
	for _, l := range d.lost {
		n += max(0, min(to, l.to)-max(from, l.from))
	}
	return n
}

// since is how long the tones have been gone at sample t. Lost sound counts only
// when more than so much silence next to it makes a pause likely, or when it is
// too long.
func (d *Detector) since(p *piece, t, beside int64) int64 {
	gone := t - p.end
	lost := d.lostIn(p.end, t)
	if heard := gone - lost; lost > 0 && lost <= maxLost && heard <= beside {
		return heard
	}
	return gone
}
