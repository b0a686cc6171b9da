package memnet_test

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"b2bua/testbench/memnet"

	"pgregory.net/rapid"
)

var (
	alice = netip.MustParseAddrPort("10.0.0.1:5060")
	bob   = netip.MustParseAddrPort("10.0.0.2:5060")
	carol = netip.MustParseAddrPort("10.0.0.3:5060")
)

func listen(t testing.TB, n *memnet.Network, at netip.AddrPort) *memnet.Conn {
	t.Helper()
	c, err := n.Listen(at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func send(t testing.TB, c *memnet.Conn, to netip.AddrPort, text string) {
	t.Helper()
	if _, err := c.WriteToUDPAddrPort([]byte(text), to); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, c *memnet.Conn) (string, netip.AddrPort) {
	t.Helper()
	b := make([]byte, 2000)
	n, from, err := c.ReadFromUDPAddrPort(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n]), from
}

func TestDatagramArrivesAfterTheLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New()
		n.Latency = 30 * time.Millisecond
		a, b := listen(t, n, alice), listen(t, n, bob)
		begin := time.Now()
		send(t, a, bob, "hello")
		text, from := read(t, b)
		if text != "hello" || from != alice {
			t.Errorf("got %q from %v", text, from)
		}
		if took := time.Since(begin); took != n.Latency {
			t.Errorf("took %v", took)
		}
	})
}

func TestPacketConnSpeaksUDPAddr(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New()
		a, err := n.ListenPacket("udp", ":5060")
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		b, err := n.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		if got := a.LocalAddr().String(); got != "127.0.0.1:5060" {
			t.Errorf("listens on %s", got)
		}
		if _, err := b.WriteTo([]byte("x"), a.LocalAddr()); err != nil {
			t.Fatal(err)
		}
		if _, err := b.WriteTo([]byte("y"), text("127.0.0.1:5060")); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			_, from, err := a.ReadFrom(make([]byte, 10))
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := from.(*net.UDPAddr); !ok || from.String() != b.LocalAddr().String() {
				t.Errorf("from %T %v", from, from)
			}
		}
		if _, err := b.WriteTo(nil, text("nowhere")); err == nil {
			t.Error("wrote to an address that is none")
		}
	})
}

type text string

func (text) Network() string  { return "udp" }
func (x text) String() string { return string(x) }

func TestListenRefusesWhatIsTaken(t *testing.T) {
	n := memnet.New()
	c := listen(t, n, alice)
	if _, err := n.Listen(alice); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("got %v", err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if n.Listeners() != 0 {
		t.Error("a closed conn is still known")
	}
	listen(t, n, alice)
	for _, bad := range []string{"5060", "host.example:5060", "127.0.0.1:99999"} {
		if _, err := n.ListenPacket("udp", bad); err == nil {
			t.Errorf("%q accepted", bad)
		}
	}
	if _, err := n.ListenPacket("tcp", ":5060"); err == nil {
		t.Error("tcp accepted")
	}
	one, two := listen(t, n, netip.AddrPort{}), listen(t, n, netip.AddrPort{})
	if one.AddrPort() == two.AddrPort() || one.AddrPort().Port() == 0 {
		t.Errorf("picked %v and %v", one.AddrPort(), two.AddrPort())
	}
}

func TestCloseAndDeadlineEndReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New()
		c := listen(t, n, alice)
		got := make(chan error)
		reader := func() {
			_, _, err := c.ReadFrom(make([]byte, 10))
			got <- err
		}
		go reader()
		synctest.Wait()
		begin := time.Now()
		_ = c.SetReadDeadline(begin.Add(time.Second))
		if err := <-got; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) != time.Second {
			t.Errorf("got %v after %v", err, time.Since(begin))
		}
		_ = c.SetDeadline(time.Time{})
		for range 3 {
			go reader()
		}
		synctest.Wait()
		_ = c.Close()
		for range 3 {
			if err := <-got; !errors.Is(err, net.ErrClosed) {
				t.Errorf("got %v", err)
			}
		}
		if _, err := c.WriteTo(nil, net.UDPAddrFromAddrPort(bob)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("write after close: %v", err)
		}
	})
}

func TestSecondDatagramLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New()
		var seen []string
		n.Drop = func(d memnet.Datagram) bool { return d.N == 2 }
		n.Observe = func(d memnet.Datagram) {
			line := d.From.String() + " " + string(d.Payload)
			if d.Lost {
				line += " lost"
			}
			seen = append(seen, line)
		}
		a, b := listen(t, n, alice), listen(t, n, bob)
		for _, text := range []string{"one", "two", "three"} {
			send(t, a, bob, text)
		}
		send(t, a, carol, "nobody")
		one, _ := read(t, b)
		three, _ := read(t, b)
		if one != "one" || three != "three" {
			t.Errorf("got %q and %q", one, three)
		}
		want := "10.0.0.1:5060 one,10.0.0.1:5060 two lost,10.0.0.1:5060 three,10.0.0.1:5060 nobody lost"
		if got := strings.Join(seen, ","); got != want {
			t.Errorf("observed %s", got)
		}
	})
}

func TestQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New()
		n.Queue = 2
		lost := 0
		n.Observe = func(d memnet.Datagram) {
			if d.Lost {
				lost++
			}
		}
		a := listen(t, n, alice)
		listen(t, n, bob)
		for range 5 {
			send(t, a, bob, "x")
		}
		if lost != 3 {
			t.Errorf("%d lost", lost)
		}
	})
}

// Several senders at one instant: the order must not depend on the scheduler,
// and the datagrams of each sender must keep theirs.
func TestOrderIsDeterministic(t *testing.T) {
	once := func() (got []string) {
		synctest.Test(t, func(t *testing.T) {
			n := memnet.New()
			b := listen(t, n, bob)
			for _, at := range []netip.AddrPort{carol, alice} {
				c := listen(t, n, at)
				go func() {
					for _, s := range []string{"1", "2", "3"} {
						send(t, c, bob, s)
					}
				}()
			}
			for range 6 {
				text, from := read(t, b)
				got = append(got, from.Addr().String()+"-"+text)
			}
		})
		return got
	}
	want := []string{"10.0.0.1-1", "10.0.0.1-2", "10.0.0.1-3", "10.0.0.3-1", "10.0.0.3-2", "10.0.0.3-3"}
	for range 20 {
		if got := once(); !slices.Equal(got, want) {
			t.Fatalf("got %v", got)
		}
	}
}

// With any delays, datagrams are read when they are due, ordered by due time.
func TestDelayReorders(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		delays := rapid.SliceOfN(rapid.IntRange(0, 50), 1, 20).Draw(r, "delays")
		synctest.Test(t, func(t *testing.T) {
			n := memnet.New()
			n.Delay = func(d memnet.Datagram) time.Duration {
				return time.Duration(delays[d.N-1]) * time.Millisecond
			}
			a, b := listen(t, n, alice), listen(t, n, bob)
			begin := time.Now()
			for i := range delays {
				send(t, a, bob, string(rune('a'+i)))
			}
			last := time.Duration(-1)
			for range delays {
				text, _ := read(t, b)
				at := time.Since(begin)
				if due := time.Duration(delays[text[0]-'a']) * time.Millisecond; at != due || at < last {
					r.Fatalf("%q due %v read at %v after %v", text, due, at, last)
				}
				last = at
			}
		})
	})
}
