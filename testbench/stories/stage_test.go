package stories_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"b2bua/configs"
	"b2bua/exchange"
	"b2bua/flows"
	"b2bua/media"
	"b2bua/testbench/memnet"
	"b2bua/testbench/phone"
)

var update = flag.Bool("update", false, "keep the ladders as they are now")

// The numbers of the page: the one that is called, who calls, and where calls go.
const (
	did     = "+14155552671"
	caller  = "+14155552672"
	sales   = "+14155552673"
	support = "+14155552674"
)

// Who has which address.
const (
	switchAt   = "10.0.0.1:5060"
	callerAt   = "10.0.1.1:5060"  // calls in by the trunk
	carrierAt  = "10.0.2.1:5060"  // where the trunk takes calls
	backupAt   = "10.0.3.1:5060"  // where the second trunk does, if there is one
	strangerAt = "10.0.66.6:5060" // nobody knows him
	adminKey   = "key-of-the-stories-0123456789abcdef"
)

// monday is when stories play: in the small hours of New York, 10:30 in London.
var monday = time.Date(2024, 1, 15, 10, 30, 0, 0, time.UTC)

// setup is what a story changes before the switch starts.
type setup struct {
	now     time.Time
	backup  bool // a second trunk, tried after the first
	columns []string
	noDrawn bool // no ladder is kept
	network func(*memnet.Network)
	config  func(*configs.Config)
	pick    func(n int) int // for the weights of trunks
	names   nameServer
	random  func() float64
	house   time.Duration
}

func drawn(columns ...string) func(*setup)        { return func(s *setup) { s.columns = columns } }
func config(f func(*configs.Config)) func(*setup) { return func(s *setup) { s.config = f } }
func network(f func(*memnet.Network)) func(*setup) {
	return func(s *setup) { s.network = f }
}
func withBackup(s *setup) { s.backup = true }
func undrawn(s *setup)    { s.noDrawn = true }

// tidy keeps house every ten seconds: an hour of virtual time is a million ticks.
func tidy(s *setup) { s.house = 10 * time.Second }

// steady leaves no interval to chance, so that a ladder is the same each time.
func steady(s *setup) { s.random = func() float64 { return 0.5 } }

// stage is the world of one story.
type stage struct {
	*testing.T
	net      *memnet.Network
	ladder   *phone.Ladder
	sw       *exchange.Exchange
	customer *customer
	logs     *logbook
	dir      string
	cfg      *configs.Config
	pick     func(n int) int
	names    nameServer
	random   func() float64
	house    time.Duration
	phones   []*phone.Phone
	ended    chan error // what Run returned
	stop     context.CancelFunc

	mu   sync.Mutex
	lose func(memnet.Datagram) bool

	now    func() time.Time
	ahead  atomic.Int64 // how much the wall clock was set forward
	broken atomic.Bool
}

// story plays a story in virtual time, compares its ladder with the one kept,
// and looks for what is left over.
func story(t *testing.T, tell func(s *stage), with ...func(*setup)) {
	t.Helper()
	t.Parallel()
	o := setup{now: monday, columns: []string{"caller", "switch", "sales"}}
	for _, w := range with {
		w(&o)
	}
	dir := t.TempDir()
	if err := os.Symlink(speechDir, filepath.Join(dir, "speech")); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		s := &stage{T: t, net: memnet.New(), ladder: phone.NewLadder(o.columns...), logs: &logbook{}, dir: dir}
		defer s.tellLogs()
		defer s.tearDown()
		if o.network != nil {
			o.network(s.net)
		}
		s.net.Drop = func(d memnet.Datagram) bool {
			s.mu.Lock()
			lose := s.lose
			s.mu.Unlock()
			return lose != nil && lose(d)
		}
		s.begin(o)
		tell(s)
		if s.ended != nil {
			s.settle()
		}
		if !o.noDrawn {
			name := strings.ReplaceAll(strings.TrimPrefix(t.Name(), "Test"), "/", "-")
			if err := phone.Golden(filepath.Join("testdata", name+".ladder"), s.ladder.String(), *update); err != nil {
				t.Error(err)
			}
		}
	})
}

func (s *stage) begin(o setup) {
	s.Helper()
	begun := time.Now()
	s.now = func() time.Time {
		if s.broken.CompareAndSwap(true, false) {
			panic("the clock is broken")
		}
		return o.now.Add(time.Since(begun) + time.Duration(s.ahead.Load()))
	}
	cfg := configs.Default()
	cfg.DataDir = s.dir
	cfg.SIP.Listen, cfg.SIP.Advertise = []string{"udp://" + switchAt}, "10.0.0.1"
	cfg.Media.Bind, cfg.Media.Advertise = "10.0.0.1", "10.0.0.1"
	cfg.HTTP.AdminKey, cfg.HTTP.RateLimit.PerSecond = adminKey, 0
	cfg.Trunks = []flows.Trunk{{ID: "trunk_carrier", Name: "carrier", Hosts: []string{"10.0.1.0/24", "10.0.2.0/24"}, Probe: -1,
		Outbound: &flows.TrunkOutbound{URI: "sip:" + carrierAt, Priority: 1}}}
	if o.backup {
		cfg.Trunks = append(cfg.Trunks, flows.Trunk{ID: "trunk_backup", Name: "backup", Hosts: []string{"10.0.3.0/24"}, Probe: -1,
			Outbound: &flows.TrunkOutbound{URI: "sip:" + backupAt, Priority: 2}})
	}
	if o.config != nil {
		o.config(cfg)
	}
	s.customer = openCustomer(s)
	s.cfg, s.names, s.pick, s.random, s.house = cfg, o.names, o.pick, o.random, o.house
	s.start()
	s.customer.subscribe()
}

// start starts the switch, also once more.
func (s *stage) start() {
	s.Helper()
	var err error
	s.sw, err = exchange.New(s.cfg, exchange.Options{
		Log: slog.New(slog.NewTextHandler(s.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now: s.now, Pick: s.pick, Random: s.random, HouseEvery: s.house, NoHTTP: true, NoSpeechAhead: true, ListenPacket: s.net.ListenPacket,
		ListenStream: s.net.ListenStream, DialStream: s.net.DialStream,
		MediaListen: func(a netip.AddrPort) (media.Conn, error) { return s.net.Listen(a) },
		Resolve:     s.names.resolve(s.customer.resolve), DNS: s.names.exchange, Dial: s.customer.dial,
	})
	s.must(err)
	ctx, stop := context.WithCancel(context.Background())
	s.ended, s.stop = make(chan error, 1), stop
	go func() { s.ended <- s.sw.Run(ctx) }()
	<-s.sw.Ready()
}

// restarts stops the switch and starts it again.
func (s *stage) restarts() {
	s.Helper()
	s.stop()
	s.sw.Cut()
	s.must(<-s.ended)
	s.ended = nil
	s.start()
}

// settle waits until every transaction is over, and then nothing may be left.
func (s *stage) settle() {
	s.Helper()
	var left map[string]float64
	for range 8 {
		if left = s.leftOver(); len(left) == 0 {
			break
		}
		pass(5 * time.Second)
	}
	if len(left) > 0 {
		s.Errorf("left over: %v", left)
	}
	s.customer.checkOrder()
}

// leftOver are the numbers of the metrics that should be 0 when nobody calls.
func (s *stage) leftOver() map[string]float64 {
	left := map[string]float64{}
	all := s.metrics()
	for _, name := range []string{"b2bua_calls_active", "b2bua_rtp_sessions", "b2bua_rtp_ports_in_use", "b2bua_sip_legs",
		"b2bua_sip_dialogs", "b2bua_sip_server_transactions", "b2bua_sip_client_transactions", "b2bua_webhook_events_waiting"} {
		n, known := all[name]
		if !known {
			s.Errorf("no metric %s", name)
		}
		if n != 0 {
			left[name] = n
		}
	}
	return left
}

// tearDown stops the switch and the phones, also when the story broke off.
func (s *stage) tearDown() {
	s.Helper()
	if s.ended != nil {
		s.stop()
		s.sw.Cut()
		if err := <-s.ended; err != nil {
			s.Error(err)
		}
	}
	for _, p := range s.phones {
		if err := p.Close(); err != nil {
			s.Error(err)
		}
	}
	synctest.Wait()
	if n := s.net.Listeners(); n != 0 {
		s.Errorf("%d sockets left open", n)
	}
	s.customer.close()
}

// tellLogs shows what the switch logged when a story failed.
func (s *stage) tellLogs() {
	if s.Failed() {
		s.Logf("the switch logged\n%s", s.logs)
	}
}

// soon ends a wait that lasts longer than anything that can happen.
func (s *stage) soon() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	s.Cleanup(cancel)
	return ctx
}

func (s *stage) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// drop loses the datagrams that f says, from now on; nil loses none.
func (s *stage) drop(f func(memnet.Datagram) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lose = f
}

// setClock makes it another time of another day.
func (s *stage) setClock(now time.Time) { s.ahead.Add(int64(now.Sub(s.now()))) }

// breakClock makes the next who looks at the clock panic.
func (s *stage) breakClock() { s.broken.Store(true) }

// signalling tells SIP from sound.
func signalling(d memnet.Datagram) bool { return d.From.Port() == 5060 || d.To.Port() == 5060 }

// pass lets virtual time go by.
func pass(d time.Duration) { <-time.After(d) }

// logbook keeps what the switch logs.
type logbook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

var errNoNetwork = errors.New("there is no other network")

// noNetwork stands for everything outside the story.
func noNetwork(_ context.Context, network, address string) (net.Conn, error) {
	return nil, fmt.Errorf("dial %s %s: %w", network, address, errNoNetwork)
}
