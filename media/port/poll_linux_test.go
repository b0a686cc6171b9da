package port_test

import (
	"errors"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"b2bua/media/port"
)

// listen opens a port that is free.
func listen(t *testing.T, at string) (*port.FD, netip.AddrPort) {
	t.Helper()
	for range 10 {
		free, err := port.Listen(netip.MustParseAddrPort(at))
		if err != nil {
			t.Fatal(err)
		}
		local, err := free.Local()
		if err != nil {
			t.Fatal(err)
		}
		free.Close()
		if s, err := port.Listen(local); err == nil {
			t.Cleanup(func() { s.Close() })
			return s, local
		}
	}
	t.Fatal("no port is free")
	return nil, netip.AddrPort{}
}

func poll(t *testing.T) *port.Poll {
	t.Helper()
	p, err := port.NewPoll()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func send(t *testing.T, s *port.FD, word string, to netip.AddrPort) {
	t.Helper()
	if err := s.Send([]byte(word), to); err != nil {
		t.Fatalf("send %q to %s: %v", word, to, err)
	}
}

// heard is all that waits at a socket.
func heard(s *port.FD) (words []string) {
	b := make([]byte, 100)
	for {
		n, _, ok := s.Recv(b)
		if !ok {
			return words
		}
		words = append(words, string(b[:n]))
	}
}

func equal(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: heard %q, want %q", what, got, want)
		return
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("%s: heard %q, want %q", what, got, want)
		}
	}
}

// Packets come with their source, over IPv4, IPv6 and both on one socket; what
// does not fit comes as nothing.
func TestSendAndReceive(t *testing.T) {
	for _, c := range []struct{ from, at, to string }{
		{"127.0.0.1:0", "127.0.0.1:0", "127.0.0.1"},
		{"[::1]:0", "[::1]:0", "::1"},
		{"127.0.0.1:0", "[::]:0", "127.0.0.1"},
		{"[::]:0", "127.0.0.1:0", "127.0.0.1"},
	} {
		a, from := listen(t, c.from)
		z, at := listen(t, c.at)
		send(t, a, "hello", netip.AddrPortFrom(netip.MustParseAddr(c.to), at.Port()))
		b := make([]byte, 5)
		n, source, ok := z.Recv(b)
		if !ok || string(b[:n]) != "hello" || source.Port() != from.Port() || source.Addr() != netip.MustParseAddr(c.to) {
			t.Errorf("%v: heard %q from %s", c, b[:n], source)
		}
		send(t, z, "too long", source)
		if n, _, ok := a.Recv(b); !ok || n != 0 {
			t.Errorf("%v: %d octets of a packet that does not fit", c, n)
		}
		if _, _, ok := a.Recv(b); ok {
			t.Errorf("%v: more than was sent", c)
		}
	}
}

// A connected socket hears its far end and no stranger, is found at its port by
// everybody again afterwards, and may send elsewhere meanwhile.
func TestConnect(t *testing.T) {
	far, farAt := listen(t, "127.0.0.1:0")
	other, otherAt := listen(t, "127.0.0.1:0")
	for _, bind := range []string{"127.0.0.1:0", "127.0.0.9:0"} {
		s, at := listen(t, bind)
		send(t, other, "before", at)
		if err := s.Connect(farAt); err != nil {
			t.Fatal(err)
		}
		send(t, other, "stranger", at)
		send(t, far, "far end", at)
		equal(t, bind+" connected", heard(s), "before", "far end")
		send(t, s, "to you", farAt)
		send(t, s, "elsewhere", otherAt)
		equal(t, bind+" far end", heard(far), "to you")
		equal(t, bind+" elsewhere", heard(other), "elsewhere")
		if err := s.Connect(otherAt); err != nil {
			t.Fatal(err)
		}
		send(t, far, "too late", at)
		send(t, other, "my turn", at)
		equal(t, bind+" moved", heard(s), "my turn")
		if err := s.Connect(netip.AddrPort{}); err != nil {
			t.Fatal(err)
		}
		send(t, far, "one", at)
		send(t, other, "two", at)
		equal(t, bind+" open again", heard(s), "one", "two")
	}
}

// A socket that hears at any address goes on hearing at all of them: the kernel
// would choose the one that leads to the far end, where the far end may not send to.
func TestConnectKeepsAnyAddress(t *testing.T) {
	far, farAt := listen(t, "127.0.0.1:0")
	for _, bind := range []string{"0.0.0.0:0", "[::]:0"} {
		s, at := listen(t, bind)
		if err := s.Connect(farAt); err != nil {
			t.Fatal(err)
		}
		for _, host := range []string{"127.0.0.1", "127.0.0.2"} {
			send(t, far, host, netip.AddrPortFrom(netip.MustParseAddr(host), at.Port()))
		}
		equal(t, bind, heard(s), "127.0.0.1", "127.0.0.2")
		send(t, s, "to you", farAt)
		equal(t, bind+" far end", heard(far), "to you")
	}
}

// A pause lasts as long as it should, and one that has no length does not last.
func TestPause(t *testing.T) {
	p := poll(t)
	for _, d := range []time.Duration{0, -time.Second, time.Microsecond, 3 * time.Millisecond} {
		began := time.Now()
		p.Pause(d)
		if took := time.Since(began); took < d {
			t.Errorf("%s took %s", d, took)
		}
	}
}

// A socket of one family has no way to the other.
func TestNoWayToTheOtherFamily(t *testing.T) {
	s, _ := listen(t, "127.0.0.1:0")
	six := netip.MustParseAddrPort("[2001:db8::1]:4000")
	if err := s.Send([]byte("lost"), six); !errors.Is(err, unix.EAFNOSUPPORT) {
		t.Errorf("send: %v", err)
	}
	if err := s.Connect(six); !errors.Is(err, unix.EAFNOSUPPORT) {
		t.Errorf("connect: %v", err)
	}
}

// That a far end refuses packets, as ICMP tells a connected socket, keeps
// neither what we send from going out nor what comes from being heard.
func TestRefusedPacketsEndNothing(t *testing.T) {
	s, at := listen(t, "127.0.0.1:0")
	gone, goneAt := listen(t, "127.0.0.1:0")
	if err := s.Connect(goneAt); err != nil {
		t.Fatal(err)
	}
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		send(t, s, "anybody there?", goneAt)
	}
	again, err := port.Listen(goneAt)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	send(t, s, "back", goneAt)
	equal(t, "after it is back", heard(again), "back")
	send(t, again, "I am", at)
	equal(t, "from it", heard(s), "I am")
}

// Wait tells of the sockets that have something, again while they do, of none
// that was removed, and keeps its time.
func TestPoll(t *testing.T) {
	p := poll(t)
	a, aAt := listen(t, "127.0.0.1:0")
	z, zAt := listen(t, "127.0.0.1:0")
	send(t, z, "early", aAt)
	for _, s := range []*port.FD{a, z} {
		if err := p.Add(s); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if n := p.Wait(time.Time{}); n != 1 || p.Ready(0) != a {
			t.Fatalf("%d sockets ready", n)
		}
	}
	send(t, a, "hello", zAt)
	if n := p.Wait(time.Time{}); n != 2 {
		t.Fatalf("%d sockets ready", n)
	}
	p.Remove(z)
	for i := range 2 {
		if p.Ready(i) == z {
			t.Error("told of a socket that was removed")
		}
	}
	// Its place taken by another, an event of before is nobody's.
	other, _ := listen(t, "127.0.0.1:0")
	if err := p.Add(other); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		if p.Ready(i) == other {
			t.Error("told of another's packet")
		}
	}
	heard(a)
	for _, wait := range []time.Duration{-time.Second, 0, time.Millisecond, 7 * time.Millisecond, 2 * time.Millisecond} {
		until := time.Now().Add(wait)
		for n := 0; time.Now().Before(until); n++ {
			p.Wait(until)
			if n > 3 {
				t.Fatalf("woken %d times in %s", n, wait)
			}
		}
	}
	if p.Watched() != 2 {
		t.Errorf("%d watched", p.Watched())
	}
}

// Wake ends a Wait, whether it began already or not, and may come late.
func TestWake(t *testing.T) {
	p, err := port.NewPoll()
	if err != nil {
		t.Fatal(err)
	}
	p.Wake()
	p.Wait(time.Time{})
	var waiting sync.WaitGroup
	waiting.Go(func() { p.Wait(time.Time{}) })
	p.Wake()
	waiting.Wait()
	p.Close()
	p.Close()
	p.Wake()
}

// Sockets and polls give back every descriptor, in whichever order things end.
func TestDescriptorsAreGivenBack(t *testing.T) {
	count := func() int {
		t.Helper()
		all, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	before := count()
	for range 50 {
		p, err := port.NewPoll()
		if err != nil {
			t.Fatal(err)
		}
		var all []*port.FD
		for range 5 {
			s, err := port.Listen(loopback)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, s)
			if err := p.Add(s); err != nil {
				t.Fatal(err)
			}
			at, _ := s.Local()
			if _, err := port.Listen(at); err == nil {
				t.Fatal("a port was opened twice")
			}
		}
		for i, s := range all {
			if i%2 == 0 {
				p.Remove(s)
			}
			s.Close()
			s.Close()
		}
		p.Close()
	}
	if n := count(); n != before {
		t.Errorf("%d descriptors, %d before", n, before)
	}
}

// Sending and receiving allocate nothing.
func TestPacketsAllocateNothing(t *testing.T) {
	p := poll(t)
	a, aAt := listen(t, "127.0.0.1:0")
	z, zAt := listen(t, "[::]:0")
	zAt = netip.AddrPortFrom(aAt.Addr(), zAt.Port())
	if err := p.Add(z); err != nil {
		t.Fatal(err)
	}
	b, in := make([]byte, 172), make([]byte, 1500)
	once := func() {
		if a.Send(b, zAt) != nil {
			t.Error("not sent")
		}
		for i := range p.Wait(time.Time{}) {
			if n, from, ok := p.Ready(i).Recv(in); !ok || n != len(b) || from != aAt {
				t.Errorf("heard %d octets from %s", n, from)
			}
		}
	}
	for _, connected := range []netip.AddrPort{{}, zAt} {
		if err := a.Connect(connected); err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(100, once); n != 0 {
			t.Errorf("%v allocations a packet", n)
		}
	}
}
