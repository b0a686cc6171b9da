package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

const (
	// dialTime is for connecting and the handshake together: a second trunk has to
	// be tried before the caller gives up.
	dialTime    = 4 * time.Second
	handshakeIn = 10 * time.Second
)

// dial makes the connection and then reads from it.
func (p *Port) dial(c *Conn) {
	ctx, cancel := context.WithTimeout(p.ctx, dialTime)
	l, err := p.connect(ctx, c)
	cancel()
	if err != nil {
		// What waits would try the same address in vain, each for as long: it would be
		// late, and sent when nobody wants it.
		c.fail(fmt.Errorf("%w %s: %w", ErrConnect, c.key.remote, err))
		return
	}
	c.serve(l)
}

// fail ends a connection that could not be made, with all that waits for it.
func (c *Conn) fail(err error) {
	c.mu.Lock()
	for i := range c.queue {
		c.queue[i].again = true
	}
	c.mu.Unlock()
	c.end(err)
}

func (p *Port) connect(ctx context.Context, c *Conn) (link, error) {
	if p.cfg.Network == "tls" && !c.key.insecure {
		if err := checkName(c.key.name); err != nil {
			return nil, err
		}
	}
	raw, err := p.cfg.Dial(ctx, p.local, c.key.remote)
	if err != nil {
		return nil, err
	}
	if !c.took(raw) {
		return nil, errClosed
	}
	t := &tracked{raw, c}
	if p.cfg.Network == "tcp" {
		return newStream(t, c), nil
	}
	secured := tls.Client(t, p.clientConfig(c.key))
	if err := handshake(ctx, secured, dialTime); err != nil {
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return newStream(secured, c), nil
}

func handshake(ctx context.Context, c *tls.Conn, most time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	return c.HandshakeContext(ctx)
}

func (p *Port) serverConfig() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: p.cfg.Certificate, Time: p.cfg.Now}
}

func (p *Port) clientConfig(k key) *tls.Config {
	cfg := &tls.Config{
		MinVersion: tls.VersionTLS12, ServerName: k.name, Time: p.cfg.Now,
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection does it, by the rules of SIP
	}
	if !k.insecure {
		cfg.VerifyConnection = func(state tls.ConnectionState) error {
			return verify(state.PeerCertificates, p.cfg.Roots, k.name, p.cfg.Now())
		}
	}
	if own := p.cfg.Certificate; own != nil {
		// Some carriers want to know who calls.
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return own(&tls.ClientHelloInfo{ServerName: k.name})
		}
	}
	return cfg
}

var errName = errors.New("not a name that a certificate can prove")

// checkName refuses names that two readers could read differently, such as ones
// with a NUL in them.
func checkName(name string) error {
	if _, err := netip.ParseAddr(name); err == nil {
		return nil
	}
	for i := range len(name) {
		c := name[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '.' && c != '_' {
			return fmt.Errorf("%q: %w", name, errName)
		}
	}
	if name == "" || len(name) > 253 || strings.Contains(name, "..") || name[0] == '.' {
		return fmt.Errorf("%q: %w", name, errName)
	}
	return nil
}

// verify checks a chain, and that its end is who name says: by a SIP URI in the
// certificate (RFC 5922 §7.1), else by a DNS name or an address. name is what the
// owner has configured, never what DNS answered.
func verify(chain []*x509.Certificate, roots *x509.CertPool, name string, now time.Time) error {
	if len(chain) == 0 {
		return errors.New("no certificate")
	}
	leaf := chain[0]
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}); err != nil {
		return err
	}
	identities := 0
	for _, u := range leaf.URIs {
		if host, ok := sipIdentity(u); ok {
			identities++
			if strings.EqualFold(host, name) {
				return nil
			}
		}
	}
	if identities > 0 {
		return fmt.Errorf("the certificate is for other SIP domains than %s", name)
	}
	return leaf.VerifyHostname(name)
}

// sipIdentity reads a URI of a certificate; one with a user is not a domain's.
func sipIdentity(u *url.URL) (host string, ok bool) {
	if !strings.EqualFold(u.Scheme, "sip") || strings.Contains(u.Opaque, "@") || u.User != nil {
		return "", false
	}
	host, _, _ = strings.Cut(u.Opaque, ";")
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return host, host != ""
}
