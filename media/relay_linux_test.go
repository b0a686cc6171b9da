package media

import (
	"log/slog"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"b2bua/media/port"
)

// field is many far ends, each with a socket of its own, that say something in
// turn.
type field struct {
	tb   testing.TB
	ends []*port.FD
	at   []netip.AddrPort
	to   []netip.AddrPort
	raw  [headerSize + frameSize]byte
	seq  uint16
	got  int
}

// newField opens so many far ends.
func newField(tb testing.TB, n int) *field {
	f := &field{tb: tb}
	for len(f.ends) < n {
		end, at := anyPort(tb)
		f.ends, f.at = append(f.ends, end), append(f.at, at)
	}
	f.to = make([]netip.AddrPort, n)
	return f
}

// anyPort opens a port that is free.
func anyPort(tb testing.TB) (*port.FD, netip.AddrPort) {
	tb.Helper()
	loopback := netip.AddrPortFrom(farEnd.Addr(), 0)
	for range 100 {
		free, err := port.Listen(loopback)
		if err != nil {
			tb.Fatal(err)
		}
		at, err := free.Local()
		if err != nil {
			tb.Fatal(err)
		}
		free.Close()
		if fd, err := port.Listen(at); err == nil {
			tb.Cleanup(func() { fd.Close() })
			return fd, at
		}
	}
	tb.Fatal("no port is free")
	return nil, netip.AddrPort{}
}

// speak lets some far ends say a frame.
func (f *field) speak(first, n int) {
	for i := first; i < first+n; i++ {
		putHeader(f.raw[:], 0, false, f.seq, uint32(f.seq)*frameSize, uint32(i+1))
		if err := f.ends[i].Send(f.raw[:], f.to[i]); err != nil {
			f.tb.Fatal(err)
		}
	}
}

// listen takes in what came to all of them.
func (f *field) listen() {
	var b [maxPacket]byte
	for _, end := range f.ends {
		for {
			if _, _, ok := end.Recv(b[:]); !ok {
				break
			}
			f.got++
		}
	}
}

// switchboard is a shard with a bridged call for every two of the far ends, all
// of them relayed.
type switchboard struct {
	field *field
	shard *shard
	now   time.Duration
	spent time.Duration // by the shard's thread
}

func newSwitchboard(tb testing.TB, f *field) *switchboard {
	tb.Helper()
	e := New(Config{Bind: farEnd.Addr(), PortMin: 10000, PortMax: 32000}, slog.New(slog.DiscardHandler))
	e.shards = e.shards[:1]
	x := &switchboard{field: f, shard: e.shards[0]}
	var all []*Session
	for i := range f.ends {
		s, err := e.Open(Options{})
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(s.Close)
		m := "m=audio " + strconv.Itoa(int(f.at[i].Port())) + " RTP/AVP 0 101"
		if _, err := s.Answer([]byte(strings.Join([]string{"v=0", "c=IN IP4 127.0.0.1", m, "a=rtpmap:101 telephone-event/8000", ""}, "\r\n"))); err != nil {
			tb.Fatal(err)
		}
		f.to[i] = s.Stats().Local
		all = append(all, s)
		if i%2 == 1 {
			Bridge(all[i-1], s)
		}
	}
	x.now = e.now()
	for range 10 {
		x.frame(16)
	}
	for i, s := range all {
		if st := s.Stats(); !st.Relayed || st.PacketsReceived != 10 {
			tb.Fatalf("leg %d: %+v", i, st)
		}
	}
	return x
}

// frame lets 20 ms go by, in which every far end speaks: so many of them at a time
// between the loop's wake-ups.
func (x *switchboard) frame(atOnce int) {
	f := x.field
	f.seq++
	step := frameTime * time.Duration(atOnce) / time.Duration(len(f.ends))
	for first := 0; first < len(f.ends); first += atOnce {
		f.speak(first, min(atOnce, len(f.ends)-first))
		x.now += step
		before := threadTime()
		ready := x.shard.poll.Wait(time.Now())
		x.shard.turn(ready, func() time.Duration { return x.now })
		x.spent += threadTime() - before
	}
	f.listen()
}

// threadTime is the processor time of this thread.
func threadTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		panic(err)
	}
	return time.Duration(t.Nano())
}

// echo is the least that could be done: a loop that sends every packet on as it is.
type echo struct {
	field *field
	poll  *port.Poll
	spent time.Duration
	b     [maxPacket]byte
}

type ear struct {
	fd *port.FD // the other way out
	to netip.AddrPort
}

func newEcho(tb testing.TB, f *field) *echo {
	tb.Helper()
	p, err := port.NewPoll()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(p.Close)
	x := &echo{field: f, poll: p}
	var sides [2]*port.FD
	for i := range f.ends {
		fd, at := anyPort(tb)
		if err := fd.Connect(f.at[i]); err != nil {
			tb.Fatal(err)
		}
		sides[i%2], f.to[i] = fd, at
		if i%2 == 0 {
			continue
		}
		for side, fd := range sides {
			fd.Owner = &ear{sides[1-side], f.at[i-side]}
			if err := p.Add(fd); err != nil {
				tb.Fatal(err)
			}
		}
	}
	return x
}

func (x *echo) frame(atOnce int) {
	f := x.field
	f.seq++
	for first := 0; first < len(f.ends); first += atOnce {
		f.speak(first, min(atOnce, len(f.ends)-first))
		before := threadTime()
		for i := range x.poll.Wait(time.Now()) {
			fd := x.poll.Ready(i)
			n, _, ok := fd.Recv(x.b[:])
			if !ok {
				continue
			}
			out := fd.Owner.(*ear)
			if err := out.fd.Send(x.b[:n], out.to); err != nil {
				f.tb.Fatal(err)
			}
		}
		x.spent += threadTime() - before
	}
	f.listen()
}

// BenchmarkRelayedPacket is the processor time of a packet that a shard relays
// between real sockets, ticks and reports included, beside that of a loop that
// does nothing but receive and send. 500 calls; so many packets at each wake-up.
func BenchmarkRelayedPacket(b *testing.B) {
	const ends = 1000
	for _, atOnce := range []int{1, 4, 32} {
		b.Run(strconv.Itoa(atOnce), func(b *testing.B) {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			ours := newSwitchboard(b, newField(b, ends))
			bare := newEcho(b, newField(b, ends))
			for range 10 {
				bare.frame(atOnce)
			}
			ours.spent, bare.spent, ours.field.got, bare.field.got = 0, 0, 0, 0
			for b.Loop() {
				ours.frame(atOnce)
				bare.frame(atOnce)
			}
			if n := b.N * ends; ours.field.got < n || bare.field.got < n {
				b.Errorf("%d packets relayed, %d echoed, of %d", ours.field.got, bare.field.got, n)
			}
			per := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / float64(b.N*ends) }
			b.ReportMetric(per(ours.spent), "ns/packet")
			b.ReportMetric(per(bare.spent), "bare-ns/packet")
			b.ReportMetric(float64(ours.spent)/float64(bare.spent), "ratio")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// From socket to socket nothing is allocated, ticks included.
func TestLoopAllocatesNothing(t *testing.T) {
	x := newSwitchboard(t, newField(t, 8))
	for _, p := range x.shard.phases {
		for _, l := range p.legs {
			l.session.leg.checkAt = 1 << 62 // no reports
		}
	}
	if n := testing.AllocsPerRun(50, func() { x.frame(2) }); n != 0 {
		t.Errorf("%v allocations for 20 ms of 4 calls", n)
	}
}
