package transport

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"b2bua/internal/certificate"
	"b2bua/testbench/memnet"
)

var (
	portAt   = netip.MustParseAddrPort("10.0.0.1:5061")
	peerAt   = netip.MustParseAddrPort("10.0.0.9:5061")
	clientIP = netip.MustParseAddr("10.0.0.5")
)

// world is a port in a network in memory. It is also the port's owner.
type world struct {
	*testing.T
	net  *memnet.Network
	port *Port
	dir  string

	mu     sync.Mutex
	got    []string
	broken []int
	gone   int
	keeps  time.Duration
	dials  int
}

func (w *world) Blocked(netip.Addr) bool { return false }

func (w *world) Trusted(netip.Addr) bool { return false }

func (w *world) Keeps(*Conn) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.keeps
}

func (w *world) Received(c *Conn, data []byte) {
	w.mu.Lock()
	w.got = append(w.got, string(data))
	w.mu.Unlock()
	c.Send([]byte(sipText("answer")))
}

func (w *world) Broken(c *Conn, b *BrokenError) {
	w.mu.Lock()
	w.broken = append(w.broken, b.Code)
	w.mu.Unlock()
	c.Send([]byte(sipText("broken")))
}

func (w *world) Gone(_ *Conn, again bool) {
	if again {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gone++
}

// pair makes a certificate, and a pool that believes it.
func (w *world) pair(names ...string) (func(*tls.ClientHelloInfo) (*tls.Certificate, error), *x509.CertPool) {
	w.Helper()
	cert, err := certificate.SelfSigned(filepath.Join(w.dir, strings.Join(names, "+")), names, time.Now())
	if err != nil {
		w.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert.Leaf)
	return func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &cert, nil }, pool
}

// play tells a story with a port, and looks for what is left over.
func play(t *testing.T, network string, tell func(w *world), with ...func(*Config)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, net: memnet.New(), dir: dir}
		l, err := w.net.ListenStream("tcp", portAt.String())
		if err != nil {
			t.Fatal(err)
		}
		cfg := Config{Network: network, Listener: l, Owner: w, Door: NewDoor(), Log: slog.New(slog.DiscardHandler), Now: time.Now,
			Dial: func(ctx context.Context, from netip.Addr, to netip.AddrPort) (net.Conn, error) {
				w.mu.Lock()
				w.dials++
				w.mu.Unlock()
				return w.net.DialStream(ctx, from, to)
			}}
		cfg.Certificate, cfg.Roots = w.pair("switch.example.com")
		for _, f := range with {
			f(&cfg)
		}
		if w.port, err = NewPort(cfg); err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.port.Serve()
		}()
		tell(w)
		if err := w.port.Close(); err != nil {
			t.Error(err)
		}
		<-done
		time.Sleep(time.Second) // for the other ends to notice
		if cfg.Door.in != 0 || cfg.Door.strangers != 0 || len(cfg.Door.from) != 0 {
			t.Errorf("left at the door: %+v", cfg.Door)
		}
	})
}

// dial connects to the port; the connection is closed with the story.
func (w *world) dial() net.Conn {
	w.Helper()
	c, err := w.net.DialStream(w.Context(), clientIP, portAt)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = c.Close() })
	return c
}

func (w *world) secured() *tls.Conn {
	w.Helper()
	_, pool := w.pair("switch.example.com")
	c := tls.Client(w.dial(), &tls.Config{RootCAs: pool, ServerName: "switch.example.com", MinVersion: tls.VersionTLS12})
	if err := c.Handshake(); err != nil {
		w.Fatal(err)
	}
	return c
}

// ends says after how long a connection ends, and what came before.
func ends(c io.Reader) (time.Duration, string) {
	start := time.Now()
	data, _ := io.ReadAll(c)
	return time.Since(start).Round(time.Second), string(data)
}

func write(c io.Writer, text string) { _, _ = io.WriteString(c, text) }

// pass lets what is on its way arrive.
func pass() {
	time.Sleep(100 * time.Millisecond)
	synctest.Wait()
}

// far is somebody that the port dials.
type far struct {
	*world
	l     net.Listener
	mu    sync.Mutex
	conns []net.Conn
	said  []string
}

// answers makes a far end with a certificate, which keeps what it hears.
func (w *world) far(at netip.AddrPort, cert func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *far {
	w.Helper()
	l, err := w.net.ListenStream("tcp", at.String())
	if err != nil {
		w.Fatal(err)
	}
	f := &far{world: w, l: l}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if cert != nil {
				c = tls.Server(c, &tls.Config{GetCertificate: cert, MinVersion: tls.VersionTLS12})
			}
			f.mu.Lock()
			f.conns = append(f.conns, c)
			f.mu.Unlock()
			go f.hear(c)
		}
	}()
	w.Cleanup(func() { _ = l.Close() })
	return f
}

func (f *far) hear(c net.Conn) {
	for s := bufio.NewScanner(c); s.Scan(); {
		f.mu.Lock()
		f.said = append(f.said, s.Text())
		f.mu.Unlock()
	}
	_ = c.Close()
}

func (f *far) heard() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.said, "|")
}

// verdict is a Sender that remembers.
type verdict struct {
	mu  sync.Mutex
	err error
}

func (v *verdict) Wanted() bool { return true }

func (v *verdict) Sent(*Conn) {}

func (v *verdict) Fail(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.err = err
}

func (w *world) send(way Way, text string) error {
	v := &verdict{}
	w.port.Send(way, []byte(text), v)
	pass()
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.err
}

func to(name string) Way { return Way{Remote: peerAt, Dial: peerAt, Name: name} }
