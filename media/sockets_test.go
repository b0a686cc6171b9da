package media_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtp"

	"b2bua/media"
	"b2bua/media/sdp"
)

// onSockets runs a story on real sockets: polled, and read by goroutines as on
// systems that cannot poll.
func onSockets(t *testing.T, story func(t *testing.T, e *media.Engine)) {
	readers := func(a netip.AddrPort) (media.Conn, error) {
		return net.ListenUDP("udp4", net.UDPAddrFromAddrPort(a))
	}
	for name, listen := range map[string]func(netip.AddrPort) (media.Conn, error){"polled": nil, "readers": readers} {
		t.Run(name, func(t *testing.T) {
			e := media.New(media.Config{Advertise: loopback, PortMin: 20000, PortMax: 29999, Listen: listen}, slog.New(slog.DiscardHandler))
			ctx, cancel := context.WithCancel(t.Context())
			var running sync.WaitGroup
			running.Go(func() {
				if err := e.Run(ctx); err != nil {
					t.Error(err)
				}
			})
			story(t, e)
			cancel()
			running.Wait()
			if e.Sessions() != 0 || e.PortsInUse() != 0 {
				t.Errorf("%d sessions, %d ports after the engine ended", e.Sessions(), e.PortsInUse())
			}
		})
	}
}

var loopback = netip.MustParseAddr("127.0.0.1")

// far is a far end on a real socket.
type far struct {
	t       testing.TB
	conn    *net.UDPConn
	session *media.Session
	to      netip.AddrPort
	seq     uint16
	said    time.Time // when it said something last
}

func newFar(t testing.TB, host string) *far {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(host)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &far{t: t, conn: conn}
}

// calls opens a session with a far end.
func calls(t testing.TB, e *media.Engine) *far {
	t.Helper()
	f := newFar(t, "127.0.0.1")
	var err error
	if f.session, err = e.Open(media.Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.session.Answer(describe(f.at(), 0, "PCMU")); err != nil {
		t.Fatal(err)
	}
	f.to = f.session.Stats().Local
	return f
}

func (f *far) at() netip.AddrPort { return f.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// say sends a frame that is told apart by a number.
func (f *far) say(n uint32) {
	f.t.Helper()
	f.seq++
	f.said = time.Now()
	p := rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: f.seq, Timestamp: uint32(f.seq) * 160, SSRC: 7}, Payload: frame(n)}
	raw, err := p.Marshal()
	if err != nil {
		f.t.Fatal(err)
	}
	if _, err := f.conn.WriteToUDPAddrPort(raw, f.to); err != nil {
		f.t.Fatal(err)
	}
}

// frame is 20 ms of sound that no other number has, and that is not silence.
func frame(n uint32) []byte {
	return bytes.Repeat([]byte{0x80, byte(n >> 14 & 0x7f), byte(n >> 7 & 0x7f), byte(n & 0x7f)}, 40)
}

var marks atomic.Uint32

// hear waits for the next packet and gives its sound; nil when there is none for
// a while.
func (f *far) hear() []byte {
	f.t.Helper()
	if err := f.conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
		f.t.Fatal(err)
	}
	buf := make([]byte, 2000)
	n, err := f.conn.Read(buf)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	if err != nil {
		f.t.Fatal(err)
	}
	var p rtp.Packet
	if err := p.Unmarshal(buf[:n]); err != nil {
		f.t.Fatal(err)
	}
	return p.Payload
}

// reaches lets a far end talk until another hears it at once, with nothing under
// way any more.
func (f *far) reaches(z *far) {
	f.t.Helper()
	for range 200 {
		n := marks.Add(1)
		f.say(n)
		for range 4 {
			if bytes.Equal(z.hear(), frame(n)) {
				if f.session.Stats().Relayed {
					return
				}
				break
			}
		}
	}
	f.t.Fatal("never relayed")
}

// passes says something and wants it heard as it is. On a machine so busy that
// the stream counts as silent meanwhile it begins again.
func (f *far) passes(z *far) {
	f.t.Helper()
	for range 20 {
		n := marks.Add(1)
		before := f.said
		f.say(n)
		got := z.hear()
		if bytes.Equal(got, frame(n)) {
			return
		}
		// After a pause frames are made, which are the sound but not these octets.
		paused := time.Since(before) > 200*time.Millisecond
		if !paused && !bytes.Equal(got, bytes.Repeat([]byte{0xff}, len(got))) {
			f.t.Fatalf("%x instead of %x", got, frame(n))
		}
		f.reaches(z)
	}
	f.t.Fatal("never heard")
}

// relayed bridges two far ends and waits until their packets go straight through.
func relayed(a, z *far) {
	media.Bridge(a.session, z.session)
	z.say(0)
	a.reaches(z)
	z.reaches(a)
}

// What one far end sends the other gets, packet by packet, as it was sent.
func TestRelayOnSockets(t *testing.T) {
	onSockets(t, func(t *testing.T, e *media.Engine) {
		a, z := calls(t, e), calls(t, e)
		relayed(a, z)
		for range 300 {
			a.passes(z)
			z.passes(a)
		}
	})
}

// A stranger is never heard at the far end nor by a tap, whether it comes before the
// real one or with it, wherever signalling comes from, and a port that is flooded
// keeps nobody else waiting.
func TestFloodOfStrangers(t *testing.T) {
	for name, trusted := range map[string]netip.Addr{
		"signalling unknown":        {},
		"signalling from there":     loopback,
		"signalling from elsewhere": netip.MustParseAddr("127.0.0.3"),
		"signalling from outside":   netip.MustParseAddr("203.0.113.9"),
	} {
		t.Run(name, func(t *testing.T) {
			onSockets(t, func(t *testing.T, e *media.Engine) { flood(t, e, trusted) })
		})
	}
}

func flood(t *testing.T, e *media.Engine, trusted netip.Addr) {
	a, z, flooded := calls(t, e), calls(t, e), calls(t, e)
	for _, f := range []*far{a, z, flooded} {
		f.session.ExpectFrom(trusted)
	}
	tape := &crier{}
	flooded.session.AddTap(tape)
	mallory := newFar(t, "127.0.0.2")
	ports := []netip.AddrPort{a.to, flooded.to, netip.AddrPortFrom(loopback, flooded.to.Port()+1)}
	spray := func() {
		for _, mallory.to = range ports {
			for range 50 {
				mallory.say(1)
			}
		}
	}
	for range 50 {
		spray()
	}
	relayed(a, z)
	for range 100 {
		spray()
		a.passes(z)
	}
	flooded.session.RemoveTap(tape)
	if tape.heard != 0 {
		t.Errorf("%d frames of the stranger", tape.heard)
	}
	if st := flooded.session.Stats(); st.Refused == 0 || st.Remote != flooded.at() || st.PacketsReceived != 0 {
		t.Errorf("%+v", st)
	}
}

// crier counts the frames in which anything is heard.
type crier struct{ heard int }

func (c *crier) Frame(f media.TapFrame) {
	for _, s := range f.PCM {
		if f.Dir == media.In && s != 0 {
			c.heard++
			return
		}
	}
}

// A leg that is bridged to one after the other, on all shards, loses none of its
// packets on the way.
func TestMovingLosesNothing(t *testing.T) {
	onSockets(t, func(t *testing.T, e *media.Engine) {
		var others []*far
		for range 2*runtime.GOMAXPROCS(0) + 2 {
			others = append(others, calls(t, e))
		}
		a := calls(t, e)
		for n := range 400 {
			a.say(1)
			media.Bridge(others[n%len(others)].session, a.session)
			if n%20 > 0 {
				continue // what a socket's buffer holds is under way at once
			}
			for end := time.Now().Add(10 * time.Second); a.session.Stats().PacketsReceived <= uint64(n); runtime.Gosched() {
				if time.Now().After(end) {
					t.Fatalf("%d packets of %d came", a.session.Stats().PacketsReceived, n+1)
				}
			}
		}
	})
}

// A far end that moves by a re-INVITE is heard and sent to at its new place at
// once, and no longer at the old one; ICMP errors of a place that is gone end
// nothing.
func TestRetargetOnSockets(t *testing.T) {
	onSockets(t, func(t *testing.T, e *media.Engine) {
		a, z := calls(t, e), calls(t, e)
		relayed(a, z)
		old := a.conn
		moved := newFar(t, "127.0.0.1")
		moved.session, moved.to, moved.seq = a.session, a.to, a.seq+1
		if _, err := moved.session.Answer(describe(moved.at(), 0, "PCMU")); err != nil {
			t.Fatal(err)
		}
		relayed(moved, z)
		a.say(0xbad)
		for n := range uint32(50) {
			moved.say(n)
			if got := z.hear(); !bytes.Equal(got, frame(n)) {
				t.Fatalf("packet %d came as %x", n, got[:4])
			}
		}
		old.Close()
		if st := moved.session.Stats(); st.Remote != moved.at() {
			t.Errorf("sending to %s", st.Remote)
		}
		at := moved.at()
		moved.conn.Close()
		for n := range uint32(50) {
			z.say(n)
		}
		back, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { back.Close() })
		moved.conn = back
		relayed(moved, z)
	})
}

// nobody is where nothing listens.
var nobody = netip.MustParseAddrPort("127.0.0.9:4000")

// Sessions that come and go in haste leave nothing behind.
func TestHasteLeavesNothing(t *testing.T) {
	onSockets(t, func(t *testing.T, e *media.Engine) {
		before := descriptors()
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for range 50 {
					a, errA := e.Open(media.Options{})
					z, errZ := e.Open(media.Options{})
					if errA != nil || errZ != nil {
						t.Error(errA, errZ)
						return
					}
					for _, s := range []*media.Session{a, z} {
						if _, err := s.Answer(describe(nobody, 0, "PCMU")); err != nil {
							t.Error(err)
						}
					}
					media.Bridge(a, z)
					a.Play(media.HoldMusic())
					go a.Close()
					z.Close()
					a.Close()
				}
			})
		}
		all.Wait()
		if n := descriptors(); n > before+10 || e.Sessions() != 0 || e.PortsInUse() != 0 {
			t.Errorf("%d descriptors, %d before; %d sessions, %d ports", n, before, e.Sessions(), e.PortsInUse())
		}
	})
}

// A far end is heard at the address it was told, for as long as it speaks, though
// the way back to it begins at another one of ours.
func TestHeardAtTheAddressTold(t *testing.T) {
	told := netip.MustParseAddr("127.0.0.2")
	e := media.New(media.Config{Advertise: told, Bind: netip.IPv4Unspecified(), PortMin: 20000, PortMax: 29999}, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := e.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	a, z := calls(t, e), calls(t, e)
	relayed(a, z)
	for range 20 {
		a.passes(z)
		z.passes(a)
	}
	cancel()
	running.Wait()
}

// Nobody has the switch talk to itself: a description that names a port of ours is
// refused, a packet that comes from one is.
func TestOwnPortsAreRefused(t *testing.T) {
	onSockets(t, func(t *testing.T, e *media.Engine) {
		a, z := calls(t, e), calls(t, e)
		for _, at := range []netip.AddrPort{z.to, a.to, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.7"), z.to.Port())} {
			var why *sdp.Refusal
			if _, err := a.session.Answer(describe(at, 0, "PCMU")); !errors.As(err, &why) || why.Code != sdp.WarnAddress {
				t.Errorf("%s: %v", at, err)
			}
			if _, err := a.session.Answer(describe(a.at(), 0, "PCMU", "a=rtcp:"+strconv.Itoa(int(at.Port()))+" IN IP4 "+at.Addr().String())); err == nil {
				t.Errorf("reports to %s: taken", at)
			}
		}
		if got := a.session.Stats().Remote; got != a.at() {
			t.Errorf("sending to %s", got)
		}
	})
	onBench(t, media.Config{PortMin: 20000, PortMax: 20003}, func(b *bench) {
		a := b.open(media.Options{})
		host, free := a.Stats().Local.Addr(), uint16(20000+20002)-a.Stats().Local.Port()
		if _, err := a.Answer(describe(netip.AddrPortFrom(host, free), 0, "PCMU")); err != nil {
			t.Fatalf("another program of this host: %v", err)
		}
		z := b.open(media.Options{}) // has now the port that was free
		if _, err := z.Answer(describe(netip.MustParseAddrPort("10.0.0.9:4000"), 0, "PCMU")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if st := z.Stats(); st.Local.Port() != free || st.PacketsReceived > 0 || st.Refused == 0 {
			t.Errorf("what comes from a port of ours: %+v", st)
		}
	})
}

// Sessions may be opened and closed before the engine runs, and not after.
func TestOpenWithoutRun(t *testing.T) {
	before := descriptors()
	e := media.New(media.Config{Advertise: loopback, PortMin: 20000, PortMax: 29999}, slog.New(slog.DiscardHandler))
	once := func() {
		var open []*media.Session
		for range 10 {
			s, err := e.Open(media.Options{})
			if err != nil {
				t.Fatal(err)
			}
			open = append(open, s)
		}
		media.Bridge(open[0], open[1])
		media.Bridge(open[1], open[2])
		for _, s := range open {
			s.Close()
		}
	}
	once()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Run(ctx); err != nil {
		t.Error(err)
	}
	if _, err := e.Open(media.Options{}); !errors.Is(err, media.ErrClosed) || e.PortsInUse() != 0 {
		t.Errorf("after the engine has ended: %v, %d ports", err, e.PortsInUse())
	}
	if n := descriptors(); n > before+4 {
		t.Errorf("%d descriptors, %d before", n, before)
	}
}
