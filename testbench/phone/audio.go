package phone

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/srtp/v3"

	"b2bua/media/codec"
)

const (
	rate      = 8000
	frame     = 160 // samples of 20 ms
	frameTime = 20 * time.Millisecond
)

// audio is the RTP of one call.
type audio struct {
	conn RTPConn
	at   netip.AddrPort // as advertised
	mute bool           // sends nothing
	quit chan struct{}
	once sync.Once
	wg   sync.WaitGroup

	mu       sync.Mutex
	speaking bool
	sends    bool // our direction lets us
	to       netip.AddrPort
	codec    codec.Codec
	payload  int
	event    int
	jobs     []*job
	heard    hearing

	ours, theirs cryptoLine // the keys in use
	seal, open   *srtp.Context
	tamper       func(packet []byte) [][]byte
	wire         []byte // the last packet, as it came

	// Of the speaker's goroutine.
	sequence  uint16
	timestamp uint32
	ssrc      uint32
	packet    [12 + frame]byte
}

func newAudio(conn RTPConn, ip netip.Addr, mute bool) (*audio, error) {
	local, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if err != nil {
		return nil, err
	}
	a := &audio{
		conn: conn, at: netip.AddrPortFrom(ip, local.Port()), mute: mute, quit: make(chan struct{}),
		sequence: uint16(rand.Uint32() >> 17), timestamp: rand.Uint32(), ssrc: rand.Uint32(), //nolint:gosec // RFC 3550 §5.1 wants them hard to guess in calls, not in tests
	}
	a.wg.Add(1)
	go a.listen(conn)
	return a, nil
}

// move speaks and listens at another socket from now on.
func (a *audio) move(conn RTPConn, ip netip.Addr) error {
	local, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	select {
	case <-a.quit:
		return errors.Join(net.ErrClosed, conn.Close())
	default:
	}
	old := a.conn
	a.conn, a.at = conn, netip.AddrPortFrom(ip, local.Port())
	a.wg.Add(1)
	go a.listen(conn)
	return old.Close()
}

// connect says where to send and how, after each negotiation.
func (a *audio) connect(s session, ours []string, sends bool) bool {
	for _, name := range s.codecs {
		c, ok := codec.New(name)
		if !ok || !contains(ours, name) {
			continue
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		a.to, a.codec, a.payload, a.event, a.sends = s.at, c, s.types[name], s.event, sends
		a.heard.types = map[byte]codec.Codec{}
		for _, name := range s.codecs {
			if c, ok := codec.New(name); ok {
				a.heard.types[byte(s.types[name])] = c
			}
		}
		a.heard.event = s.event
		return true
	}
	return false
}

func contains(list []string, name string) bool {
	for _, n := range list {
		if n == name {
			return true
		}
	}
	return false
}

// speak starts sending a packet every 20 ms.
func (a *audio) speak() {
	a.mu.Lock()
	defer a.mu.Unlock()
	select {
	case <-a.quit:
		return
	default:
	}
	if a.speaking || a.mute {
		return
	}
	a.speaking = true
	a.wg.Add(1)
	go a.talk()
}

// close ends both goroutines and waits for them.
func (a *audio) close() {
	a.once.Do(func() {
		a.mu.Lock()
		close(a.quit)
		for _, j := range a.jobs {
			close(j.done)
		}
		a.jobs = nil
		_ = a.conn.Close()
		a.mu.Unlock()
	})
	a.wg.Wait()
}

func (a *audio) talk() {
	defer a.wg.Done()
	tick := time.NewTicker(frameTime)
	defer tick.Stop()
	for {
		a.tick()
		select {
		case <-tick.C:
		case <-a.quit:
			return
		}
	}
}

// tick sends what is due: a digit's event, sound, or silence.
func (a *audio) tick() {
	a.mu.Lock()
	defer a.mu.Unlock()
	defer func() { a.timestamp += frame }()
	var pcm [frame]int16
	if len(a.jobs) > 0 {
		j := a.jobs[0]
		var over, event bool
		if j.symbol >= 0 {
			over, event = j.digit(a)
		} else {
			j.sound = j.sound[copy(pcm[:], j.sound):]
			over = len(j.sound) == 0
		}
		if over {
			close(j.done)
			a.jobs = a.jobs[1:]
		}
		if event {
			return
		}
	}
	if !a.sends || a.codec == nil {
		return
	}
	n := a.codec.Encode(a.packet[12:], pcm[:])
	a.emit(byte(a.payload), false, a.timestamp, n)
}

// emit sends the packet whose payload of n bytes is in place; mu is held.
func (a *audio) emit(kind byte, marker bool, timestamp uint32, n int) {
	if marker {
		kind |= 0x80
	}
	a.packet[0], a.packet[1] = 0x80, kind
	binary.BigEndian.PutUint16(a.packet[2:], a.sequence)
	binary.BigEndian.PutUint32(a.packet[4:], timestamp)
	binary.BigEndian.PutUint32(a.packet[8:], a.ssrc)
	a.sequence++
	a.heard.stats.Sent++
	// What the socket refuses is lost, as on the way.
	for _, packet := range a.sealed(a.packet[:12+n]) {
		_, _ = a.conn.WriteToUDPAddrPort(packet, a.to)
	}
}

func (a *audio) listen(conn RTPConn) {
	defer a.wg.Done()
	b := make([]byte, 2048)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(b)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			select {
			case <-a.quit:
				return
			case <-time.After(frameTime):
				continue
			}
		}
		a.hear(b[:n], from)
	}
}

// hear takes one packet.
func (a *audio) hear(packet []byte, from netip.AddrPort) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.wire = append(a.wire[:0], packet...)
	if p, ok := parseRTP(a.opened(packet)); ok {
		a.heard.take(p, from, time.Now())
	}
}

// job is something to be said: sound, or a digit.
type job struct {
	sound  []int16
	symbol int // RFC 4733 event, -1 for sound
	length time.Duration
	gap    time.Duration
	said   time.Duration
	begin  uint32
	done   chan struct{}
}

func (a *audio) say(jobs ...*job) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, j := range jobs {
		j.done = make(chan struct{})
		select {
		case <-a.quit:
			close(j.done)
		default:
			a.jobs = append(a.jobs, j)
		}
	}
}

// digit sends the event packet of this tick (RFC 4733 §2.5.1): the same
// timestamp throughout, a growing duration, the end three times. Then a gap of
// sound, which is silence.
func (j *job) digit(a *audio) (over, event bool) {
	if j.said >= j.length {
		j.said += frameTime
		return j.said >= j.length+j.gap, false
	}
	if j.said == 0 {
		j.begin = a.timestamp
	}
	first := j.said == 0
	j.said += frameTime
	times := 1
	p := a.packet[12:]
	p[0], p[1] = byte(j.symbol), 10
	if j.said >= j.length {
		p[1] |= 0x80
		times = 3
	}
	binary.BigEndian.PutUint16(p[2:], uint16(min(j.said, j.length).Milliseconds()*rate/1000))
	for i := range times {
		if a.event >= 0 {
			a.emit(byte(a.event), first && i == 0, j.begin, 4)
		}
	}
	return false, true
}
