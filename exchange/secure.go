package exchange

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"b2bua/internal/certificate"
	"b2bua/sip"
)

// sipTLS is who we are over TLS and whom we believe. Without a listener that
// needs it no certificate is made.
func (x *Exchange) sipTLS() (sip.TLSConfig, error) {
	var c sip.TLSConfig
	secure := slices.ContainsFunc(x.cfg.SIP.Listen, func(l string) bool {
		return strings.HasPrefix(l, "tls://") || strings.HasPrefix(l, "wss://")
	})
	if !secure {
		return c, nil
	}
	roots, err := withAuthorities(x.cfg.SIP.TLS.CA)
	if err != nil {
		return c, err
	}
	c.Roots = roots
	if x.cfg.SIP.TLS.Cert != "" {
		files, err := certificate.Load(x.cfg.SIP.TLS.Cert, x.cfg.SIP.TLS.Key, x.log)
		if err != nil {
			return c, fmt.Errorf("sip.tls: %w", err)
		}
		c.Certificate = files.Get
		return c, nil
	}
	own, err := certificate.SelfSigned(filepath.Join(x.cfg.DataDir, "sip-self-signed.pem"), certificate.Names(x.sipNames()), x.opt.Now())
	if err != nil {
		return c, fmt.Errorf("sip.tls: %w", err)
	}
	c.Certificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &own, nil }
	return c, nil
}

// sipNames are what far ends may call us by.
func (x *Exchange) sipNames() []string {
	names := []string{x.cfg.SIP.Advertise}
	for _, l := range x.cfg.SIP.Listen {
		_, address, _ := strings.Cut(l, "://")
		host, _, err := net.SplitHostPort(address)
		if ip := net.ParseIP(host); err == nil && (ip == nil || !ip.IsUnspecified()) {
			names = append(names, host)
		}
	}
	return names
}

// withAuthorities are the system's authorities and those of a file; nil means
// the system's.
func withAuthorities(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("sip.tls.ca: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("sip.tls.ca: %s: %w", file, errNoCertificates)
	}
	return pool, nil
}

var errNoCertificates = errors.New("no PEM certificate in it")
