package stream

// order tells of a numbered packet whether it is the next, comes late or comes
// again. It remembers the last 64 numbers.
type order struct {
	begun bool
	high  uint32
	seen  uint64 // bit i: high-i was there
}

type arrival uint8

const (
	next      arrival = iota // beyond all before it
	reordered                // behind one that was sent after it
	again                    // was there already
)

func (o *order) see(n uint32) arrival {
	ahead := int32(n - o.high)
	switch {
	case !o.begun || ahead > 0:
		if !o.begun || ahead >= 64 {
			o.seen = 0
		} else {
			o.seen <<= ahead
		}
		o.begun, o.high, o.seen = true, n, o.seen|1
		return next
	case ahead <= -64:
		return reordered // too long ago to know better
	case o.seen>>-ahead&1 == 1:
		return again
	}
	o.seen |= 1 << -ahead
	return reordered
}
