package stream

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"sync"
	"time"
)

const (
	// grain is how often packets are sent and looked for: the streams of a packet
	// time are spread over it in steps of this.
	grain = 500 * time.Microsecond
	// receiveEvery grains what has arrived is taken. The kernel notes when that was.
	receiveEvery = 4
	// sweepEvery grains reports are thrown away.
	sweepEvery = 400
	// sockets share the streams, so that none needs a large buffer.
	sockets = 16
	// stall is how far behind its clock the engine may be and catch up: beyond it,
	// the clock moves, since phones don't send bursts either.
	stall = 5 * time.Millisecond
)

var (
	errNoCodec = errors.New("stream: no such codec")
	// ErrSystem is what New says where the engine doesn't run.
	ErrSystem = errors.New("stream: streams are held on Linux alone")
)

// Engine holds streams of one packet time.
type Engine struct {
	ptime time.Duration

	mu        sync.Mutex
	rtp, rtcp []*socket
	slots     [][]*Stream
	byRemote  map[uint64]*Stream
	tracks    map[trackKey]*track
	opened    int
	measuring bool // between Begin and Result
	open      bool // between Begin and End
	began     time.Time
	length    time.Duration
	counts    engineCounts
	delay     Histogram
	lateness  Histogram
	pcm       [2000]int16
}

type trackKey struct {
	codec string
	voice Voice
}

type engineCounts struct {
	unknown uint64 // packets that belong to no stream
	unsent  uint64 // packets that the system did not take
	stalls  int
	behind  time.Duration // at most
	drops   uint64        // at our own sockets, when the window began
}

// New opens the sockets of an engine on an IPv4 address.
func New(bind netip.Addr, ptime time.Duration) (*Engine, error) {
	if ptime < 10*time.Millisecond || ptime > 60*time.Millisecond || ptime%(10*time.Millisecond) != 0 {
		return nil, fmt.Errorf("stream: a packet of %v; it must be 10, 20, 30, 40, 50 or 60 ms", ptime)
	}
	e := &Engine{ptime: ptime, slots: make([][]*Stream, ptime/grain), byRemote: map[uint64]*Stream{}, tracks: map[trackKey]*track{}}
	for range sockets {
		rtp, rtcp, err := openPair(bind)
		if err != nil {
			e.Close()
			return nil, err
		}
		e.rtp, e.rtcp = append(e.rtp, rtp), append(e.rtcp, rtcp)
	}
	return e, nil
}

// openPair opens a pair of neighbouring ports, RTP on the even one (RFC 3550 §11).
func openPair(bind netip.Addr) (rtp, rtcp *socket, err error) {
	const tries = 100
	for range tries {
		port := uint16(10000+rand.IntN(50000)) &^ 1 //nolint:gosec // a port need not be a secret here
		if rtp, err = openSocket(netip.AddrPortFrom(bind, port)); err != nil {
			continue
		}
		if rtcp, err = openSocket(netip.AddrPortFrom(bind, port+1)); err == nil {
			return rtp, rtcp, nil
		}
		rtp.close()
	}
	return nil, nil, fmt.Errorf("stream: no pair of ports: %w", err)
}

// Close closes the sockets, when Run has ended.
func (e *Engine) Close() {
	for _, s := range append(e.rtp, e.rtcp...) {
		s.close()
	}
	e.rtp, e.rtcp = nil, nil
}

// Open makes a stream that will say v. It sends and hears when it is started.
func (e *Engine) Open(v Voice) *Stream {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.opened++
	// A step that has no factor in common with the number of slots takes each once.
	const step = 23
	slot := e.opened * step % len(e.slots)
	s := &Stream{
		e: e, id: uint32(e.opened), slot: slot, voice: v, at: e.rtp[slot%len(e.rtp)].at,
		ssrc: rand.Uint32(), ts: rand.Uint32(), seq: uint16(rand.Uint32()), //nolint:gosec // nobody listens to these
	}
	e.slots[slot] = append(e.slots[slot], s)
	return s
}

func (e *Engine) track(f Format, v Voice) (*track, error) {
	key := trackKey{f.Codec, v}
	if f.Ptime != e.ptime {
		return nil, fmt.Errorf("stream: packets of %v in an engine of %v", f.Ptime, e.ptime)
	}
	if t := e.tracks[key]; t != nil {
		return t, nil
	}
	t, err := newTrack(f, v)
	if err == nil {
		e.tracks[key] = t
	}
	return t, err
}

// Run sends and receives until ctx ends.
func (e *Engine) Run(ctx context.Context) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	preciseSleep()
	start := time.Now()
	for tick := 0; ctx.Err() == nil; tick++ {
		ahead := time.Until(start.Add(time.Duration(tick) * grain))
		if ahead > 0 {
			sleep(ahead)
		}
		e.mu.Lock()
		if behind := -ahead; behind > stall {
			start = start.Add(behind)
			e.counts.stalls++
			e.counts.behind = max(e.counts.behind, behind)
		}
		e.send(e.slots[tick%len(e.slots)])
		if tick%receiveEvery == 0 {
			e.receive()
		}
		if tick%sweepEvery == 0 {
			for _, s := range e.rtcp {
				s.receive(func([]byte, uint64, int64) {})
			}
		}
		e.mu.Unlock()
	}
}

// send sends a packet of each stream of a slot. All of them have one socket.
func (e *Engine) send(slot []*Stream) {
	var out *socket
	for _, s := range slot {
		if !s.sending {
			continue
		}
		if out == nil {
			out = e.rtp[s.slot%len(e.rtp)]
		}
		buffer := out.next(s.to)
		out.queued(s.compose(buffer, time.Now().UnixNano()))
		if out.full() {
			e.counts.unsent += uint64(out.flush())
		}
	}
	if out != nil {
		e.counts.unsent += uint64(out.flush())
	}
}

func (e *Engine) receive() {
	for _, in := range e.rtp {
		in.receive(func(packet []byte, from uint64, at int64) { e.receiveFrom(from, packet, at) })
	}
}

func (e *Engine) receiveFrom(from uint64, packet []byte, at int64) {
	if s := e.byRemote[from]; s != nil {
		s.receive(packet, at)
	} else {
		e.counts.unknown++
	}
}

// destination is an IPv4 address and port.
type destination struct {
	ip   [4]byte
	port uint16
}

func destinationOf(a netip.AddrPort) destination {
	return destination{a.Addr().Unmap().As4(), a.Port()}
}

func (d destination) addr() netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4(d.ip), d.port)
}

func (d destination) key() uint64 {
	return uint64(d.ip[0])<<40 | uint64(d.ip[1])<<32 | uint64(d.ip[2])<<24 | uint64(d.ip[3])<<16 | uint64(d.port)
}
