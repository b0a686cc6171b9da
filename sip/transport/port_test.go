package transport

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"b2bua/internal/certificate"
	"b2bua/testbench/memnet"

	"github.com/coder/websocket"
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

func TestConversation(t *testing.T) {
	for _, network := range []string{"tcp", "tls"} {
		play(t, network, func(w *world) {
			var c net.Conn
			if network == "tls" {
				c = w.secured()
			} else {
				c = w.dial()
			}
			write(c, "\r\n\r\n"+sipText("one")+sipText("two"))
			want := "\r\n" + sipText("answer") + sipText("answer")
			got := make([]byte, len(want))
			if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
				t.Errorf("%s: %q, %v", network, got, err)
			}
			_ = c.Close()
			pass()
			if len(w.got) != 2 || w.gone == 0 || w.port.Len() != 0 {
				t.Errorf("%s: got %d, gone %d, left %d", network, len(w.got), w.gone, w.port.Len())
			}
		})
	}
}

// pass lets what is on its way arrive.
func pass() {
	time.Sleep(100 * time.Millisecond)
	synctest.Wait()
}

func TestBrokenMessageIsAnsweredAndTheEnd(t *testing.T) {
	play(t, "tcp", func(w *world) {
		c := w.dial()
		write(c, sipText("fine")+"INVITE sip:a@b SIP/2.0\r\nl: 1\r\nl: 2\r\n\r\n"+strings.Repeat("junk", 1000))
		if took, got := ends(c); took > time.Second || got != sipText("answer")+sipText("broken") {
			t.Errorf("after %v: %q", took, got)
		}
	})
}

func TestHandshakeThatStalls(t *testing.T) {
	for network, want := range map[string]time.Duration{"tls": 10 * time.Second, "wss": 10 * time.Second, "ws": 10 * time.Second} {
		play(t, network, func(w *world) {
			if took, _ := ends(w.dial()); took != want {
				t.Errorf("%s: ended after %v", network, took)
			}
		})
	}
	play(t, "ws", func(w *world) { // a header that never ends
		c := w.dial()
		go func() {
			for _, b := range []byte("GET / HTTP/1.1\r\nX: " + strings.Repeat("y", 1000)) {
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}()
		if took, _ := ends(c); took > 11*time.Second {
			t.Errorf("ended after %v", took)
		}
		_ = c.Close()
		time.Sleep(2 * time.Second)
	})
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
func (v *verdict) Sent(*Conn)   {}
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

func TestAttack42TheFarEndProvesItsName(t *testing.T) {
	for _, c := range []struct {
		name, cert string
		insecure   bool
		want       string
	}{
		{"carrier.example.com", "carrier.example.com", false, ""},
		{"CARRIER.example.com", "carrier.example.com", false, ""},
		{"10.0.0.9", "10.0.0.9", false, ""},
		{"carrier.example.com", "other.example.com", false, "other.example.com"},
		{"10.0.0.9", "carrier.example.com", false, "10.0.0.9"},
		{"carrier.example.com\x00.evil.com", "carrier.example.com", false, "certificate can prove"},
		{"", "carrier.example.com", false, "certificate can prove"},
		{"carrier..example.com", "carrier.example.com", false, "certificate can prove"},
		{"carrier.example.com", "other.example.com", true, ""},
	} {
		play(t, "tls", func(w *world) {
			cert, pool := w.pair(c.cert)
			w.port.cfg.Roots = pool
			f := w.far(peerAt, cert)
			way := to(c.name)
			way.Insecure = c.insecure
			err := w.send(way, "hello\n")
			switch {
			case c.want == "" && (err != nil || f.heard() != "hello"):
				t.Errorf("%q as %q: %v, heard %q", c.cert, c.name, err, f.heard())
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || f.heard() != ""):
				t.Errorf("%q as %q: %v, heard %q", c.cert, c.name, err, f.heard())
			}
			_ = f.l.Close()
		})
	}
	play(t, "tls", func(w *world) { // nobody vouches for it
		cert, _ := w.pair("carrier.example.com")
		f := w.far(peerAt, cert)
		var unknown x509.UnknownAuthorityError
		if err := w.send(to("carrier.example.com"), "hello\n"); !errors.As(err, &unknown) {
			t.Errorf("got %v", err)
		}
		_ = f.l.Close()
	})
}

// Two trunks at one address are two connections, and one that has connected to
// us is neither (CVE-2020-15260).
func TestAttack42ConnectionsAreReusedByName(t *testing.T) {
	play(t, "tls", func(w *world) {
		cert, pool := w.pair("one.example.com", "two.example.com")
		w.port.cfg.Roots = pool
		f := w.far(peerAt, cert)
		for _, name := range []string{"one.example.com", "two.example.com", "one.example.com"} {
			if err := w.send(to(name), name+"\n"); err != nil {
				t.Error(err)
			}
		}
		if w.dials != 2 || f.heard() != "one.example.com|two.example.com|one.example.com" {
			t.Errorf("%d connections, heard %q", w.dials, f.heard())
		}
		visitor := w.secured()
		pass()
		from := netip.MustParseAddrPort(visitor.LocalAddr().String())
		if err := w.send(Way{Remote: from, Name: "one.example.com"}, "secret"); !errors.Is(err, ErrGone) {
			t.Errorf("sent to somebody who proved nothing: %v", err)
		}
		if err := w.send(Way{Remote: from, Accepted: true}, "yours"); err != nil {
			t.Error(err)
		}
		_ = f.l.Close()
	})
}

func TestReconnects(t *testing.T) {
	play(t, "tcp", func(w *world) {
		f := w.far(peerAt, nil)
		for _, text := range []string{"one\n", "two\n"} {
			if err := w.send(to(""), text); err != nil {
				t.Error(err)
			}
			f.mu.Lock()
			_ = f.conns[len(f.conns)-1].Close()
			f.mu.Unlock()
			pass()
		}
		if f.heard() != "one|two" || w.dials != 2 {
			t.Errorf("%d connections, heard %q", w.dials, f.heard())
		}
		_ = f.l.Close()
		if err := w.send(to(""), "three\n"); !errors.Is(err, ErrConnect) {
			t.Errorf("got %v", err)
		}
		if err := w.send(Way{Remote: peerAt}, "four\n"); !errors.Is(err, ErrGone) {
			t.Errorf("got %v", err)
		}
	})
}

func TestConnectionsInUseArePinged(t *testing.T) {
	play(t, "tcp", func(w *world) {
		f := w.far(peerAt, nil)
		w.keeps = 2 * time.Minute
		if err := w.send(to(""), "hello\n"); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Hour)
		if n := strings.Count(f.heard(), "|"); n < 58 || n > 60 || w.dials != 1 {
			t.Errorf("%d lines of pings, %d connections", n, w.dials)
		}
		w.mu.Lock()
		w.keeps = 0
		w.mu.Unlock()
		time.Sleep(20 * time.Minute)
		if w.port.Len() != 0 {
			t.Error("a connection that nobody needs stays")
		}
		_ = f.l.Close()
	})
}

// Whoever does not read makes nobody wait, and is given up.
func TestWriterNeverWaits(t *testing.T) {
	play(t, "tcp", func(w *world) {
		c := w.dial()
		pass()
		from := netip.MustParseAddrPort(c.LocalAddr().String())
		start := time.Now()
		v := &verdict{}
		for range 1000 {
			w.port.Send(Way{Remote: from, Accepted: true}, make([]byte, 1000), v)
		}
		if time.Since(start) != 0 {
			t.Error("the caller had to wait")
		}
		synctest.Wait()
		if v.mu.Lock(); !errors.Is(v.err, ErrCongested) {
			t.Errorf("got %v", v.err)
		}
		v.mu.Unlock()
		time.Sleep(6 * time.Second)
		if w.port.Len() != 0 {
			t.Error("a connection that takes nothing stays")
		}
	})
}

// browse opens a WebSocket with what a header says.
func (w *world) browse(origin, protocol string) (*websocket.Conn, *http.Response, error) {
	h := http.Header{}
	if origin != "" {
		h.Set("Origin", origin)
	}
	var protocols []string
	if protocol != "" {
		protocols = []string{protocol}
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) {
		return w.dial(), nil
	}}}
	return websocket.Dial(w.Context(), "ws://switch.example.com:5061/", &websocket.DialOptions{HTTPClient: client, HTTPHeader: h, Subprotocols: protocols})
}

func TestWebSocket(t *testing.T) {
	play(t, "ws", func(w *world) {
		ws, _, err := w.browse("http://switch.example.com:5061", "sip")
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range []websocket.MessageType{websocket.MessageText, websocket.MessageBinary} {
			if err := ws.Write(w.Context(), kind, []byte(sipText("hello"))); err != nil {
				t.Error(err)
			}
			if _, got, err := ws.Read(w.Context()); err != nil || string(got) != sipText("answer") {
				t.Errorf("%q, %v", got, err)
			}
		}
		_ = ws.Write(w.Context(), websocket.MessageText, []byte("\r\n\r\n"))
		if _, got, err := ws.Read(w.Context()); err != nil || string(got) != "\r\n" {
			t.Errorf("%q, %v", got, err)
		}
		if err := ws.Close(websocket.StatusNormalClosure, ""); err != nil {
			t.Error(err)
		}
		pass()
		if w.port.Len() != 0 || w.gone == 0 {
			t.Errorf("%d left", w.port.Len())
		}
	})
}

func TestAttack09OriginsAndProtocols(t *testing.T) {
	for _, c := range []struct {
		origin, protocol string
		allowed          []string
		status           int
	}{
		{"", "sip", nil, 101},
		{"http://evil.example.org", "sip", nil, 403},
		{"http://phone.example.com", "sip", []string{"phone.example.com"}, 101},
		{"http://phone.example.com.evil.org", "sip", []string{"phone.example.com"}, 403},
		{"null", "sip", []string{"phone.example.com"}, 403},
		{"http://evil.example.org", "sip", []string{"*"}, 101},
		{"", "", nil, 400},
		{"", "chat", nil, 400},
	} {
		play(t, "ws", func(w *world) {
			ws, res, _ := w.browse(c.origin, c.protocol)
			if res == nil || res.StatusCode != c.status {
				t.Errorf("%+v: %v", c, res)
			}
			if ws != nil {
				_ = ws.CloseNow()
			}
			time.Sleep(2 * time.Second)
		}, func(cfg *Config) { cfg.Origins = c.allowed })
	}
}

const upgrade = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\n\r\n"

func TestAttack08FramesThatAreRefused(t *testing.T) {
	fragment := "\x80\x00\x00\x00\x00" // FIN cleared below: masked, empty
	for name, c := range map[string]struct {
		frames string
		code   string
	}{
		"a terabyte":        {"\x82\xff\x00\x00\x01\x00\x00\x00\x00\x00mask" + strings.Repeat("x", 100<<10), "\x03\xf1"}, // 1009
		"unmasked":          {"\x82\x05hello", "\x03\xea"},                                                               // 1002
		"fragments":         {"\x02\xfe\x40\x00mask" + strings.Repeat("x", 0x4000) + strings.Repeat("\x00\xfe\x40\x00mask"+strings.Repeat("x", 0x4000), 6), "\x03\xf1"},
		"a long ping":       {"\x89\xfe\x00\x80mask" + strings.Repeat("x", 128), "\x03\xea"},
		"reserved bits":     {"\xf2\x85maskhello", "\x03\xea"},
		"an unknown opcode": {"\x83" + fragment, "\x03\xea"},
	} {
		play(t, "ws", func(w *world) {
			conn := w.dial()
			write(conn, upgrade)
			go write(conn, c.frames)
			took, got := ends(conn)
			_, frames, _ := strings.Cut(got, "\r\n\r\n")
			if !strings.HasPrefix(frames, "\x88") || !strings.Contains(frames, c.code) || took > 5*time.Second {
				t.Errorf("%s: after %v: %q", name, took, frames)
			}
			_ = conn.Close()
			time.Sleep(11 * time.Second)
		})
	}
}

func TestNewCertificateWithoutARestart(t *testing.T) {
	var now func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	play(t, "tls", func(w *world) {
		for _, name := range []string{"old.example.com", "new.example.com"} {
			now, _ = w.pair(name)
			c := tls.Client(w.dial(), &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // it is looked at
			if err := c.Handshake(); err != nil {
				t.Fatal(err)
			}
			if got := c.ConnectionState().PeerCertificates[0].Subject.CommonName; got != name {
				t.Errorf("shows %s, want %s", got, name)
			}
		}
	}, func(cfg *Config) {
		cfg.Certificate = func(h *tls.ClientHelloInfo) (*tls.Certificate, error) { return now(h) }
	})
}

func TestManyConnectionsFromOneSource(t *testing.T) {
	for _, network := range []string{"tls", "ws"} {
		play(t, network, func(w *world) {
			for range 200 {
				w.dial()
			}
			pass()
			if n := w.port.Len(); n != maxStrangersSource {
				t.Errorf("%s: %d connections", network, n)
			}
			time.Sleep(time.Minute)
			if n := w.port.Len(); n != 0 {
				t.Errorf("%s: %d are still there", network, n)
			}
		})
	}
}

// A SIP domain in a certificate is the only thing that counts (RFC 5922 §7.1).
func TestAttack42SIPIdentity(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now(), NotAfter: time.Now().Add(24 * time.Hour),
		DNSNames: []string{"host.example.net"}, URIs: []*url.URL{{Scheme: "sip", Opaque: "alice@example.org"}, {Scheme: "sip", Opaque: "example.net"}}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	for name, good := range map[string]bool{"example.net": true, "host.example.net": false, "example.org": false} {
		if err := verify([]*x509.Certificate{leaf}, pool, name, leaf.NotBefore.Add(time.Hour)); (err == nil) != good {
			t.Errorf("%s: %v", name, err)
		}
	}
}
