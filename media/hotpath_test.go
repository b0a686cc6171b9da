package media

import (
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"b2bua/media/codec"
	"b2bua/media/jitter"
	"b2bua/media/tone"
)

// hole is a socket that swallows what is sent and never has anything to read.
type hole struct {
	addr   netip.AddrPort
	closed chan struct{}
}

func newHole(a netip.AddrPort) (Conn, error) { return &hole{a, make(chan struct{})}, nil }

func (h *hole) ReadFromUDPAddrPort([]byte) (int, netip.AddrPort, error) {
	<-h.closed
	return 0, netip.AddrPort{}, os.ErrClosed
}
func (h *hole) WriteToUDPAddrPort(b []byte, _ netip.AddrPort) (int, error) { return len(b), nil }
func (h *hole) SetReadDeadline(time.Time) error                            { return nil }
func (h *hole) LocalAddr() net.Addr                                        { return net.UDPAddrFromAddrPort(h.addr) }
func (h *hole) Close() error                                               { close(h.closed); return nil }

var farEnd = netip.MustParseAddrPort("127.0.0.1:4000")

// leg opens a negotiated session that is driven by hand.
func benchLeg(tb testing.TB, e *Engine, name string) *Session {
	tb.Helper()
	s, err := e.Open(Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Close)
	pt := map[string]string{codec.PCMU: "0", codec.PCMA: "8", codec.G722: "9", codec.Opus: "96"}[name]
	lines := []string{"v=0", "c=IN IP4 127.0.0.1", "m=audio 4000 RTP/AVP " + pt + " 101 102", "a=rtpmap:96 opus/48000/2",
		"a=rtpmap:101 telephone-event/8000", "a=rtpmap:102 telephone-event/48000", ""}
	if _, err := s.Answer([]byte(strings.Join(lines, "\r\n"))); err != nil {
		tb.Fatal(err)
	}
	return s
}

func benchEngine(listen func(netip.AddrPort) (Conn, error)) *Engine {
	return New(Config{Bind: farEnd.Addr(), PortMin: 30000, PortMax: 39999, Listen: listen}, slog.New(slog.DiscardHandler))
}

// caller feeds packets to a session as its RTP reader would.
type caller struct {
	s     *Session
	raw   [headerSize + frameSize]byte
	size  int // of the packets
	clock int
	pt    uint8
	seq   uint16
	ts    uint32
	now   time.Duration
}

// speaks has the packets be what the leg was negotiated for.
func (c *caller) speaks() {
	f := c.s.leg.terms.recv[0]
	c.pt, c.clock, c.size = f.PT, f.Rate, len(c.raw)
	if f.Name == codec.Opus {
		pcm := make([]int16, maxFrame)
		for i := range pcm {
			pcm[i] = int16(i * 7919 % 4001)
		}
		c.size = headerSize + c.s.leg.terms.encoder.Encode(c.raw[headerSize:], pcm)
	}
}

func (c *caller) packet() {
	c.seq++
	c.ts += units(frameTime, c.clock)
	c.now += frameTime
	putHeader(c.raw[:], c.pt, false, c.seq, c.ts, 1)
	c.hand(c.raw[:c.size], farEnd)
}

// hand hands a packet over as the loop would, without what there is to tell.
func (c *caller) hand(raw []byte, from netip.AddrPort) {
	c.s.take(rtpPort, raw, from, c.now)
}

// bridgeByHand makes two bridged legs and their callers, the first with PCMU,
// with a few packets and ticks behind them.
func bridgeByHand(tb testing.TB, e *Engine, second string) (a, b *caller, tick func()) {
	a = &caller{s: benchLeg(tb, e, codec.PCMU), now: time.Second}
	b = &caller{s: benchLeg(tb, e, second), now: time.Second}
	a.speaks()
	b.speaks()
	Bridge(a.s, b.s)
	sh := a.s.shard.Load()
	tick = func() {
		sh.mu.Lock()
		p := &sh.phases[a.s.phase]
		p.tick++
		sh.step(p, a.now)
		sh.unlock()
	}
	for range 10 {
		a.packet()
		b.packet()
		tick()
	}
	return a, b, tick
}

func TestRelayAllocatesNothing(t *testing.T) {
	a, _, _ := bridgeByHand(t, benchEngine(newHole), codec.PCMU)
	if !a.s.Stats().Relayed {
		t.Fatal("not relayed")
	}
	if n := testing.AllocsPerRun(1000, a.packet); n != 0 {
		t.Errorf("%v allocations a packet", n)
	}
}

func TestFramesAllocateNothing(t *testing.T) {
	a, b, tick := bridgeByHand(t, benchEngine(newHole), codec.PCMA)
	a.s.leg.checkAt, b.s.leg.checkAt = time.Hour, time.Hour // no reports
	if a.s.Stats().Relayed {
		t.Fatal("relayed")
	}
	a.s.AddTap(deaf{})
	if n := testing.AllocsPerRun(1000, func() { a.packet(); b.packet(); tick() }); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
	b.s.Play(tone.Countries()[0].Ringback.Play(true))
	if n := testing.AllocsPerRun(1000, func() { a.packet(); b.packet(); tick() }); n != 0 {
		t.Errorf("%v allocations a frame with a tone", n)
	}
	b.s.PlayOver(tone.Countries()[0].Busy.Play(true))
	if n := testing.AllocsPerRun(1000, func() { a.packet(); b.packet(); tick() }); n != 0 {
		t.Errorf("%v allocations a frame with a tone over it", n)
	}
}

func TestJunkAllocatesNothing(t *testing.T) {
	a, _, _ := bridgeByHand(t, benchEngine(newHole), codec.PCMU)
	stranger := netip.MustParseAddrPort("192.0.2.1:9")
	if n := testing.AllocsPerRun(1000, func() { a.hand(a.raw[:], stranger) }); n != 0 {
		t.Errorf("%v allocations a stranger's packet", n)
	}
	if a.s.Stats().Refused < 1000 {
		t.Error("the stranger was taken for the far end")
	}
}

type deaf struct{}

func (deaf) Frame(TapFrame) {}

// A panic inside the jitter buffer leaves no lock behind.
func TestPanicInTheBuffer(t *testing.T) {
	a, b, tick := bridgeByHand(t, benchEngine(newHole), codec.PCMA)
	b.s.AddTap(deaf{})
	a.s.leg.hearing.playout = new(jitter.Playout)
	a.packet()
	tick()
	b.s.leg.hearing.playout = new(jitter.Playout)
	tick()
	for _, c := range []*caller{a, b} {
		if !c.s.fault.broken || len(c.s.shard.Load().phases[c.s.phase].legs) != 0 {
			t.Error("the leg is still on its shard")
		}
		c.packet()
		c.s.Close()
	}
}

// A stalled clock makes up for what it missed and says so; what is too long ago
// it gives up.
func TestClockCatchesUp(t *testing.T) {
	e := benchEngine(newHole)
	s := benchLeg(t, e, codec.PCMU)
	sh := s.shard.Load()
	sh.phases[s.phase].tick = 49
	advance := func(tick uint64) {
		sh.mu.Lock()
		sh.advance(at(s.phase, tick))
		sh.unlock()
	}
	for _, want := range []struct{ due, sent, late uint64 }{
		{50, 1, 0}, {50, 1, 0}, {51, 2, 0}, {61, 12, 9}, {62, 13, 9}, {1062, 13 + catchUp, 9 + 999}, {1063, 14 + catchUp, 9 + 999},
	} {
		advance(want.due)
		if sent, late := s.Stats().PacketsSent, e.LateTicks(); sent != want.sent || late != want.late {
			t.Errorf("tick %d: %d packets, %d late, want %d and %d", want.due, sent, late, want.sent, want.late)
		}
	}
	if tick := sh.phases[s.phase].tick; tick != 1063 {
		t.Errorf("stands at %d", tick)
	}
}

// After a stall too long to be made up for, timestamps are again those of the
// clock, and the first packet is marked.
func TestTimestampsFollowTheClock(t *testing.T) {
	w := &wire{}
	e := benchEngine(func(a netip.AddrPort) (Conn, error) {
		if a.Port()%2 == 1 {
			return newHole(a)
		}
		w.hole = hole{a, make(chan struct{})}
		return w, nil
	})
	s := benchLeg(t, e, codec.PCMU)
	sh := s.shard.Load()
	sh.phases[s.phase].tick = 49
	advance := func(tick uint64) {
		sh.mu.Lock()
		sh.advance(at(s.phase, tick))
		sh.unlock()
	}
	advance(60)
	first := w.last
	for _, due := range []uint64{160, 161, 300} {
		w.marks = 0
		advance(due)
		marks := 1
		if due == 161 {
			marks = 0
		}
		if ts := w.last.ts - first.ts; ts != uint32(due-60)*frameSize || w.marks != marks {
			t.Errorf("tick %d: timestamp %d, want %d; %d packets marked", due, ts, uint32(due-60)*frameSize, w.marks)
		}
	}
}

// wire keeps the last packet that was sent.
type wire struct {
	hole
	last  packet
	marks int
}

func (w *wire) WriteToUDPAddrPort(b []byte, _ netip.AddrPort) (int, error) {
	if p, ok := parsePacket(b); ok && !isRTCP(b) {
		w.last = p
		if p.marker {
			w.marks++
		}
	}
	return len(b), nil
}

// What cannot be RTP is told apart, whatever its length fields claim.
func FuzzPacket(f *testing.F) {
	f.Add([]byte("\x80\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03payload"))
	f.Add([]byte("\xb0\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\xff\xffx\x04"))
	f.Add([]byte("\x8f\x80\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, ok := parsePacket(raw)
		if !ok {
			return
		}
		n := len(p.payload)
		b := p.reheader(5, true, 6, 7, 8)
		if len(b) != headerSize+n {
			t.Fatalf("%d octets with a payload of %d", len(b), n)
		}
		q, ok := parsePacket(b)
		if !ok || q.pt != 5 || !q.marker || q.seq != 6 || q.ts != 7 || q.ssrc != 8 || len(q.payload) != n {
			t.Fatalf("rewritten as %+v", q)
		}
	})
}

// BenchmarkRelay is the switch's own share of a relayed packet; the sockets are
// holes.
func BenchmarkRelay(b *testing.B) {
	a, _, _ := bridgeByHand(b, benchEngine(newHole), codec.PCMU)
	b.ReportAllocs()
	for b.Loop() {
		a.packet()
	}
}

// BenchmarkRelaySocket is a relayed packet with a real send.
func BenchmarkRelaySocket(b *testing.B) {
	a, _, _ := bridgeByHand(b, benchEngine(nil), codec.PCMU)
	b.ReportAllocs()
	for b.Loop() {
		a.packet()
	}
}

// BenchmarkFrame is a bridge that goes through frames for one tick, both ways:
// receive, play out, decode, convert, encode, without the sockets. The metric is
// the processor that 100 calls take, in per cent of a core.
func BenchmarkFrame(b *testing.B) {
	for _, to := range []string{codec.PCMA, codec.G722, codec.Opus} {
		b.Run("PCMU-"+to, func(b *testing.B) {
			x, y, tick := bridgeByHand(b, benchEngine(newHole), to)
			x.s.leg.checkAt, y.s.leg.checkAt = 1<<62, 1<<62
			b.ReportAllocs()
			for b.Loop() {
				x.packet()
				y.packet()
				tick()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)*100*50/1e9*100, "%core/100calls")
		})
	}
}

// BenchmarkIdleLegs is a tick of a thousand relayed legs: what the clock costs
// those who do not need it.
func BenchmarkIdleLegs(b *testing.B) {
	e := benchEngine(newHole)
	var shards []*shard
	now := time.Second
	for range 500 {
		x, y, _ := bridgeByHand(b, e, codec.PCMU)
		x.s.leg.checkAt, y.s.leg.checkAt = 1<<62, 1<<62
		shards = e.shards
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, sh := range shards {
			for k := range sh.phases {
				sh.phases[k].tick++
				sh.step(&sh.phases[k], now)
			}
		}
	}
}

// Whatever the far end's own address sends, the session and its clock go on.
func FuzzReceive(f *testing.F) {
	f.Add([]byte("\x80\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03payload"), uint8(20))
	f.Add([]byte("\x80\x65\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\x01\x8a\x01\x00"), uint8(16))
	f.Add([]byte("\x81\xc8\x00\x0c\x00\x00\x00\x02\x00\x00\x00\x03"), uint8(12))
	e := benchEngine(newHole)
	a, b, tick := bridgeByHand(f, e, codec.PCMA)
	f.Fuzz(func(t *testing.T, raw []byte, size uint8) {
		for n := max(int(size), 1); len(raw) > 0; raw = raw[min(n, len(raw)):] {
			a.now += frameTime
			a.hand(raw[:min(n, len(raw))], farEnd)
			b.packet()
			tick()
		}
		if a.s.fault.broken || b.s.fault.broken {
			t.Fatal("a packet broke the leg")
		}
	})
}
