package jitter

// Pulled is what is due next.
type Pulled struct {
	// Len is the length of the payload written, 0 when there is a gap.
	Len int
	PT  uint8
	// Seq and Timestamp are those of the packet.
	Seq       uint16
	Timestamp uint32
	// Skip is how many of the packet's first samples are over already.
	Skip int
	// Gap is how many samples to conceal, when there is no packet.
	Gap int
	// Lost: later packets wait, so this gap is a loss; else nothing has come
	// for now.
	Lost bool
	// Jump: samples were left out before these, because the delay was
	// shortened; the sound does not run on. It is told once.
	Jump bool
}

// Pull gives what is due for the next need samples: either a packet, whose
// payload is copied into dst, or a gap of at most need samples. The caller
// tells by Advance how many samples a packet had, and pulls until it has
// enough.
func (b *Buffer) Pull(dst []byte, need int) Pulled {
	for b.used > 0 {
		i := b.order[0]
		s := b.slot[i]
		wait := int(int32(s.ts - b.pos))
		if wait > 0 {
			gap := min(wait, need)
			b.pos += uint32(gap)
			return Pulled{Gap: gap, Lost: true}
		}
		b.drop()
		if -wait >= b.cfg.MaxDepth {
			b.stats.Late++
			continue
		}
		n := copy(dst, b.payload[int(i)*b.cfg.MaxPayload:][:s.len])
		jump := b.jumped
		b.jumped = false
		return Pulled{Len: n, PT: s.pt, Seq: s.seq, Timestamp: s.ts, Skip: -wait, Jump: jump}
	}
	if b.running {
		b.pos += uint32(need)
	}
	return Pulled{Gap: need}
}

// Advance moves the time line on by the samples of the packet just pulled that
// were not over already.
func (b *Buffer) Advance(samples int) { b.pos += uint32(max(samples, 0)) }

// Take gives the oldest packet waiting, due or not, for handing a stream over
// to somebody who does without a buffer.
func (b *Buffer) Take(dst []byte) (Pulled, bool) {
	if b.used == 0 {
		return Pulled{}, false
	}
	i := b.order[0]
	s := b.drop()
	n := copy(dst, b.payload[int(i)*b.cfg.MaxPayload:][:s.len])
	return Pulled{Len: n, PT: s.pt, Seq: s.seq, Timestamp: s.ts}, true
}
