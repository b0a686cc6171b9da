package jitter

import "time"

// Packet is what is kept of an RTP packet.
type Packet struct {
	SSRC      uint32
	Seq       uint16
	Timestamp uint32
	PT        uint8
	Payload   []byte
}

// Stats counts what befell packets.
type Stats struct {
	Duplicates uint64        // came twice
	Late       uint64        // came after their time
	Dropped    uint64        // too many waiting, or larger than any real payload
	Resets     uint64        // new stream or timestamp jump
	Stretched  uint64        // times the delay was made longer
	Compressed uint64        // times it was made shorter
	Concealed  time.Duration // made up for packets that were lost
}

// slots is how many packets can wait: more than the longest delay, with packets
// of 10 ms.
const slots = 32

// window is over how many packets the worst is looked for: about two seconds.
const window = 100

// rerun is how many packets in a row, far behind those taken but following each
// other, show that the far end began its stream anew.
const rerun = 3

// misorder is how far behind no overtaken packet is (RFC 3550 A.1).
const misorder = 100

// slot is a packet that waits.
type slot struct {
	ts  uint32
	seq uint16
	pt  uint8
	len int
}

// Taken is a packet that waits.
type Taken struct {
	Len       int // of the payload
	PT        uint8
	Seq       uint16
	Timestamp uint32
}

// Peek gives one of the packets waiting, from the oldest on, for handing a stream
// over to somebody who does without a playout.
func (p *Playout) Peek(dst []byte, i int) (Taken, bool) {
	q := &p.queue
	if i >= q.used {
		return Taken{}, false
	}
	s := q.slot[q.order[i]]
	payload := q.payload[int(q.order[i])*q.room:][:s.len]
	return Taken{Len: copy(dst, payload), PT: s.pt, Seq: s.seq, Timestamp: s.ts}, true
}

// Overtake plays all that waits, at once and for nobody: it has been heard by another
// way. What is made up until the next packet comes should be short: the stream goes on
// with no delay, which grows, where it must, without being heard. It gives the decoder
// that was used last.
func (p *Playout) Overtake(f Formats) Decoder {
	q := &p.queue
	p.from = p.to
	for q.used > 0 {
		s, _ := q.head()
		q.pos = s.ts
		p.decode(f)
		p.from = p.to
	}
	p.Reset()
	q.runsOn = p.decoder != nil
	return p.decoder
}

// Lead gives the next samples, which no frame will have.
func (p *Playout) Lead(f Formats, n int) []int16 {
	if n == 0 {
		return nil
	}
	p.fill(f, n)
	p.from += n
	return p.sound[p.from-n : p.from]
}

// Skip gives up the time of frames that were never asked for.
func (p *Playout) Skip(frames int) {
	if p.queue.running {
		p.queue.pos += uint32(frames * p.queue.units(frameTime))
	}
}
