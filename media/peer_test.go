package media_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"

	"b2bua/media"
	"b2bua/media/codec"
	"b2bua/testbench/memnet"
)

// bench is an engine on an in-memory network, inside a synctest bubble.
type bench struct {
	t      *testing.T
	net    *memnet.Network
	engine *media.Engine
}

// onBench runs a story in virtual time, and fails when ports or goroutines are
// left over.
func onBench(t *testing.T, cfg media.Config, story func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New()
		t.Cleanup(func() {
			if left := n.Listeners(); left != 0 {
				t.Errorf("%d sockets left open", left)
			}
		})
		story(startBench(t, n, "10.0.0.1", cfg))
	})
}

func startBench(t *testing.T, n *memnet.Network, host string, cfg media.Config) *bench {
	cfg.Advertise = netip.MustParseAddr(host)
	cfg.Listen = func(a netip.AddrPort) (media.Conn, error) { return n.Listen(a) }
	b := &bench{t: t, net: n, engine: media.New(cfg, slog.New(slog.DiscardHandler))}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := b.engine.Run(ctx); err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(func() {
		cancel()
		running.Wait()
		if n := b.engine.Sessions() + b.engine.PortsInUse(); n != 0 {
			t.Errorf("%d sessions and ports left over", n)
		}
	})
	return b
}

func (b *bench) open(o media.Options) *media.Session {
	b.t.Helper()
	s, err := b.engine.Open(o)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(s.Close)
	return s
}

// heard is a packet as it reached a peer.
type heard struct {
	rtp.Packet
	at   time.Time
	from netip.AddrPort
}

// peer is a far end that speaks raw RTP.
type peer struct {
	b    *bench
	conn *memnet.Conn
	to   netip.AddrPort // the session's port
	c    codec.Codec
	pt   uint8
	ssrc uint32
	seq  uint16
	ts   uint32

	mu  sync.Mutex
	got []heard
}

// newPeer listens at addr and keeps all it hears.
func (b *bench) newPeer(addr, name string) *peer {
	b.t.Helper()
	at := netip.MustParseAddrPort(addr)
	conn, err := b.net.Listen(at)
	if err != nil {
		b.t.Fatal(err)
	}
	c, _ := codec.New(name)
	i, _ := codec.Lookup(name)
	p := &peer{b: b, conn: conn, c: c, pt: uint8(i.PayloadType), ssrc: uint32(at.Port()), seq: 65500, ts: 4294960000}
	var reading sync.WaitGroup
	reading.Go(p.read)
	b.t.Cleanup(func() {
		conn.Close()
		reading.Wait()
	})
	return p
}

func (p *peer) read() {
	buf := make([]byte, 2048)
	for {
		n, from, err := p.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		h := heard{at: time.Now(), from: from}
		if err := h.Unmarshal(bytes.Clone(buf[:n])); err != nil {
			p.b.t.Errorf("heard no RTP: %v", err)
			continue
		}
		p.mu.Lock()
		p.got = append(p.got, h)
		p.mu.Unlock()
	}
}

// all is what was heard so far; forget begins anew.
func (p *peer) all() []heard {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.got
}

func (p *peer) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got = nil
}

// describe is the peer's SDP.
func (p *peer) describe(lines ...string) []byte {
	return describe(p.conn.AddrPort(), p.pt, p.c.Name(), lines...)
}

func describe(at netip.AddrPort, pt uint8, name string, lines ...string) []byte {
	text := fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 %[1]s\r\ns=-\r\nc=IN IP4 %[1]s\r\nt=0 0\r\n"+
		"m=audio %[2]d RTP/AVP %[3]d 101\r\na=rtpmap:%[3]d %[4]s/8000\r\na=rtpmap:101 telephone-event/8000\r\n",
		at.Addr(), at.Port(), pt, name)
	for _, l := range lines {
		text += l + "\r\n"
	}
	return []byte(text)
}

// call lets the peer offer to a new session.
func (p *peer) call(o media.Options) *media.Session {
	p.b.t.Helper()
	s := p.b.open(o)
	if _, err := s.Answer(p.describe()); err != nil {
		p.b.t.Fatal(err)
	}
	p.to = s.Stats().Local
	return s
}

// send sends one payload and moves on by 20 ms of media time.
func (p *peer) send(payload []byte) {
	p.raw(&rtp.Packet{Header: rtp.Header{
		Version: 2, PayloadType: p.pt, SequenceNumber: p.seq, Timestamp: p.ts, SSRC: p.ssrc,
	}, Payload: payload})
	p.seq++
	p.ts += 160
}

func (p *peer) raw(pkt *rtp.Packet) {
	b, err := pkt.Marshal()
	if err != nil {
		p.b.t.Error(err)
	}
	if _, err := p.conn.WriteToUDPAddrPort(b, p.to); err != nil {
		p.b.t.Error(err)
	}
}

// tone is a frame of a sine that goes on from frame to frame.
func (p *peer) tone(frame int, hz, amplitude float64) []byte {
	return encode(p.c, sine(frame, hz, amplitude))
}

func sine(frame int, hz, amplitude float64) []int16 {
	pcm := make([]int16, 160)
	for i := range pcm {
		pcm[i] = int16(amplitude * math.Sin(2*math.Pi*hz*float64(frame*160+i)/8000))
	}
	return pcm
}

func encode(c codec.Codec, pcm []int16) []byte {
	b := make([]byte, len(pcm))
	return b[:c.Encode(b, pcm)]
}

// talk sends frames every 20 ms.
func (p *peer) talk(frames int, f func(frame int) []byte) {
	for i := range frames {
		p.send(f(i))
		time.Sleep(20 * time.Millisecond)
	}
}

// together runs things at once and waits for them.
func together(fs ...func()) {
	var all sync.WaitGroup
	for _, f := range fs {
		all.Go(f)
	}
	all.Wait()
}

// audio decodes the audio packets of a recording.
func (p *peer) audio() []int16 {
	var pcm []int16
	for _, h := range p.all() {
		if h.PayloadType != p.pt {
			continue
		}
		frame := make([]int16, len(h.Payload))
		pcm = append(pcm, frame[:p.c.Decode(frame, h.Payload)]...)
	}
	return pcm
}

// level is the power of one frequency in dB relative to a sine of full scale.
func level(pcm []int16, hz float64) float64 {
	var re, im float64
	for i, s := range pcm {
		w := 2 * math.Pi * hz * float64(i) / 8000
		re += float64(s) * math.Cos(w)
		im += float64(s) * math.Sin(w)
	}
	return 20 * math.Log10(2*math.Hypot(re, im)/float64(len(pcm))/32767+1e-9)
}

// continuous checks that a stream has one SSRC, no gap in its sequence numbers,
// timestamps that never go back, and never pauses longer than pause.
func continuous(t *testing.T, got []heard, pause time.Duration) {
	t.Helper()
	for i := 1; i < len(got); i++ {
		a, b := got[i-1], got[i]
		if b.SSRC != a.SSRC {
			t.Fatalf("packet %d: SSRC changed", i)
		}
		if b.SequenceNumber != a.SequenceNumber+1 {
			t.Fatalf("packet %d: sequence %d after %d", i, b.SequenceNumber, a.SequenceNumber)
		}
		if step := int32(b.Timestamp - a.Timestamp); step < 0 {
			t.Fatalf("packet %d: timestamp went back by %d", i, -step)
		}
		if d := b.at.Sub(a.at); d > pause {
			t.Fatalf("packet %d: came %s after the one before", i, d)
		}
	}
}
