package webhook

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"crypto/tls"
)

// ErrForbidden says that an address may not be called.
var ErrForbidden = errors.New("the address is not allowed")

// Guard says where requests may go. The zero value lets them go to https
// addresses on the public internet.
type Guard struct {
	// AllowPrivate lets requests go to loopback, private and link-local
	// addresses, too, and by http.
	AllowPrivate bool
	// AllowHTTP lets requests go by http to public addresses.
	AllowHTTP bool
	// ConnectTimeout is for resolving and connecting; 0 means 2 s.
	ConnectTimeout time.Duration
	// Resolve gives the addresses of a name; nil means the system's resolver.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	// Dial connects to an address that was checked; nil means TCP.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// TLS is how certificates are checked; nil means by the system's roots.
	TLS *tls.Config
}

const defaultConnect = 2 * time.Second

// NewClient makes an HTTP client that goes only where g allows, follows no
// redirects, uses no proxy and asks for no compression. It has no time-out of
// its own but for connecting: give each request a context with a deadline.
func NewClient(g Guard) *http.Client {
	if g.ConnectTimeout <= 0 {
		g.ConnectTimeout = defaultConnect
	}
	if g.Resolve == nil {
		g.Resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	if g.Dial == nil {
		g.Dial = new(net.Dialer).DialContext
	}
	tr := &http.Transport{
		DialContext:            g.dial,
		TLSClientConfig:        g.TLS,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		TLSHandshakeTimeout:    g.ConnectTimeout,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    8,
		IdleConnTimeout:        60 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
	return &http.Client{
		Transport:     guarded{g, tr},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// guarded refuses schemes before anything is resolved.
type guarded struct {
	g  Guard
	tr *http.Transport
}

// RoundTrip implements http.RoundTripper.
func (t guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	switch {
	case r.URL.Scheme == "https":
	case r.URL.Scheme == "http" && (t.g.AllowHTTP || t.g.AllowPrivate):
	case r.URL.Scheme == "http":
		return nil, fmt.Errorf("%w: https is wanted", ErrForbidden)
	default:
		return nil, fmt.Errorf("%w: the scheme %q is not http", ErrForbidden, r.URL.Scheme)
	}
	return t.tr.RoundTrip(r)
}

// CloseIdleConnections lets http.Client close what is kept for later.
func (t guarded) CloseIdleConnections() { t.tr.CloseIdleConnections() }

// dial resolves, checks, and connects to what was checked. Of several
// addresses the forbidden ones are passed over.
func (g Guard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, g.ConnectTimeout)
	defer cancel()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", address, err)
	}
	addrs, err := g.lookup(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("resolve %s: %w", host, err)
	}
	refused := fmt.Errorf("resolve %s: there are no addresses", host)
	for _, addr := range addrs {
		addr = addr.Unmap()
		if why := g.forbids(addr); why != "" {
			refused = fmt.Errorf("%w: %s leads to %s, which is %s", ErrForbidden, host, addr, why)
			continue
		}
		conn, err := g.Dial(ctx, network, net.JoinHostPort(addr.String(), port))
		if err == nil {
			return conn, nil
		}
		refused = err
		if ctx.Err() != nil {
			break
		}
	}
	return nil, refused
}

func (g Guard) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return []netip.Addr{addr}, nil
	}
	return g.Resolve(ctx, host)
}

// forbids says why an address may not be called, "" when it may.
func (g Guard) forbids(addr netip.Addr) string {
	switch {
	case !addr.IsValid() || addr.IsUnspecified():
		return "no address"
	case addr.IsMulticast() || addr == broadcast:
		return "multicast"
	case g.AllowPrivate:
		return ""
	}
	return nonPublic(addr)
}
