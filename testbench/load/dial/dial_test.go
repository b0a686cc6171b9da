package dial

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// What is described is read back.
func TestSound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Sound{At: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, 7}), rapid.Uint16Range(1024, 65535).Draw(t, "port")),
			Ptime: time.Duration(rapid.IntRange(1, 6).Draw(t, "ptime")) * 10 * time.Millisecond}
		for i, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"PCMU", "PCMA", "opus", EventName}), 1, 4, rapid.ID).Draw(t, "codecs") {
			s.Codecs = append(s.Codecs, Codec{Name: name, Clock: 8000, Channels: 2 * (i % 2), Type: uint8(i + 96)})
		}
		got, err := ParseSound(s.Describe())
		if err != nil || !reflect.DeepEqual(got, s) {
			t.Fatalf("%+v came back as %+v, %v", s, got, err)
		}
	})
}

func TestParseSound(t *testing.T) {
	s, err := ParseSound("v=0\r\nc=IN IP4 192.0.2.1\r\nm=video 4000 RTP/AVP 96\r\nm=audio 5000 RTP/AVP 9 8 13 101\r\nc=IN IP4 192.0.2.2\r\na=rtpmap:101 telephone-event/8000\r\nm=audio 6000 RTP/AVP 0\r\n")
	want := Sound{At: netip.MustParseAddrPort("192.0.2.2:5000"), Codecs: []Codec{
		{Name: "G722", Clock: 8000, Type: 9}, {Name: "PCMA", Clock: 8000, Type: 8}, {Name: EventName, Clock: 8000, Type: 101}}}
	if err != nil || !reflect.DeepEqual(s, want) {
		t.Errorf("%+v, %v", s, err)
	}
	if c, ok := s.Find("pcma"); !ok || c.Type != 8 {
		t.Errorf("PCMA: %+v", c)
	}
	for _, text := range []string{"", "v=0\r\nm=audio 5000 RTP/AVP 0\r\n", "c=IN IP4 192.0.2.1\r\nm=audio 0 RTP/AVP 0\r\n", "c=IN IP6 ::1\r\nm=audio 5000 RTP/AVP 0\r\n"} {
		if s, err := ParseSound(text); err == nil {
			t.Errorf("%q is %+v", text, s)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("SIP/2.0 200 OK\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\nv=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 5000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000/1\r\n"))
	f.Add([]byte("INFO sip:a@b SIP/2.0\r\nVia: x\r\nCall-ID: 1\r\nContent-Type: application/dtmf-relay\r\n\r\nSignal=5\r\n"))
	f.Fuzz(func(_ *testing.T, b []byte) {
		m, ok := parse(b)
		if !ok {
			return
		}
		_, _ = ParseSound(m.body)
		_ = m.reply("200 OK", "x", "", "")
		_, _, _ = m.infoKey(), user(m.text), inBrackets(m.header("Contact"))
	})
}

// mirror is a switch that sends each call back to where it came from, as a trunk
// would get it: enough to have a line talk to itself.
type mirror struct {
	conn net.PacketConn
	line net.Addr
	lose func(n int) bool // which of all messages get lost
	n    int
}

// run passes messages on: what is of the caller's leg goes to the trunk's under
// another Call-ID, and back.
func (m *mirror) run() {
	buf := make([]byte, 65536)
	for {
		n, from, err := m.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		m.line = from
		if m.n++; m.lose != nil && m.lose(m.n) {
			continue
		}
		text := string(buf[:n])
		switch {
		case strings.Contains(text, "\r\nCall-ID: load-"):
			text = strings.Replace(text, "\r\nCall-ID: load-", "\r\nCall-ID: trunk-", 1)
		default:
			text = strings.Replace(text, "\r\nCall-ID: trunk-", "\r\nCall-ID: load-", 1)
		}
		_, _ = m.conn.WriteTo([]byte(text), from)
	}
}

// Calls are made, taken, told keys by INFO and ended, also when messages get lost.
func TestCalls(t *testing.T) {
	for name, lose := range map[string]func(int) bool{
		"nothing lost": nil,
		"the first":    func(n int) bool { return n == 1 },
		"every fifth":  func(n int) bool { return n%5 == 0 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			var all sync.WaitGroup
			m := &mirror{conn: conn, lose: lose}
			all.Go(m.run)
			defer all.Wait()
			defer conn.Close()

			told := newTold()
			line, err := Open(netip.MustParseAddrPort("127.0.0.1:0"), conn.LocalAddr().(*net.UDPAddr).AddrPort(), told.events())
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			all.Go(func() { line.Run(ctx) })
			defer stop()

			const calls = 3
			for i := range calls {
				line.Call(i, "+14155552671", Sound{At: netip.MustParseAddrPort("192.0.2.1:5000"), Codecs: []Codec{{Name: "PCMU", Clock: 8000}}})
			}
			told.await(t, func() bool { return len(told.answered) == calls })
			for i := range calls {
				if told.answered[i].At.Port() != uint16(6000+i) || told.numbers[i] != "+14155552671" {
					t.Errorf("call %d was answered with %+v at %s", i, told.answered[i], told.numbers[i])
				}
				line.Press(i, '5')
			}
			told.await(t, func() bool { return len(told.keys) == calls })
			for i := range calls {
				line.Hangup(i)
			}
			told.await(t, func() bool { return len(told.ended) == calls && told.left == calls })
			if line.Legs() != 0 {
				t.Errorf("%d dialogs are left", line.Legs())
			}
			for i, why := range told.ended {
				if why != "" || told.keys[i] != "5" {
					t.Errorf("call %d ended by %q, keys %q", i, why, told.keys[i])
				}
			}
		})
	}
}

// A call that the switch refuses is told with the reason.
func TestRefused(t *testing.T) {
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	told := newTold()
	told.refuse = errors.New("no")
	var all sync.WaitGroup
	all.Go((&mirror{conn: conn}).run)
	defer all.Wait()
	defer conn.Close()
	line, err := Open(netip.MustParseAddrPort("127.0.0.1:0"), conn.LocalAddr().(*net.UDPAddr).AddrPort(), told.events())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	all.Go(func() { line.Run(ctx) })
	defer stop()
	line.Call(0, "+14155552671", Sound{At: netip.MustParseAddrPort("192.0.2.1:5000"), Codecs: []Codec{{Name: "PCMU", Clock: 8000}}})
	told.await(t, func() bool { return told.ended[0] == "488 Not Acceptable Here" })
}

// told is what a line has told.
type told struct {
	sync.Mutex
	refuse   error
	answered map[int]Sound
	numbers  map[int]string
	keys     map[int]string
	ended    map[int]string
	left     int
}

func newTold() *told {
	return &told{answered: map[int]Sound{}, numbers: map[int]string{}, keys: map[int]string{}, ended: map[int]string{}}
}

func (x *told) events() Events {
	return Events{
		Answered: func(call int, s Sound) { x.Lock(); x.answered[call] = s; x.Unlock() },
		Ended:    func(call int, why string) { x.Lock(); x.ended[call] = why; x.Unlock() },
		Left:     func(int) { x.Lock(); x.left++; x.Unlock() },
		Key: func(call int, trunk bool, key byte) {
			x.Lock()
			defer x.Unlock()
			if !trunk {
				key = '!'
			}
			x.keys[call] += fmt.Sprintf("%c", key)
		},
		Invited: func(call int, number string, offer Sound) (Sound, error) {
			x.Lock()
			defer x.Unlock()
			x.numbers[call] = number
			return Sound{At: netip.AddrPortFrom(offer.At.Addr(), uint16(6000+call)), Codecs: offer.Codecs}, x.refuse
		},
	}
}

func (x *told) await(t *testing.T, is func() bool) {
	t.Helper()
	tick, timeout := time.NewTicker(10*time.Millisecond), time.After(30*time.Second)
	defer tick.Stop()
	for {
		x.Lock()
		done := is()
		x.Unlock()
		if done {
			return
		}
		select {
		case <-tick.C:
		case <-timeout:
			t.Fatalf("it did not happen within 30 s: %+v, %v, %v", x.answered, x.keys, x.ended)
		}
	}
}
