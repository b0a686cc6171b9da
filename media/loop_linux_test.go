package media

import (
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"
)

// aside makes an engine with one shard that is driven by hand, and a session on it.
func aside(t *testing.T, o Options) (*shard, *Session) {
	t.Helper()
	e := New(Config{Bind: farEnd.Addr(), PortMin: 20000, PortMax: 29999}, slog.New(slog.DiscardHandler))
	e.shards = e.shards[:1]
	s, err := e.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return e.shards[0], s
}

// fill puts packets into the socket of a session.
func fill(t *testing.T, s *Session, host string, packets int) netip.AddrPort {
	t.Helper()
	c, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.ParseIP(host)}, net.UDPAddrFromAddrPort(netip.AddrPortFrom(farEnd.Addr(), uint16(s.port))))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	for n := range packets {
		raw := make([]byte, headerSize+frameSize)
		putHeader(raw, 0, false, uint16(n), uint32(n)*frameSize, 1)
		if _, err := c.Write(raw); err != nil {
			t.Fatal(err)
		}
	}
	return c.LocalAddr().(*net.UDPAddr).AddrPort()
}

// A busy shard leaves its sockets when its time is over, however much waits there.
func TestTurnEndsWithItsTime(t *testing.T) {
	sh, s := aside(t, Options{})
	fill(t, s, "127.0.0.1", 100)
	var now time.Duration
	clock := func() time.Duration { now += time.Millisecond; return now }
	sh.busy = true
	sh.turn(sh.poll.Wait(time.Now()), clock)
	left := 0
	for sh.poll.Check() > 0 {
		if _, _, ok := sh.poll.Ready(0).Recv(sh.inbox[:]); !ok {
			break
		}
		left++
	}
	if left < 90 {
		t.Errorf("%d of 100 packets are left", left)
	}
}

// Packets that are refused do not make a shard busy, so that its calls wait for no
// moment because of a flood.
func TestFloodMakesNoShardBusy(t *testing.T) {
	sh, s := aside(t, Options{})
	far := fill(t, s, "127.0.0.1", 0)
	offer := "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio " + far.String()[len("127.0.0.1:"):] + " RTP/AVP 0\r\n"
	if _, err := s.Answer([]byte(offer)); err != nil {
		t.Fatal(err)
	}
	fill(t, s, "127.0.0.2", 100)
	clock := func() time.Duration { return busyWindow }
	for n := sh.poll.Check(); n > 0; n = sh.poll.Check() {
		sh.turn(n, clock)
	}
	if n := s.Stats().Refused; n != 100 || sh.busy || sh.packets != 0 {
		t.Errorf("%d refused, busy %v, %d packets counted", n, sh.busy, sh.packets)
	}
}

// A leg whose sockets cannot be heard where it moves to is lost, and told so at once.
func TestUnheardLegIsLost(t *testing.T) {
	lost := 0
	sh, s := aside(t, Options{OnLost: func() { lost++ }})
	z, err := s.engine.Open(Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(z.Close)
	sh.poll.Close()
	if move(s, z) {
		t.Error("moved")
	}
	sh.mu.Lock()
	sh.unlock()
	if lost != 1 {
		t.Errorf("told %d times", lost)
	}
}
