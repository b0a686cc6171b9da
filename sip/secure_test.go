package sip_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"b2bua/internal/certificate"
	"b2bua/sip"
)

var (
	secureAt = netip.MustParseAddrPort("10.0.0.1:5061")
	webAt    = netip.MustParseAddrPort("10.0.0.1:8080")
	webSecAt = netip.MustParseAddrPort("10.0.0.1:8443")
	trunkTLS = netip.MustParseAddrPort("10.0.0.2:5061")
)

// proof is a certificate for names, in dir, and who believes it.
func proof(t testing.TB, dir string, names ...string) (*tls.Certificate, *x509.CertPool) {
	t.Helper()
	cert, err := certificate.SelfSigned(filepath.Join(dir, strings.Join(names, "+")), names, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert.Leaf)
	return &cert, pool
}

// protected has the switch listen for connections of every kind; who believes
// it is given to the story.
func protected(t *testing.T, f func(b *bench, believe *tls.Config), change ...func(*sip.Config)) {
	t.Helper()
	dir := t.TempDir()
	believe := &tls.Config{ServerName: "switch.example.com", MinVersion: tls.VersionTLS12}
	story(t, func(b *bench) { f(b, believe) }, append([]func(*sip.Config){func(c *sip.Config) {
		c.Listen = append(c.Listen, "tls://"+secureAt.String(), "ws://"+webAt.String(), "wss://"+webSecAt.String())
		cert, pool := proof(t, dir, "switch.example.com")
		believe.RootCAs = pool
		c.TLS.Certificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return cert, nil }
	}}, change...)...)
}

// secured is a phone's connection to the switch over TLS.
func (b *bench) secured(believe *tls.Config) *stream {
	b.t.Helper()
	raw, err := b.net.DialStream(b.t.Context(), phoneAt.Addr(), secureAt)
	if err != nil {
		b.t.Fatal(err)
	}
	c := tls.Client(raw, believe)
	if err := c.Handshake(); err != nil {
		b.t.Fatal(err)
	}
	return b.over(c)
}

func (b *bench) takes() func() *owner {
	return func() *owner {
		o, _ := b.take()
		return o
	}
}

// bound is the only binding of alice.
func (b *bench) bound(network string) sip.Binding {
	b.t.Helper()
	all := b.ep.Bindings("alice")
	if len(all) != 1 || all[0].Transport != network {
		b.t.Fatalf("%+v", all)
	}
	return all[0]
}

// A device registers, calls and is called over its TLS connection.
func TestDeviceOverTLS(t *testing.T) {
	protected(t, func(b *bench, believe *tls.Config) {
		phone := &handset{stream: b.secured(believe), network: "TLS", sentBy: "192.168.1.7:5061",
			contact: "sip:alice@192.168.1.7:5061;transport=tls", home: "sip:10.0.0.1"}
		phone.registers()
		if target := phone.calls(b.takes()); target != "sip:+15551000@10.0.0.1:5061;transport=tls" {
			t.Errorf("contact %s", target)
		}
		binding := b.bound("tls")
		inv := phone.isCalled(b.dial(sip.Dial{To: "alice", Target: sip.Target{Binding: &binding}}))
		if c := inv.get("Contact"); c != "<sip:10.0.0.1:5061;transport=tls>" {
			t.Errorf("contact %s", c)
		}
		_ = phone.Close()
		time.Sleep(time.Second)
		if left := b.ep.Bindings("alice"); len(left) != 0 {
			t.Errorf("%v", left)
		}
	})
}

// Over TLS a sips URI is taken, and answered with a sips Contact; what goes to a
// sips contact says the same of us (RFC 3261 §12.1.1, §8.1.1.8).
func TestSIPSOverTLS(t *testing.T) {
	protected(t, func(b *bench, believe *tls.Config) {
		phone := &handset{stream: b.secured(believe), network: "TLS", sentBy: "192.168.1.7:5061",
			contact: "sips:alice@192.168.1.7:5061", home: "sips:10.0.0.1"}
		phone.registers()
		if target := phone.calls(b.takes()); target != "sips:+15551000@10.0.0.1:5061" {
			t.Errorf("contact %s", target)
		}
		binding := b.bound("tls")
		inv := phone.isCalled(b.dial(sip.Dial{To: "alice", Target: sip.Target{Binding: &binding}}))
		if c := inv.get("Contact"); c != "<sips:10.0.0.1:5061>" {
			t.Errorf("contact %s", c)
		}
	})
}

// shows serves connections at an address, of whom cert says.
func (b *bench) shows(at netip.AddrPort, cert *tls.Certificate) *door {
	d := b.door(at)
	d.l = tls.NewListener(d.l, &tls.Config{Certificates: []tls.Certificate{*cert}, MinVersion: tls.VersionTLS12})
	return d
}

// A trunk over TLS is called when it proves the name that it is configured by,
// and told nothing when it does not (RFC 5922 §7.2).
func TestTrunkOverTLS(t *testing.T) {
	uri := "sip:carrier.example.com:5061;transport=tls"
	for name, c := range map[string]struct {
		cert   string
		target sip.Target
		works  bool
	}{
		"right":              {"carrier.example.com", sip.Target{URI: uri}, true},
		"wrong":              {"other.example.com", sip.Target{URI: uri}, false},
		"wrong, insecure":    {"other.example.com", sip.Target{URI: uri, Insecure: true}, true},
		"another, as wanted": {"other.example.com", sip.Target{URI: uri, TLSName: "other.example.com"}, true},
		"sips":               {"carrier.example.com", sip.Target{URI: "sips:carrier.example.com:5061"}, true},
		"sips, wrong":        {"other.example.com", sip.Target{URI: "sips:carrier.example.com:5061"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			var cert *tls.Certificate
			dir := t.TempDir()
			protected(t, func(b *bench, _ *tls.Config) {
				trunk := b.shows(trunkTLS, cert)
				o := b.dial(sip.Dial{Target: c.target})
				conn, err := trunk.l.Accept()
				if err != nil {
					t.Fatal(err)
				}
				if !c.works {
					got, err := io.ReadAll(conn)
					if len(got) != 0 || err == nil {
						t.Errorf("it was told %q, %v", got, err)
					}
					if ev := told[sip.Rejected](o); ev.Code != 503 {
						t.Errorf("%+v", ev)
					}
					if !strings.Contains(b.logs.String(), "other.example.com") {
						t.Errorf("why is not told:\n%s", b.logs)
					}
					_ = conn.Close()
					return
				}
				far := &handset{stream: b.over(conn), network: "TLS", contact: strings.Replace(c.target.URI, ":carrier", ":+15551234@carrier", 1)}
				inv := far.isCalled(o)
				want := "<sip:10.0.0.1:5061;transport=tls>"
				if strings.HasPrefix(c.target.URI, "sips:") {
					want = "<sips:10.0.0.1:5061>"
				}
				if got := inv.get("Contact"); got != want {
					t.Errorf("contact %s", got)
				}
				_ = conn.Close()
			}, func(cfg *sip.Config) {
				cert, cfg.TLS.Roots = proof(t, dir, c.cert)
				cfg.Resolve = func(context.Context, string) ([]netip.Addr, error) { return []netip.Addr{trunkTLS.Addr()}, nil }
			})
		})
	}
}
