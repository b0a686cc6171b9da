package stir

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	fetchLimit   = 2 * time.Second
	maxBody      = 64 << 10
	maxChain     = 8   // certificates in one file
	maxKept      = 256 // files kept
	maxFetches   = 16  // at a time
	keepFor      = time.Hour
	keepLongest  = 24 * time.Hour
	keepShortest = time.Minute
	keepFailure  = 30 * time.Second
)

// Config says whom to trust, and where certificates may come from. Roots is
// needed.
type Config struct {
	// Roots are the authorities (in North America those of the STI-PA).
	Roots *x509.CertPool
	// Certificates by the URL that tokens name them with: leaf first.
	Certificates map[string][]*x509.Certificate
	// FetchFrom are the hosts that certificates may be fetched from, each a name
	// or name:port. Empty fetches nothing.
	FetchFrom []string

	// AllowPrivate lets the hosts have private and loopback addresses.
	AllowPrivate bool
	// TLS replaces the system's trust for fetching.
	TLS *tls.Config
	// Now replaces time.Now.
	Now func() time.Time
}

// Files name what Load reads.
type Files struct {
	Roots     string            // PEM
	Certs     map[string]string // URL to PEM file
	FetchFrom []string
}

// Load reads the files and makes a Verifier, or nil when no roots are named.
func Load(f Files, now func() time.Time) (*Verifier, error) {
	if f.Roots == "" {
		return nil, nil
	}
	roots, err := readCertificates(f.Roots)
	if err != nil {
		return nil, err
	}
	cfg := Config{Roots: x509.NewCertPool(), Certificates: map[string][]*x509.Certificate{}, FetchFrom: f.FetchFrom, Now: now}
	for _, c := range roots {
		cfg.Roots.AddCert(c)
	}
	for u, file := range f.Certs {
		if cfg.Certificates[u], err = readCertificates(file); err != nil {
			return nil, err
		}
	}
	return New(cfg), nil
}

func readCertificates(file string) ([]*x509.Certificate, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("stir: %w", err)
	}
	list, err := certificatesOf(data, 1<<10)
	if err != nil {
		return nil, fmt.Errorf("stir: %s: %w", file, err)
	}
	return list, nil
}

// certificatesOf reads PEM, or a single certificate in DER.
func certificatesOf(data []byte, most int) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w", len(out)+1, err)
		}
		if out = append(out, c); len(out) > most {
			return nil, fmt.Errorf("more than %d certificates", most)
		}
	}
	if len(out) == 0 {
		c, err := x509.ParseCertificate(data)
		if err != nil {
			return nil, errors.New("no certificate in it")
		}
		out = append(out, c)
	}
	return out, nil
}

// Verifier judges identities. Its methods may be called from any goroutine.
type Verifier struct {
	cfg    Config
	client *http.Client
	busy   chan struct{} // as many as may be fetched at a time

	mu   sync.Mutex
	kept map[string]*kept
}

// kept is a fetched file, or one that is being fetched.
type kept struct {
	ready chan struct{} // closed once the rest is there
	chain []*x509.Certificate
	err   error
	until time.Time
}

// New makes a verifier.
func New(cfg Config) *Verifier {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	v := &Verifier{cfg: cfg, kept: map[string]*kept{}, busy: make(chan struct{}, maxFetches)}
	dial := &net.Dialer{Timeout: fetchLimit, Control: func(_, address string, _ syscall.RawConn) error { return v.reachable(address) }}
	v.client = &http.Client{
		Timeout: fetchLimit,
		Transport: &http.Transport{
			DialContext: dial.DialContext, TLSClientConfig: cfg.TLS, ForceAttemptHTTP2: true,
			DisableCompression: true, MaxResponseHeaderBytes: maxBody, MaxIdleConns: maxFetches, IdleConnTimeout: time.Minute,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return v
}

// reachable is asked for the address that is about to be connected to, after
// the name was resolved: so a name cannot lead inside.
func (v *Verifier) reachable(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	a := at.Addr().Unmap()
	if !v.cfg.AllowPrivate && (!a.IsGlobalUnicast() || a.IsPrivate() || sharedNetwork.Contains(a)) {
		return fmt.Errorf("%s is no public address", a)
	}
	return nil
}

// sharedNetwork is RFC 6598's, in which carriers keep their own.
var sharedNetwork = netip.MustParsePrefix("100.64.0.0/10")

// allowed tells whether certificates may come from a URL.
func (v *Verifier) allowed(u string) error {
	parsed, err := url.Parse(u)
	switch {
	case err != nil || parsed.Scheme != "https" || parsed.Host == "" || parsed.User != nil:
		return errors.New("not an https URL")
	case !slices.ContainsFunc(v.cfg.FetchFrom, func(host string) bool {
		return strings.EqualFold(host, parsed.Host) || strings.EqualFold(host, parsed.Hostname()) && cmp.Or(parsed.Port(), "443") == "443"
	}):
		return fmt.Errorf("%q is not among the hosts to fetch from", parsed.Host)
	}
	return nil
}

// certificates gives the chain that a URL stands for.
func (v *Verifier) certificates(ctx context.Context, u string) ([]*x509.Certificate, error) {
	if chain := v.cfg.Certificates[u]; len(chain) > 0 {
		return chain, nil
	}
	if err := v.allowed(u); err != nil {
		return nil, unavailable{err}
	}
	k, mine := v.keep(u)
	if mine {
		v.fetch(ctx, u, k)
	}
	select {
	case <-k.ready:
	case <-ctx.Done():
		return nil, unavailable{ctx.Err()}
	}
	if k.err != nil {
		return nil, unavailable{k.err}
	}
	return k.chain, nil
}

// keep finds what is known of a URL, or begins to: then the caller has to fetch.
func (v *Verifier) keep(u string) (k *kept, mine bool) {
	now := v.cfg.Now()
	v.mu.Lock()
	defer v.mu.Unlock()
	if k, ok := v.kept[u]; ok && (k.until.IsZero() || k.until.After(now)) {
		return k, false
	}
	if len(v.kept) >= maxKept {
		for old, k := range v.kept {
			if !k.until.IsZero() { // not one that is being fetched
				delete(v.kept, old)
				break
			}
		}
	}
	k = &kept{ready: make(chan struct{})}
	v.kept[u] = k
	return k, true
}
