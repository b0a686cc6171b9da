package recorder

import (
	"sync/atomic"
	"time"
)

// ringWords is the size of a ring in samples: about four seconds of both
// directions at 8 kHz, which is how long a disk may stall without loss.
const ringWords = 1 << 16

// recordHead is the number of words in front of the samples of a record.
const recordHead = 8

// heldUnit is how exactly a record says how long its sound was held back.
const heldUnit = 10 * time.Microsecond

// record is one tap frame on its way from the clock to the file.
type record struct {
	tick   uint64
	rate   int
	held   time.Duration // how long ago it was said
	out    bool          // direction
	peer   bool          // it is the bridge peer's voice
	paused bool
	pcm    []int16 // nil: this frame is not wanted, but its time has passed
}

// ring carries records from one goroutine to another without a lock: only the
// writer moves tail, only the reader moves head, and each reads the other's.
type ring struct {
	words []int16
	head  atomic.Uint64 // words read
	tail  atomic.Uint64 // words written
}

func newRing() *ring { return &ring{words: make([]int16, ringWords)} }

// put copies a record in; false when there is no room.
func (r *ring) put(rec record) bool {
	tail := r.tail.Load()
	need := uint64(recordHead + len(rec.pcm))
	if tail+need-r.head.Load() > uint64(len(r.words)) {
		return false
	}
	var flags int16
	if rec.out {
		flags |= 1
	}
	if rec.paused {
		flags |= 2
	}
	if rec.peer {
		flags |= 4
	}
	if rec.pcm != nil {
		flags |= 8
	}
	head := [recordHead]int16{
		int16(uint16(len(rec.pcm))), flags, int16(uint16(rec.rate)), int16(uint16(rec.held / heldUnit)),
		int16(uint16(rec.tick)), int16(uint16(rec.tick >> 16)), int16(uint16(rec.tick >> 32)), int16(uint16(rec.tick >> 48)),
	}
	r.copyIn(tail, head[:])
	r.copyIn(tail+recordHead, rec.pcm)
	r.tail.Store(tail + need) // publishes what was copied
	return true
}

// take copies the oldest record out; its samples lie in buf.
func (r *ring) take(buf []int16) (record, bool) {
	head := r.head.Load()
	if head == r.tail.Load() {
		return record{}, false
	}
	var h [recordHead]int16
	r.copyOut(h[:], head)
	u := func(i int) uint64 { return uint64(uint16(h[i])) }
	rec := record{
		out: h[1]&1 != 0, paused: h[1]&2 != 0, peer: h[1]&4 != 0,
		rate: int(u(2)), held: time.Duration(u(3)) * heldUnit,
		tick: u(4) | u(5)<<16 | u(6)<<32 | u(7)<<48,
	}
	n := u(0)
	if h[1]&8 != 0 {
		rec.pcm = buf[:n]
		r.copyOut(rec.pcm, head+recordHead)
	}
	r.head.Store(head + recordHead + n) // gives the room back
	return rec, true
}

func (r *ring) copyIn(at uint64, src []int16) {
	i := int(at & uint64(len(r.words)-1))
	n := copy(r.words[i:], src)
	copy(r.words, src[n:])
}

func (r *ring) copyOut(dst []int16, at uint64) {
	i := int(at & uint64(len(r.words)-1))
	n := copy(dst, r.words[i:])
	copy(dst[n:], r.words)
}
