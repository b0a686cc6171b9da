package phone

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// RTPConn is a socket for RTP: *net.UDPConn, *memnet.Conn.
type RTPConn interface {
	ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error)
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
	LocalAddr() net.Addr
	Close() error
}

// Config is what a phone is made of. Name and Conn are needed.
type Config struct {
	Name    string // user part of its addresses and column of the ladder
	Display string // display name
	Conn    net.PacketConn
	// ListenRTP opens the socket of a call; real UDP sockets when nil. The port
	// asked for is 0.
	ListenRTP func(netip.AddrPort) (RTPConn, error)
	// Advertise is the address in Contact, Via and SDP; that of Conn when unset.
	Advertise netip.Addr
	Codecs    []string // PCMU, PCMA
	SRTP      []string // suites of SRTP it offers and takes, the first one it likes best: CM80, …; none: the sound is in the clear
	SRTPOnly  bool     // it makes and takes no call in the clear
	UserAgent string   // "testphone"
	Quirks    Quirks
	Ladder    *Ladder // one of its own when nil
	Log       *slog.Logger
}

// Quirks make a phone misbehave, or behave like a plain one without being told.
type Quirks struct {
	NoACK       bool          // answers with 2xx are not acknowledged
	LateACK     time.Duration // the ACK for a 2xx is sent so much later
	NoRTP       bool          // sends no RTP; what it hears is kept
	AnswerAfter time.Duration // incoming calls ring and are answered by themselves
	RejectWith  int           // incoming calls are rejected by themselves
	Silent      bool          // incoming INVITEs are not answered at all, not even with 100
	Refuse      int           // re-INVITEs are refused with this code
	Answer      []Header      // added to 2xx of INVITE and UPDATE
	NoTrying    bool          // no 100 before Ring, Accept or Reject
	Registrar   time.Duration // takes every registration, for so long

	Opportunistic bool   // offers its keys in RTP/AVP (RFC 8643)
	KeyLife       string // how many packets its keys are for, as descriptions tell it: 2^9
	Sequence      uint16 // of the first RTP packet of a call; 0: any
}

// ErrClosed is what calls and requests of a closed phone end with.
var ErrClosed = errors.New("phone closed")

// Phone is a softphone. Its methods may be called from any goroutine.
type Phone struct {
	cfg    Config
	at     netip.AddrPort // as advertised
	ladder *Ladder
	quit   chan struct{}
	wg     sync.WaitGroup

	mu            sync.Mutex
	changed       chan struct{} // closed and replaced whenever something happened
	closed        bool
	clients       map[string]*client
	servers       map[string]*server
	calls         map[string]*Call // by Call-ID and own tag
	incoming      []*Call
	account       account
	cseq          int
	requests      map[string]int           // requests received outside calls, by method
	subscriptions map[string]*Subscription // by Call-ID
	notifications []Notification
}

// account is what Register taught the phone.
type account struct {
	registrar      netip.AddrPort
	user, password string
	callID         string
}

// New makes a phone and starts reading its socket.
func New(cfg Config) (*Phone, error) {
	if cfg.Name == "" || cfg.Conn == nil {
		return nil, errors.New("a phone needs a name and a socket")
	}
	local, err := netip.ParseAddrPort(cfg.Conn.LocalAddr().String())
	if err != nil {
		return nil, fmt.Errorf("address of %s: %w", cfg.Name, err)
	}
	ip := local.Addr()
	if ip.IsUnspecified() {
		ip = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	if cfg.Advertise.IsValid() {
		ip = cfg.Advertise
	}
	if cfg.ListenRTP == nil {
		cfg.ListenRTP = listenUDP
	}
	if len(cfg.Codecs) == 0 {
		cfg.Codecs = []string{PCMU, PCMA}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	cfg.UserAgent = cmp.Or(cfg.UserAgent, "testphone")
	p := &Phone{
		cfg: cfg, at: netip.AddrPortFrom(ip, local.Port()), ladder: cfg.Ladder,
		quit: make(chan struct{}), changed: make(chan struct{}),
		clients: map[string]*client{}, servers: map[string]*server{},
		calls: map[string]*Call{}, requests: map[string]int{},
		subscriptions: map[string]*Subscription{},
	}
	if p.ladder == nil {
		p.ladder = NewLadder(cfg.Name)
	}
	p.ladder.join(p.at, cfg.Name)
	p.wg.Add(1)
	go p.read()
	return p, nil
}

func listenUDP(at netip.AddrPort) (RTPConn, error) {
	return net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
}

// Name is the phone's name.
func (p *Phone) Name() string { return p.cfg.Name }

// Addr is the phone's SIP address.
func (p *Phone) Addr() netip.AddrPort { return p.at }

// URI is how to call the phone directly.
func (p *Phone) URI() string { return p.contact(p.cfg.Name) }

// Ladder is the drawing of what the phone sent and received.
func (p *Phone) Ladder() string { return p.ladder.String() }

// Received counts the requests of a method that came outside of calls.
func (p *Phone) Received(method string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests[method]
}

// Close drops every call without a word, closes the sockets and waits.
func (p *Phone) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	calls := make([]*Call, 0, len(p.calls))
	for _, c := range p.calls {
		calls = append(calls, c)
	}
	close(p.quit)
	p.wake()
	p.mu.Unlock()
	err := p.cfg.Conn.Close()
	for _, c := range calls {
		c.audio.close()
	}
	p.wg.Wait()
	return err
}

// Next waits for the next incoming call.
func (p *Phone) Next(ctx context.Context) (*Call, error) {
	var c *Call
	err := p.await(ctx, func() bool {
		if len(p.incoming) == 0 {
			return false
		}
		c, p.incoming = p.incoming[0], p.incoming[1:]
		return true
	})
	return c, err
}

// await waits until something is true; it is asked with mu held.
func (p *Phone) await(ctx context.Context, is func() bool) error {
	for {
		p.mu.Lock()
		done, closed, changed := is(), p.closed, p.changed
		p.mu.Unlock()
		switch {
		case done:
			return nil
		case closed:
			return ErrClosed
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// wake lets everyone who awaits something look again; mu is held.
func (p *Phone) wake() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// spawn runs f on a goroutine that Close waits for.
func (p *Phone) spawn(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.wg.Add(1)
		go func() {
			defer p.wg.Done()
			f()
		}()
	}
}

// pause waits unless the phone is closed before.
func (p *Phone) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-p.quit:
		return false
	}
}

func (p *Phone) read() {
	defer p.wg.Done()
	b := make([]byte, 65535)
	for {
		n, addr, err := p.cfg.Conn.ReadFrom(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			if !p.pause(10 * time.Millisecond) {
				return
			}
			continue
		}
		from, err := netip.ParseAddrPort(addr.String())
		if err != nil || n <= 4 {
			continue
		}
		m, err := parse(b[:n])
		if err != nil {
			p.cfg.Log.Warn("unreadable message", "phone", p.cfg.Name, "err", err)
			continue
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		p.ladder.tell(p.at, from, p.at, b[:n], m)
		if m.code > 0 {
			p.response(m)
		} else {
			p.request(m, from)
		}
	}
}

// send writes a message as it is; what a socket refuses is lost.
func (p *Phone) send(m *message, to netip.AddrPort) {
	raw := m.bytes()
	p.ladder.tell(p.at, p.at, to, raw, m)
	if _, err := p.cfg.Conn.WriteTo(raw, net.UDPAddrFromAddrPort(to)); err != nil && !errors.Is(err, net.ErrClosed) {
		p.cfg.Log.Warn("send", "phone", p.cfg.Name, "err", err)
	}
}

// token is a random word for tags, branches and call ids.
func token() string { return rand.Text()[:16] }
