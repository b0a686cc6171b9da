package transport

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"
)

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
