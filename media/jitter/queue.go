package jitter

import "time"

// queue keeps the packets of one stream in the order of their timestamps. Its
// time line is the far end's: pos is the RTP timestamp of the next sample to be
// decoded, and moves on with every frame, packets or no packets. So a silent
// sender needs no special care, and loss never shifts what follows.
type queue struct {
	clock   int // hertz
	running bool
	runsOn  bool // the stream to come has been heard already
	ssrc    uint32
	pos     uint32
	newest  uint16 // highest sequence number taken
	seen    uint64 // bit n: newest-n was
	behind  int    // packets in a row that came from far behind it
	next    uint16 // sequence number of the one that would follow them

	given    uint16 // sequence number of the packet taken out last
	other    int    // packets since then that carried no sound
	slot     [slots]slot
	order    [slots]uint8 // slots in use, by timestamp
	used     int
	free     [slots]uint8
	payload  []byte // room for every slot
	room     int    // of a slot
	spare    spare
	transit  transit
	ahead    int // decoded and neither played nor held back
	lastPull time.Duration
	stats    *Stats
}

const (
	// deepest is how far from due a packet may be without the time line being
	// another one.
	deepest = 200 * time.Millisecond
	// maxPayload bounds a packet; leastRoom is what a slot has at first.
	maxPayload = 1500
	leastRoom  = 320
)

// units is d in ticks of the clock.
func (q *queue) units(d time.Duration) int {
	return int(int64(d/time.Microsecond) * int64(q.clock) / 1e6)
}

func (q *queue) reset() {
	q.running = false
	q.behind = 0
	q.used = 0
	q.other = 0
	q.ahead = 0
	for i := range q.free {
		q.free[i] = uint8(slots - 1 - i)
	}
	q.spare.reset()
}

// push takes a packet that came now; its payload is copied.
func (q *queue) push(p Packet, clock int, now time.Duration) {
	if len(p.Payload) == 0 || len(p.Payload) > maxPayload {
		q.stats.Dropped++
		return
	}
	if q.running && (p.SSRC != q.ssrc || clock != q.clock) {
		q.restart()
	}
	if !q.running {
		q.start(p, clock)
		q.transit.start(p.Timestamp, now)
	}
	q.transit.note(p.Timestamp, q.clock, now)
	early := int(int32(p.Timestamp - q.pos))
	inOrder := int16(p.Seq-q.newest) > 0
	again := q.again(p, early)
	switch most := q.units(deepest); {
	case early > most+slots*q.units(frameTime)/2,
		early < -most && (inOrder || again):
		// The far end's clock jumped (RFC 3550 §5.1 allows a new random
		// offset only with a new SSRC; transfers behind a gateway do it
		// anyway). What waits belongs to the old clock.
		q.restart()
		q.start(p, clock)
		q.transit.start(p.Timestamp, now)
		early = int(int32(p.Timestamp - q.pos))
	case early < 0 && (inOrder || again):
		q.holdBack(p)
		early = 0
	case early < 0:
		q.straggler(p, q.slack(early, now))
		return
	}
	if again {
		q.newest, q.seen = p.Seq, 0
	}
	if q.fresh(p.Seq) && q.insert(p) {
		q.spare.note(q.slack(early, now))
	}
}

// firstDepth is how much of a new stream is held back, before anything is known
// of the way here.
const firstDepth = 20 * time.Millisecond

func (q *queue) start(p Packet, clock int) {
	q.clock = clock
	q.running = true
	q.ssrc = p.SSRC
	q.newest, q.seen = p.Seq, 0
	q.given = p.Seq - 1
	depth := q.units(firstDepth)
	if q.runsOn {
		depth = 0
		q.runsOn = false
	}
	// So that its beginning is the beginning of a frame, and of the part held
	// back.
	q.pos = p.Timestamp - uint32(max(depth-q.ahead, 0))
}

func (q *queue) restart() {
	q.stats.Resets++
	q.reset()
}

// again: the far end has begun to count anew. A packet that merely was overtaken
// is neither that far behind nor followed by the next ones.
func (q *queue) again(p Packet, early int) bool {
	behind := int16(q.newest - p.Seq)
	if behind < 0 || p.Seq != q.next {
		q.behind = 0
	}
	if behind < 0 || q.behind == 0 && behind < misorder && early >= -misorder*q.units(frameTime) {
		return false
	}
	q.behind++
	q.next = p.Seq + 1
	if q.behind < rerun {
		return false
	}
	q.behind = 0
	return true
}

// holdBack deals with the newest packet being due already: the way here has
// become longer. The time line is held back by as much as it takes to hear it.
func (q *queue) holdBack(p Packet) {
	q.stats.Late++
	q.stats.Stretched++
	q.spare.late()
	q.pos = p.Timestamp
}

// straggler counts a packet that was overtaken and is due already. Holding the
// line back for it would add delay to all the others, so that a single one
// counts for nothing.
func (q *queue) straggler(p Packet, slack int) {
	if !q.fresh(p.Seq) {
		return
	}
	q.stats.Late++
	if q.spare.stragglers++; q.spare.stragglers > 1 {
		q.spare.note(slack)
	}
}

// fresh notes a sequence number, and is false for one that came before.
func (q *queue) fresh(seq uint16) bool {
	ahead := int16(seq - q.newest)
	switch {
	case ahead > 0:
		q.seen = q.seen<<ahead | 1
		q.newest = seq
	case ahead > -64:
		bit := uint64(1) << -ahead
		if q.seen&bit != 0 {
			q.stats.Duplicates++
			return false
		}
		q.seen |= bit
	}
	return true
}

// slack is how long before its turn a packet that is early by so much has come:
// until the frame that needs it, and what that frame has too much of.
func (q *queue) slack(early int, now time.Duration) int {
	return early + q.ahead + q.units(frameTime) - q.units(min(max(now-q.lastPull, 0), frameTime))
}

// insert is false for a packet that is there already.
func (q *queue) insert(p Packet) bool {
	at := q.used
	for ; at > 0; at-- {
		s := &q.slot[q.order[at-1]]
		if s.ts == p.Timestamp {
			return false
		}
		if int32(s.ts-p.Timestamp) < 0 {
			break
		}
	}
	if q.used == slots {
		q.stats.Dropped++
		if at == 0 {
			return false
		}
		q.drop()
		at--
	}
	q.makeRoom(len(p.Payload))
	i := q.free[slots-q.used-1]
	copy(q.order[at+1:q.used+1], q.order[at:q.used])
	q.order[at] = i
	q.used++
	q.slot[i] = slot{ts: p.Timestamp, seq: p.Seq, pt: p.PT, len: len(p.Payload)}
	copy(q.payload[int(i)*q.room:], p.Payload)
	return true
}

// makeRoom takes memory with the first packet, because a relayed stream never
// has any here, and once more should the far end send larger ones.
func (q *queue) makeRoom(size int) {
	if size <= q.room {
		return
	}
	room := leastRoom
	if size > room {
		room = maxPayload
	}
	payload := make([]byte, slots*room)
	for _, i := range q.order[:q.used] {
		copy(payload[int(i)*room:], q.payload[int(i)*q.room:][:q.slot[i].len])
	}
	q.payload, q.room = payload, room
}

// head is the oldest packet waiting; there is one.
func (q *queue) head() (s slot, payload []byte) {
	i := q.order[0]
	s = q.slot[i]
	return s, q.payload[int(i)*q.room:][:s.len]
}

// wait is how long the oldest packet has until it is due, negative when part of
// its time is over.
func (q *queue) wait() int { return int(int32(q.slot[q.order[0]].ts - q.pos)) }

// take removes the oldest packet waiting, to be used.
func (q *queue) take() {
	q.given, q.other = q.slot[q.order[0]].seq, 0
	q.drop()
}

// drop removes the oldest packet waiting.
func (q *queue) drop() {
	i := q.order[0]
	copy(q.order[:], q.order[1:q.used])
	q.used--
	q.free[slots-q.used-1] = i
}

// lost reports whether packets are missing before the oldest one waiting. When
// none is, its time stamp is late because the far end was silent.
func (q *queue) lost() bool {
	return int(int16(q.slot[q.order[0]].seq-q.given))-1 > q.other
}
