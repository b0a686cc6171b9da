package sip

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"b2bua/sip/capture"
	"b2bua/sip/guard"
	"b2bua/sip/locate"
	"b2bua/sip/registrar"
	"b2bua/sip/stir"
	"b2bua/sip/transport"
)

// Config is what an Endpoint needs to know. The zero value listens on
// udp://127.0.0.1:5060.
type Config struct {
	// Listen has one URL for each socket, "udp://host:port", "tcp://…", "tls://…",
	// "ws://…" or "wss://…".
	Listen []string
	// Advertise is the host told to the far end in Via and Contact. Empty means
	// the listening address, or, when that is unspecified, the one that packets
	// to the far end leave from.
	Advertise string
	// Realm of our digest challenges; "b2bua".
	Realm string
	// UserAgent is sent as Server and User-Agent; empty sends neither.
	UserAgent string
	// Verify checks who vouches for callers' numbers (STIR/SHAKEN); nil checks
	// nothing and believes what trunks say of it.
	Verify *stir.Verifier
	// Registrar bounds the registrations.
	Registrar registrar.Config

	// SessionExpires is how long a session lasts that nobody refreshes (RFC 4028);
	// 0 is 30 minutes, below 0 asks for no refreshes of our own accord.
	SessionExpires time.Duration
	// MinSE is the shortest such time that we agree to; 0 is 90 seconds, the least
	// that is allowed.
	MinSE time.Duration

	// MaxPending is how many calls may have come in and not be answered yet; more
	// are refused with 503. 4,000.
	MaxPending int
	// MaxCPS is how many calls a second may come in; 0 is no limit.
	MaxCPS float64

	// Capture keeps the messages of calls to be looked at; nil keeps none.
	Capture *capture.Recorder

	// Guard says what strangers may do; its Trusted and Now are set here.
	Guard guard.Config

	// TLS is who we are on tls and wss listeners, and whom we believe.
	TLS TLSConfig
	// Origins are the web pages that may open a WebSocket, as host patterns such as
	// "phone.example.com" or "https://*.example.com"; "*" lets in every page. Empty
	// means pages of the host connected to, and programs, which name no origin.
	Origins []string

	// ListenPacket replaces net.ListenPacket, ListenStream net.Listen.
	ListenPacket func(network, addr string) (net.PacketConn, error)
	ListenStream func(network, addr string) (net.Listener, error)
	// DialStream replaces net.Dialer for TCP and TLS; from is unspecified when any
	// address of ours will do.
	DialStream func(ctx context.Context, from netip.Addr, to netip.AddrPort) (net.Conn, error)
	// DNS says how the hosts of URIs are found (RFC 3263); its Transports and
	// Usable are set here.
	DNS locate.Config
	// Resolve is DNS.Hosts.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	// Summary counts the voicemail messages of a device (RFC 3842); false means that
	// it has no box. It may take its time. Nil means that nobody has one.
	Summary func(username string) (Summary, bool)
	// Now replaces time.Now for registrations and nonces.
	Now func() time.Time
	// Random gives a number from 0 up to 1, for the intervals of our registrations.
	Random func() float64
}

// TLSConfig is needed by tls and wss listeners.
type TLSConfig struct {
	// Certificate is asked at every handshake.
	Certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	// Roots verify those that we connect to; nil means the system's.
	Roots *x509.CertPool
}

func (c Config) withDefaults() Config {
	if len(c.Listen) == 0 {
		c.Listen = []string{"udp://127.0.0.1:5060"}
	}
	c.Realm = cmp.Or(c.Realm, "b2bua")
	c.MaxPending = cmp.Or(c.MaxPending, 4000)
	c.SessionExpires = cmp.Or(c.SessionExpires, 30*time.Minute)
	c.MinSE = cmp.Or(c.MinSE, leastSE)
	if c.ListenPacket == nil {
		c.ListenPacket = func(network, addr string) (net.PacketConn, error) {
			return (&net.ListenConfig{}).ListenPacket(context.Background(), network, addr)
		}
	}
	if c.ListenStream == nil {
		c.ListenStream = func(network, addr string) (net.Listener, error) {
			return (&net.ListenConfig{}).Listen(context.Background(), network, addr)
		}
	}
	if c.DialStream == nil {
		c.DialStream = dialStream
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Random == nil {
		c.Random = rand.Float64
	}
	return c
}

func dialStream(ctx context.Context, from netip.Addr, to netip.AddrPort) (net.Conn, error) {
	var d net.Dialer
	if from.IsValid() && !from.IsUnspecified() && from.IsLoopback() == to.Addr().IsLoopback() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
	}
	return d.DialContext(ctx, "tcp", to.String())
}

// Validate reports everything that is wrong with c.
func (c Config) Validate() error {
	var errs []error
	for _, l := range c.withDefaults().Listen {
		network, _, err := listenURL(l)
		if err != nil {
			errs = append(errs, err)
		} else if transport.Secure(network) && c.TLS.Certificate == nil {
			errs = append(errs, fmt.Errorf("listen: %q needs a certificate", l))
		}
	}
	if c.Advertise != "" && !isHost(c.Advertise) {
		errs = append(errs, fmt.Errorf("advertise: %q is neither an address nor a host name", c.Advertise))
	}
	if c.MinSE != 0 && c.MinSE < leastSE {
		errs = append(errs, fmt.Errorf("min-se: %v is below the %v of RFC 4028", c.MinSE, leastSE))
	}
	if se := c.SessionExpires; se > 0 && se < max(c.MinSE, leastSE) {
		errs = append(errs, fmt.Errorf("session-expires: %v is below min-se, %v", se, max(c.MinSE, leastSE)))
	}
	errs = append(errs, c.DNS.Validate())
	if strings.ContainsFunc(c.Realm, isControl) {
		errs = append(errs, errors.New("realm: control characters"))
	}
	if strings.ContainsFunc(c.UserAgent, isControl) {
		errs = append(errs, errors.New("user agent: control characters"))
	}
	return errors.Join(errs...)
}

// listenURL splits "udp://host:port".
func listenURL(s string) (network, addr string, err error) {
	network, addr, ok := strings.Cut(s, "://")
	if !ok || !slices.Contains([]string{"udp", "tcp", "tls", "ws", "wss"}, network) {
		return "", "", fmt.Errorf("listen: %q is not udp://host:port, nor one of tcp, tls, ws and wss", s)
	}
	if _, err := netip.ParseAddrPort(addr); err == nil {
		return network, addr, nil
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", "", fmt.Errorf("listen: %q: %w", s, err)
	}
	if host != "" && !isHost(host) {
		return "", "", fmt.Errorf("listen: %q: not a host", s)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", "", fmt.Errorf("listen: %q: not a port", s)
	}
	return network, addr, nil
}
