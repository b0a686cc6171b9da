package jitter

// Config shapes a buffer. All times are in samples of the RTP clock.
type Config struct {
	// Frame is what the clock pulls per tick.
	Frame int
	// Depth is how much is held back at first, MinDepth and MaxDepth bound
	// what adaptation makes of it.
	Depth, MinDepth, MaxDepth int
	// MaxPayload is the largest payload taken.
	MaxPayload int
}

// Default suits 8 kHz speech in 20 ms frames: it holds one frame back at first
// and up to 200 ms when the network asks for it.
var Default = Config{Frame: 160, Depth: 160, MinDepth: 160, MaxDepth: 1600, MaxPayload: 640}

// slots is how many packets can wait. With 10 ms packets it still is more than
// MaxDepth.
const slots = 32

// window is over how many packets the spare time is watched before the buffer
// shrinks by a frame: about two seconds.
const window = 100

// rerun is how many packets in a row, far behind those taken but following each
// other, show that the far end began its stream anew.
const rerun = 3

// misorder is how far behind no overtaken packet is (RFC 3550 A.1).
const misorder = 100

// forever is more spare time than any packet can have.
const forever = int(^uint(0) >> 1)

// Packet is what the buffer keeps of an RTP packet.
type Packet struct {
	SSRC      uint32
	Seq       uint16
	Timestamp uint32
	PT        uint8
	Payload   []byte
}

// Stats counts what befell packets.
type Stats struct {
	Duplicates uint64 // came twice
	Late       uint64 // came after their time
	Dropped    uint64 // too many waiting, or larger than any real payload
	Resets     uint64 // new stream or timestamp jump
	Grown      uint64 // times the delay grew by a frame
	Shrunk     uint64 // times it shrank by one

	Stretched  uint64 // times a Playout made the delay longer
	Compressed uint64 // times it made it shorter
	Concealed  uint64 // samples made up for packets that were lost
}

// Buffer is the jitter buffer of one stream. It is not safe for concurrent use.
//
// Its time line is the far end's: position is the RTP timestamp of the next
// sample due, and moves on by a frame with every tick, packets or no packets.
// So a silent sender needs no special care, and loss never shifts what follows.
type Buffer struct {
	cfg     Config
	running bool
	ssrc    uint32
	pos     uint32
	newest  uint16 // highest sequence number taken
	behind  int    // packets in a row that came from far behind it
	next    uint16 // sequence number of the one that would follow them
	jumped  bool   // samples were left out before the next packet
	slot    [slots]slot
	order   [slots]uint8 // slots in use, by timestamp
	used    int
	free    [slots]uint8
	payload []byte

	spare   int // least time a packet of this window came before it was due
	watched int
	stats   Stats
}

type slot struct {
	ts  uint32
	seq uint16
	pt  uint8
	len int
}

// New makes a buffer. The memory for its packets is taken with the first one,
// because a relayed stream never has any.
func New(cfg Config) *Buffer {
	b := &Buffer{cfg: cfg}
	b.Reset()
	return b
}

// Reset forgets everything that waits; the next packet starts a new time line.
func (b *Buffer) Reset() {
	b.running = false
	b.jumped = false
	b.behind = 0
	b.used = 0
	for i := range b.free {
		b.free[i] = uint8(slots - 1 - i)
	}
	b.spare, b.watched = forever, 0
}

// Stats is what befell packets so far.
func (b *Buffer) Stats() Stats { return b.stats }

// Len is the number of packets waiting.
func (b *Buffer) Len() int { return b.used }

// SSRC is that of the stream at hand.
func (b *Buffer) SSRC() uint32 { return b.ssrc }

// Running reports whether a stream has begun.
func (b *Buffer) Running() bool { return b.running }

// Push takes a packet; its payload is copied.
func (b *Buffer) Push(p Packet) {
	if len(p.Payload) == 0 || len(p.Payload) > b.cfg.MaxPayload {
		b.stats.Dropped++
		return
	}
	if b.running && p.SSRC != b.ssrc {
		b.restart()
	}
	if !b.running {
		b.start(p)
	}
	early := int(int32(p.Timestamp - b.pos))
	inOrder := int16(p.Seq-b.newest) > 0
	again := b.again(p, early)
	switch {
	case early > b.cfg.MaxDepth+slots*b.cfg.Frame/2,
		early < -b.cfg.MaxDepth && (inOrder || again):
		// The far end's clock jumped (RFC 3550 §5.1 allows a new random
		// offset only with a new SSRC; transfers behind a gateway do it
		// anyway). What waits belongs to the old clock.
		b.restart()
		b.start(p)
		early = b.cfg.Depth
	case early < 0 && (inOrder || again):
		early = b.holdBack(early)
	case early < 0:
		b.straggler(p)
		return
	}
	if again {
		b.newest = p.Seq
	}
	b.watch(early)
	b.insert(p)
}

func (b *Buffer) start(p Packet) {
	b.running = true
	b.ssrc = p.SSRC
	b.newest = p.Seq
	b.pos = p.Timestamp - uint32(b.cfg.Depth)
}

func (b *Buffer) restart() {
	b.stats.Resets++
	b.Reset()
}

// again: the far end has begun to count anew. A packet that merely was overtaken
// is neither that far behind nor followed by the next ones.
func (b *Buffer) again(p Packet, early int) bool {
	behind := int16(b.newest - p.Seq)
	if behind < 0 || p.Seq != b.next {
		b.behind = 0
	}
	if behind < 0 || b.behind == 0 && behind < misorder && early >= -misorder*b.cfg.Frame {
		return false
	}
	b.behind++
	b.next = p.Seq + 1
	if b.behind < rerun {
		return false
	}
	b.behind = 0
	return true
}

// holdBack deals with the newest packet being due already: the way here has
// become longer. The whole time line is held back by as many frames as it takes
// to hear it and those behind it.
func (b *Buffer) holdBack(early int) int {
	frames := (-early + b.cfg.Frame - 1) / b.cfg.Frame
	b.pos -= uint32(frames * b.cfg.Frame)
	b.stats.Late++
	b.stats.Grown += uint64(frames)
	b.spare, b.watched = forever, 0
	return early + frames*b.cfg.Frame
}

// straggler counts a packet that was overtaken and is due already. Holding the
// line back for it would add delay to all the others.
func (b *Buffer) straggler(p Packet) {
	if p.Seq == b.newest {
		b.stats.Duplicates++
		return
	}
	b.stats.Late++
}

// watch shrinks the delay when for a whole window every packet came at least a
// frame sooner than it had to: by half of what is too much, so that a calm
// network has low delay again in seconds and no single drop is long.
func (b *Buffer) watch(early int) {
	b.spare = min(b.spare, early)
	b.watched++
	if b.watched < window {
		return
	}
	if surplus := (b.spare - b.cfg.MinDepth) / b.cfg.Frame; surplus > 0 {
		frames := (surplus + 1) / 2
		b.pos += uint32(frames * b.cfg.Frame)
		b.stats.Shrunk += uint64(frames)
		b.jumped = true
	}
	b.spare, b.watched = forever, 0
}

func (b *Buffer) insert(p Packet) {
	at := b.used
	for ; at > 0; at-- {
		s := &b.slot[b.order[at-1]]
		if s.ts == p.Timestamp {
			b.stats.Duplicates++
			return
		}
		if int32(s.ts-p.Timestamp) < 0 {
			break
		}
	}
	if b.used == slots {
		if at == 0 {
			b.stats.Dropped++
			return
		}
		b.stats.Dropped++
		b.drop()
		at--
	}
	if b.payload == nil {
		b.payload = make([]byte, slots*b.cfg.MaxPayload)
	}
	i := b.free[slots-b.used-1]
	copy(b.order[at+1:b.used+1], b.order[at:b.used])
	b.order[at] = i
	b.used++
	b.slot[i] = slot{ts: p.Timestamp, seq: p.Seq, pt: p.PT, len: len(p.Payload)}
	copy(b.payload[int(i)*b.cfg.MaxPayload:], p.Payload)
	if int16(p.Seq-b.newest) > 0 {
		b.newest = p.Seq
	}
}

// drop removes the oldest packet waiting.
func (b *Buffer) drop() slot {
	i := b.order[0]
	copy(b.order[:], b.order[1:b.used])
	b.used--
	b.free[slots-b.used-1] = i
	return b.slot[i]
}
