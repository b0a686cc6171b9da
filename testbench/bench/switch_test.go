package bench_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"b2bua/configs"
	"b2bua/exchange"
	"b2bua/flows"
	"b2bua/media/audio"
	"b2bua/testbench/phone"
)

const (
	did      = "+14155552671"
	adminKey = "key-of-the-benchmarks-0123456789abcdef"
	patience = 30 * time.Second
)

// bench is a switch on loopback sockets and the phones around it.
type bench struct {
	*testing.B
	sw   *exchange.Exchange
	addr netip.AddrPort // of its SIP socket
}

// start runs a switch whose calls to the outside a phone answers.
func start(b *testing.B) *bench {
	b.Helper()
	trunk := newPhone(b, "trunk", phone.Quirks{AnswerAfter: time.Millisecond})
	return startWith(b, trunk.Addr().String())
}

// startWith runs the whole switch but its HTTP listener, in a folder of its own.
func startWith(b *testing.B, trunk string) *bench {
	b.Helper()
	x := &bench{B: b}
	cfg := configs.Default()
	cfg.DataDir = b.TempDir()
	cfg.SIP.Listen, cfg.SIP.Advertise = []string{"udp://127.0.0.1:0"}, "127.0.0.1"
	cfg.Media.Bind, cfg.Media.Advertise = "127.0.0.1", "127.0.0.1"
	cfg.Media.Ports = "10000-59999" // a pair rests for some seconds after its call
	cfg.HTTP.AdminKey, cfg.HTTP.RateLimit.PerSecond = adminKey, 0
	cfg.Trunks = []flows.Trunk{{ID: "trunk_a", Name: "a", Hosts: []string{"127.0.0.0/8"},
		Probe: -1, Outbound: &flows.TrunkOutbound{URI: "sip:" + trunk}}}
	sound := make(chan netip.AddrPort, 1)
	var err error
	x.sw, err = exchange.New(cfg, exchange.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), NoHTTP: true, NoSpeechAhead: true,
		ListenPacket: func(network, addr string) (net.PacketConn, error) {
			conn, err := new(net.ListenConfig).ListenPacket(context.Background(), network, addr)
			if err == nil {
				sound <- conn.LocalAddr().(*net.UDPAddr).AddrPort()
			}
			return conn, err
		}})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- x.sw.Run(ctx) }()
	b.Cleanup(func() {
		stop()
		x.sw.Cut()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	})
	<-x.sw.Ready()
	x.addr = <-sound
	prompt, err := os.Create(filepath.Join(cfg.PromptsDir(), "prompt_bench.wav"))
	if err != nil {
		b.Fatal(err)
	}
	if err := audio.WriteWAV(prompt, audio.Tone(8000, 2*time.Second, -13, 440)); err != nil {
		b.Fatal(err)
	}
	prompt.Close()
	return x
}

// newPhone is a phone on loopback sockets.
func newPhone(b *testing.B, name string, q phone.Quirks) *phone.Phone {
	b.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	p, err := phone.New(phone.Config{Name: name, Conn: conn, Quirks: q, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { p.Close() })
	return p
}

// create makes a resource by the API.
func (x *bench) create(path, body string) {
	x.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("X-Auth-Token", adminKey)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	x.sw.Handler().ServeHTTP(w, r)
	if w.Code != http.StatusCreated {
		x.Fatalf("POST %s: %d %s", path, w.Code, w.Body)
	}
}

// calls lets callers make calls one after the other until so many were made,
// several times over, and reports the processor time of this process for each.
func (x *bench) calls(callers, calls int, one func(context.Context, *phone.Phone) error) {
	x.Helper()
	phones := make([]*phone.Phone, callers)
	for i := range phones {
		phones[i] = newPhone(x.B, "caller", phone.Quirks{})
	}
	round := func(calls int) {
		left := make(chan struct{}, calls)
		for range calls {
			left <- struct{}{}
		}
		close(left)
		var all sync.WaitGroup
		for _, p := range phones {
			all.Go(func() {
				for range left {
					ctx, cancel := context.WithTimeout(context.Background(), patience)
					if err := one(ctx, p); err != nil {
						x.Error(err)
					}
					cancel()
				}
			})
		}
		all.Wait()
	}
	round(callers) // what is made when it is first needed is there now
	before, made := cpuTime(x.B), 0
	for x.Loop() {
		round(calls)
		made += calls
	}
	spent := cpuTime(x.B) - before
	x.ReportMetric(float64(spent.Microseconds())/float64(made), "cpu-µs/call")
	x.ReportMetric(0, "ns/op") // of a whole round: it depends on how long callers talk
}

// cpuTime is the processor time of this process so far, user and system.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
