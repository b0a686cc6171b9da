package stream

import "time"

// timeline follows the time stamps of one RTP stream: which packets it ought to
// have had by now, and how late each comes after the earliest of them.
type timeline struct {
	begun   bool
	number  uint32 // the sequence number, beyond its 16 bits
	high    uint32 // the highest of them
	ts      uint32 // of the highest
	elapsed uint64 // of the stream's clock, since the first
	base    int64  // when a packet of elapsed 0 would come, at the earliest
	first   uint64 // elapsed, where the window begins that is measured
}

// packet takes note of a packet and tells how late it is.
func (t *timeline) packet(sequence, ts uint32, at int64, clock uint32, ptime time.Duration) time.Duration {
	if !t.begun {
		*t = timeline{begun: true, number: sequence, high: sequence, ts: ts, base: at}
		return 0
	}
	t.number = t.high + uint32(int32(int16(uint16(sequence)-uint16(t.high))))
	elapsed := t.elapsed + uint64(int64(int32(ts-t.ts)))
	if int32(t.number-t.high) > 0 {
		t.high, t.ts, t.elapsed = t.number, ts, elapsed
	}
	due := t.base + int64(elapsed)*int64(ptime)/int64(clock)
	if at < due {
		t.base -= due - at
		return 0
	}
	return time.Duration(at - due)
}

// open begins the window that is measured.
func (t *timeline) open() { t.first = t.elapsed }

// expected is how many packets of so much clock the window ought to have had.
func (t *timeline) expected(clock uint32) uint64 { return (t.elapsed - t.first) / uint64(clock) }
