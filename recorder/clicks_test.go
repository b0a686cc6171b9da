package recorder

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"

	"b2bua/media"
	"b2bua/media/audio"
	"b2bua/media/codec"
	"b2bua/testbench/memnet"
)

var allPairs = flag.Bool("pairs", false, "every pair of codecs, not those that between them have all")

// talker is a far end with a clock of its own that says noise, and now and then
// clicks: what it says, and when, is known.
type talker struct {
	conn   *memnet.Conn
	to     netip.AddrPort
	name   string
	codec  codec.Codec
	pt     uint8
	ppm    float64
	rand   *rand.Rand
	clicks []time.Duration // by everybody's clock
	said   map[time.Duration]time.Duration
	guard  *sync.Map // packets that are not lost: with them would go what is measured
}

func newTalker(t *testing.T, n *memnet.Network, at, name string, ppm float64, guard *sync.Map) *talker {
	conn, err := n.Listen(netip.MustParseAddrPort(at))
	if err != nil {
		t.Fatal(err)
	}
	info, ok := codec.Lookup(name)
	if !ok {
		t.Fatal(name)
	}
	p := &talker{conn: conn, name: name, codec: info.New(), pt: 96, ppm: ppm, rand: rand.New(rand.NewPCG(1, uint64(conn.LocalAddr().(interface{ AddrPort() netip.AddrPort }).AddrPort().Port()))), said: map[time.Duration]time.Duration{}, guard: guard}
	if info.PayloadType >= 0 {
		p.pt = uint8(info.PayloadType)
	}
	return p
}

func (p *talker) sdp() []byte {
	at := p.conn.LocalAddr().(interface{ AddrPort() netip.AddrPort }).AddrPort()
	rate := fmt.Sprint(p.codec.ClockRate())
	if p.name == codec.Opus {
		rate += "/2"
	}
	return fmt.Appendf(nil, "v=0\r\no=- 1 1 IN IP4 %[1]s\r\ns=-\r\nc=IN IP4 %[1]s\r\nt=0 0\r\nm=audio %[2]d RTP/AVP %[3]d\r\na=rtpmap:%[3]d %[4]s/%[5]s\r\n",
		at.Addr(), at.Port(), p.pt, p.name, rate)
}

// talk says something until it is told to be off. Its clock is wrong by ppm.
func (p *talker) talk(began time.Time, off *atomic.Bool) {
	rate := p.codec.SampleRate()
	pcm, out := make([]int16, rate/50), make([]byte, 1500)
	tone := audio.Tone(rate, 40*time.Millisecond, -6, 1000).Samples
	var head rtp.Header
	head.Version, head.PayloadType, head.SSRC, head.SequenceNumber = 2, p.pt, p.rand.Uint32(), uint16(p.rand.Uint32())
	head.Timestamp = p.rand.Uint32()
	left := 0 // of the tone, samples
	for n, next := 0, 0; !off.Load(); n++ {
		at := time.Duration(float64(n) * 20e6 * (1 + p.ppm/1e6))
		<-time.After(time.Until(began.Add(at)))
		for i := range pcm {
			pcm[i] = int16(p.rand.IntN(120) - 60)
		}
		if next < len(p.clicks) && at >= p.clicks[next] {
			p.said[p.clicks[next]] = at
			next, left = next+1, len(tone)
		}
		if left > 0 {
			for i := range pcm[:min(left, len(pcm))] {
				pcm[i] += tone[len(tone)-left+i]
			}
			left -= min(left, len(pcm))
			p.guard.Store(fmt.Sprint(p.conn.LocalAddr(), head.SequenceNumber), true)
		}
		b, err := head.Marshal()
		if err != nil {
			panic(err)
		}
		b = append(b, out[:p.codec.Encode(out, pcm)]...)
		_, _ = p.conn.WriteTo(b, &udpAddr{p.to})
		head.SequenceNumber++
		head.Timestamp += uint32(p.codec.ClockRate() / 50)
	}
}

// firstFrame notes when a recording begins.
type firstFrame struct{ at time.Time }

func (f *firstFrame) Frame(media.TapFrame) {
	if f.at.IsZero() {
		f.at = time.Now()
	}
}

type udpAddr struct{ netip.AddrPort }

func (*udpAddr) Network() string { return "udp" }

// Both parties click now and then for ten minutes (one with the race detector, which
// makes that slow), over a network that loses 3 %
// of the packets and delays the others by up to 50 ms, with clocks that are 200 ppm
// fast and slow. In the recording each click is where it was made, within 20 ms.
func TestClicksKeepTheirPlaces(t *testing.T) {
	pairs := [][2]string{{codec.PCMU, codec.Opus}, {codec.G722, codec.PCMA}}
	if *allPairs {
		pairs = nil
		for _, a := range []string{codec.PCMU, codec.PCMA, codec.G722, codec.Opus} {
			for _, b := range []string{codec.PCMU, codec.PCMA, codec.G722, codec.Opus} {
				pairs = append(pairs, [2]string{a, b})
			}
		}
	}
	for i, pair := range pairs {
		format := []string{WAV, MP3}[i%2]
		t.Run(pair[0]+" "+pair[1]+" "+format, func(t *testing.T) {
			t.Parallel()
			clicked(t, pair, format)
		})
	}
}

func clicked(t *testing.T, pair [2]string, format string) {
	var result Result
	var start time.Duration
	var said [2]map[time.Duration]time.Duration
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		opened := time.Now()
		network, guard := memnet.New(), new(sync.Map)
		chance := rand.New(rand.NewPCG(7, 7))
		network.Delay = func(memnet.Datagram) time.Duration {
			return 20*time.Millisecond + time.Duration(chance.IntN(50_000))*time.Microsecond
		}
		network.Drop = func(d memnet.Datagram) bool {
			var h rtp.Header
			if _, err := h.Unmarshal(d.Payload); err != nil || chance.IntN(100) >= 3 {
				return false
			}
			_, kept := guard.Load(fmt.Sprint(d.From, h.SequenceNumber))
			return !kept
		}
		engine := media.New(media.Config{
			Advertise: netip.MustParseAddr("10.0.0.1"),
			Listen:    func(a netip.AddrPort) (media.Conn, error) { return network.Listen(a) },
		}, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			if err := engine.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		talkers := []*talker{newTalker(t, network, "10.0.1.1:4000", pair[0], 200, guard), newTalker(t, network, "10.0.2.1:4000", pair[1], -200, guard)}
		var legs []*media.Session
		for _, p := range talkers {
			s, err := engine.Open(media.Options{})
			if err != nil {
				t.Fatal(err)
			}
			answer, err := s.Answer(p.sdp())
			if err != nil {
				t.Fatal(err)
			}
			var port uint16
			for line := range strings.Lines(string(answer)) {
				_, _ = fmt.Sscanf(line, "m=audio %d", &port)
			}
			p.to = netip.AddrPortFrom(netip.MustParseAddr("10.0.0.1"), port)
			legs = append(legs, s)
		}
		media.Bridge(legs[0], legs[1])
		var off atomic.Bool
		for i, p := range talkers {
			for at := 5 * time.Second; at < lasts; at += 60 * time.Second {
				p.clicks = append(p.clicks, at+time.Duration(i)*time.Second)
			}
			began := time.Now()
			all.Go(func() { p.talk(began, &off) })
		}
		rec, err := Start(Options{Dir: dir, ID: "rec_clicks", Format: format, Channels: Dual, Log: discard})
		if err != nil {
			t.Fatal(err)
		}
		var origin firstFrame
		legs[0].AddTap(&origin)
		legs[0].AddTap(rec)
		<-time.After(lasts)
		legs[0].RemoveTap(rec)
		off.Store(true)
		result = rec.Stop()
		for _, s := range legs {
			s.Close()
		}
		cancel()
		<-time.After(time.Second)
		for i, p := range talkers {
			said[i] = p.said
			_ = p.conn.Close()
		}
		all.Wait()
		start = origin.at.Sub(opened)
	})
	if result.Err != nil || result.Dropped != 0 {
		t.Fatalf("%+v", result)
	}
	f, err := os.Open(result.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s, err := audio.DecodeSound(f, audio.Limits{Bytes: 1 << 30, Duration: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "length", result.Duration.Seconds(), lasts.Seconds(), 0.04)
	worst := 0.0
	for side := range 2 {
		if len(said[side]) != int(lasts/time.Minute)+1 {
			t.Fatalf("%d clicks said", len(said[side]))
		}
		x := s.Channel(side)
		for _, at := range said[side] {
			from := int(max(at-400*time.Millisecond, 0).Seconds() * float64(x.Rate))
			part := audio.Clip{Rate: x.Rate, Samples: x.Samples[from:min(from+x.Rate, len(x.Samples))]}
			o := onset(part)
			if o < 0 {
				t.Errorf("channel %d: no click at %v", side, at)
				continue
			}
			// The network takes 20 ms at least, which nobody can know of.
			off := part.At(int64(from)).Seconds() + o.Seconds() - at.Seconds() + start.Seconds() - 0.020
			worst = max(worst, off, -off)
			if off > 0.020 || off < -0.020 {
				t.Errorf("channel %d: the click of %v is %.1f ms off", side, at, 1000*off)
			}
		}
	}
	t.Logf("worst %.1f ms", 1000*worst)
}
