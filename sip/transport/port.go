package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// Owner is whom a Port works for. Its methods are called from many goroutines
// and must not wait.
type Owner interface {
	// Blocked sources may not connect.
	Blocked(netip.Addr) bool
	// Trusted sources are not counted as strangers.
	Trusted(netip.Addr) bool
	// Keeps says for how long from now something depends on the connection, as far
	// as is known; 0 when nothing does.
	Keeps(*Conn) time.Duration
	// Received is one whole message, valid during the call, in order of arrival.
	Received(*Conn, []byte)
	// Broken is what can be known of a message that ends the connection. What is
	// sent on the connection during the call is still delivered.
	Broken(*Conn, *BrokenError)
	// Gone is told when a connection that was there has ended, maybe twice, and
	// whether the same far end is connected again by now.
	Gone(c *Conn, again bool)
}

// Config of a Port. Origins and Roots may be left out.
type Config struct {
	Network  string // tcp | tls | ws | wss
	Listener net.Listener
	Owner    Owner
	Door     *Door
	Log      *slog.Logger
	Now      func() time.Time // what certificates are checked against

	// Dial connects from an address of ours, any when it is unspecified.
	Dial func(ctx context.Context, from netip.Addr, to netip.AddrPort) (net.Conn, error)

	Certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error) // tls and wss
	Roots       *x509.CertPool                                       // whom we believe; nil is the system's
	Origins     []string                                             // ws and wss: see sip.Config
}

// Secure reports whether nobody on the way can read or change what is carried.
func Secure(network string) bool { return network == "tls" || network == "wss" }

// Web reports whether the network is for browsers: connections only come in.
func Web(network string) bool { return network == "ws" || network == "wss" }

// Port is one listening address with its connections.
type Port struct {
	cfg   Config
	local netip.Addr

	ctx  context.Context // ends when the port closes
	stop context.CancelFunc
	web  *http.Server // ws and wss

	mu    sync.Mutex
	over  bool
	all   map[*Conn]struct{}
	byKey map[key]*Conn
	wg    sync.WaitGroup
}

// key tells connections apart: by address, and by who is at the other end.
type key struct {
	remote   netip.AddrPort
	name     string
	insecure bool
}

// Way is how a message is to go: over the connection with Remote while it lasts,
// else over one to Dial, which is made when it is not there. An invalid Dial is
// nowhere. Over TLS the far end must be Name, unless Insecure. Of a Remote that
// was Accepted no name is known.
type Way struct {
	Remote   netip.AddrPort
	Dial     netip.AddrPort
	Name     string
	Insecure bool
	Accepted bool
}

func (w Way) key(remote netip.AddrPort) key {
	return key{netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port()), w.Name, w.Insecure}
}

// NewPort takes over a listener. Serve starts it.
func NewPort(cfg Config) (*Port, error) {
	at, err := netip.ParseAddrPort(cfg.Listener.Addr().String())
	if err != nil {
		return nil, fmt.Errorf("bound to %s: %w", cfg.Listener.Addr(), err)
	}
	p := &Port{cfg: cfg, local: at.Addr().Unmap(), all: map[*Conn]struct{}{}, byKey: map[key]*Conn{}}
	p.ctx, p.stop = context.WithCancel(context.Background())
	if Web(cfg.Network) {
		p.web = p.newWeb()
	}
	return p, nil
}

// Addr is the listening address.
func (p *Port) Addr() net.Addr { return p.cfg.Listener.Addr() }

// Len counts the connections.
func (p *Port) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.all)
}

// tellEvery is how often the log says that a listener does not listen.
const tellEvery = 10 * time.Second

// Serve accepts connections until the port is closed.
func (p *Port) Serve() {
	p.mu.Lock()
	over := p.over
	if !over {
		p.wg.Add(1)
	}
	p.mu.Unlock()
	if over {
		return
	}
	defer p.wg.Done()
	var told time.Time
	for p.ctx.Err() == nil {
		var err error
		if p.web != nil {
			err = p.web.Serve(guests{p})
		} else {
			err = p.accept()
		}
		if p.ctx.Err() != nil {
			return
		}
		// Out of file descriptors, say: that passes, and until then is told now and then.
		if now := time.Now(); told.IsZero() || now.Sub(told) >= tellEvery {
			told = now
			p.cfg.Log.Warn("listener interrupted", "network", p.cfg.Network, "err", err)
		}
		pause(p.ctx, 50*time.Millisecond)
	}
}

func (p *Port) accept() error {
	for {
		c, raw, err := p.guest()
		if err != nil {
			return err
		}
		p.spawn(func() { p.welcome(c, raw) })
	}
}

// guest gives the next connection that may come in.
func (p *Port) guest() (*Conn, *tracked, error) {
	for {
		raw, err := p.cfg.Listener.Accept()
		if err != nil {
			return nil, nil, err
		}
		remote, err := netip.ParseAddrPort(raw.RemoteAddr().String())
		if err != nil {
			_ = raw.Close()
			continue
		}
		c := &Conn{port: p, key: Way{}.key(remote), opened: time.Now()}
		if !p.cfg.Door.enter(c) {
			_ = raw.Close()
			continue
		}
		if !p.add(c) {
			p.cfg.Door.leave(c)
			_ = raw.Close()
			continue
		}
		t := &tracked{raw, c}
		if c.took(raw) {
			return c, t, nil
		}
	}
}

// welcome serves a connection that came in.
func (p *Port) welcome(c *Conn, raw *tracked) {
	if p.cfg.Network == "tcp" {
		c.serve(newStream(raw, c))
		return
	}
	secured := tls.Server(raw, p.serverConfig())
	if err := handshake(p.ctx, secured, handshakeIn); err != nil {
		p.cfg.Log.Debug("TLS refused", "source", c.key.remote, "err", err)
		c.end(ErrGone)
		return
	}
	c.serve(newStream(secured, c))
}

// Send never waits. of may be nil; it is told, on a goroutine of its own, when
// the message certainly was not delivered.
func (p *Port) Send(w Way, data []byte, of Sender) {
	p.send(message{way: w, data: data, of: of})
}

func (p *Port) send(m message) {
	for {
		c, err := p.find(m.way)
		if err != nil {
			p.spawn(func() { m.fail(err) })
			return
		}
		if c.enqueue(m) {
			return
		}
		p.forget(c)
	}
}

// find gives the connection for a way, which may only just be made.
func (p *Port) find(w Way) (*Conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.there(w); c != nil {
		return c, nil
	}
	switch {
	case p.over:
		return nil, errClosed
	case !w.Dial.IsValid() || Web(p.cfg.Network):
		return nil, fmt.Errorf("%s: %w", w.Remote, ErrGone)
	}
	k := w.key(w.Dial)
	c := &Conn{port: p, key: k, dialled: true, opened: time.Now()}
	p.all[c], p.byKey[k] = struct{}{}, c
	p.wg.Go(func() { p.dial(c) })
	return c, nil
}

// Has reports whether there is a connection for a way.
func (p *Port) Has(w Way) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.there(w) != nil
}

// there is the connection for a way, or nil; mu is held.
func (p *Port) there(w Way) *Conn {
	k := w.key(w.Remote)
	if w.Accepted {
		k = Way{}.key(w.Remote)
	}
	if c, ok := p.byKey[k]; ok {
		return c
	}
	if !w.Dial.IsValid() || Web(p.cfg.Network) {
		return nil
	}
	return p.byKey[w.key(w.Dial)]
}

// another sends a message again whose connection has turned out to be dead, by a
// new one.
func (p *Port) another(m message, err error) {
	if m.again || !m.way.Dial.IsValid() || m.of != nil && !m.of.Wanted() {
		p.spawn(func() { m.fail(err) })
		return
	}
	m.again = true
	p.send(m)
}

// Close ends the listener and the connections, and waits for whoever is at them.
func (p *Port) Close() error {
	p.mu.Lock()
	p.over = true
	var all []*Conn
	for c := range p.all {
		all = append(all, c)
	}
	p.mu.Unlock()
	p.stop()
	err := p.cfg.Listener.Close()
	if p.web != nil {
		_ = p.web.Close()
	}
	for _, c := range all {
		c.end(errClosed)
	}
	p.wg.Wait()
	return err
}

// spawn reports false when the port is closed: then nothing is begun any more.
func (p *Port) spawn(f func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return false
	}
	p.wg.Go(f)
	return true
}

func (p *Port) add(c *Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return false
	}
	p.all[c], p.byKey[c.key] = struct{}{}, c
	return true
}

func (p *Port) has(c *Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.all[c]
	return ok
}

func (p *Port) forget(c *Conn) {
	p.mu.Lock()
	_, there := p.all[c]
	delete(p.all, c)
	if p.byKey[c.key] == c {
		delete(p.byKey, c.key)
	}
	p.mu.Unlock()
	if there && !c.dialled {
		p.cfg.Door.leave(c)
	}
}

// lost tells the owner.
func (p *Port) lost(c *Conn) {
	p.mu.Lock()
	_, again := p.byKey[c.key]
	p.mu.Unlock()
	p.cfg.Owner.Gone(c, again)
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
