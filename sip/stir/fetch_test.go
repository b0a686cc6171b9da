package stir_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"b2bua/sip/stir"
)

// library serves certificates by HTTPS on the loopback interface.
func library(t *testing.T, h http.HandlerFunc) (url, host string, trust *tls.Config) {
	t.Helper()
	s := httptest.NewTLSServer(h)
	t.Cleanup(s.Close)
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return s.URL, strings.TrimPrefix(s.URL, "https://"), &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

func at(url string) func(h, c object) { return func(h, _ object) { h["x5u"] = url } }

func TestAttack35CertificatesAreFetched(t *testing.T) {
	a := newAuthority(t)
	c := a.carrier()
	var asked atomic.Int32
	url, host, trust := library(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		switch r.URL.Path {
		case "/sp.pem":
			w.Header().Set("Cache-Control", "public, max-age=600")
			_, _ = w.Write(encoded(c.cert))
		case "/sp.der":
			w.Header().Set("Cache-Control", "no-store")
			_, _ = w.Write(c.cert.Raw)
		case "/moved":
			http.Redirect(w, r, "/sp.pem", http.StatusFound)
		case "/huge":
			_, _ = w.Write(append(encoded(c.cert), make([]byte, 64<<10)...))
		case "/many":
			for range 9 {
				_, _ = w.Write(encoded(c.cert))
			}
		case "/junk":
			fmt.Fprint(w, "<html>")
		default:
			http.NotFound(w, r)
		}
	})
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	ahead := time.Duration(0)
	v := stir.New(stir.Config{Roots: roots, FetchFrom: []string{host}, AllowPrivate: true, TLS: trust,
		Now: func() time.Time { return now.Add(ahead) }})
	judge := func(path string) stir.Verdict {
		return v.Verify(context.Background(), []string{c.identity(at(url+path), func(_, c object) { c["iat"] = now.Add(ahead).Unix() })}, call)
	}
	for _, step := range []struct {
		path, want string
		after      time.Duration
		asked      int32
	}{
		{"/sp.pem", stir.Passed, 0, 1},
		{"/sp.pem", stir.Passed, 9 * time.Minute, 1}, // kept as long as it says
		{"/sp.pem", stir.Passed, 2 * time.Minute, 2},
		{"/sp.der", stir.Passed, 0, 3},
		{"/sp.der", stir.Passed, time.Second, 3}, // never for every call
		{"/sp.der", stir.Passed, 2 * time.Minute, 4},
		{"/moved", stir.None, 0, 5},
		{"/moved", stir.None, time.Second, 5}, // nor when it cannot be had
		{"/moved", stir.None, time.Minute, 6},
		{"/huge", stir.None, 0, 7},
		{"/many", stir.None, 0, 8},
		{"/junk", stir.None, 0, 9},
		{"/missing", stir.None, 0, 10},
	} {
		ahead += step.after
		if got := judge(step.path); got.Verstat != step.want || got.Judged != (step.want == stir.Passed) || asked.Load() != step.asked {
			t.Errorf("%s: %+v, asked %d times, want %d", step.path, got, asked.Load(), step.asked)
		}
	}
}

// What is worth nothing by itself makes us fetch nothing.
func TestNothingIsFetchedInVain(t *testing.T) {
	a := newAuthority(t)
	c := a.carrier()
	url, host, trust := library(t, func(http.ResponseWriter, *http.Request) { t.Error("asked") })
	v := stir.New(stir.Config{Roots: x509.NewCertPool(), FetchFrom: []string{host}, AllowPrivate: true, TLS: trust, Now: clock})
	for _, change := range []func(h, c object){
		func(_, c object) { c["iat"] = now.Add(-time.Hour).Unix() },
		func(_, c object) { c["orig"] = object{"tn": "1"} },
		func(_, c object) { c["dest"] = object{"tn": []string{"1"}} },
	} {
		if got := v.Verify(context.Background(), []string{c.identity(at(url+"/sp.pem"), change)}, call); got.Verstat != stir.Failed {
			t.Errorf("%+v", got)
		}
	}
}

// An allowed name that leads to a private address is not followed there.
func TestAttack35NoPrivateAddressIsAsked(t *testing.T) {
	a := newAuthority(t)
	c := a.carrier()
	_, host, trust := library(t, func(http.ResponseWriter, *http.Request) { t.Error("asked") })
	port := host[strings.LastIndexByte(host, ':'):]
	names := []string{"127.0.0.1" + port, "localhost" + port, "[::1]" + port, "10.0.0.1" + port, "169.254.169.254", "100.64.0.1", "[fe80::1]", "[::ffff:127.0.0.1]" + port}
	v := stir.New(stir.Config{Roots: x509.NewCertPool(), FetchFrom: names, TLS: trust, Now: clock})
	for _, name := range names {
		got := v.Verify(context.Background(), []string{c.identity(at("https://" + name + "/sp.pem"))}, call)
		if got.Verstat != stir.None || got.Err == nil || !strings.Contains(got.Err.Error(), "no public address") {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for _, u := range []string{"https://user@" + names[0] + "/", "https://" + names[0] + ".evil.example/", "https:///x", "https://evil.example#@" + names[0], "//" + names[0]} {
		got := v.Verify(context.Background(), []string{c.identity(at(u))}, call)
		if got.Verstat != stir.None || got.Err == nil || strings.Contains(got.Err.Error(), "no public address") {
			t.Errorf("%s: %+v", u, got)
		}
	}
}

// A server that never answers holds a call up for two seconds, and many calls no
// longer: they wait for the same answer.
func TestAttack35FetchingHasAnEnd(t *testing.T) {
	a := newAuthority(t)
	c := a.carrier()
	release := make(chan struct{})
	var asked atomic.Int32
	url, host, trust := library(t, func(http.ResponseWriter, *http.Request) { asked.Add(1); <-release })
	defer close(release)
	v := stir.New(stir.Config{Roots: x509.NewCertPool(), FetchFrom: []string{host}, AllowPrivate: true, TLS: trust, Now: clock})
	identity := c.identity(at(url + "/sp.pem"))
	start := time.Now()
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if got := v.Verify(context.Background(), []string{identity, identity, identity}, call); got.Verstat != stir.None || got.Judged {
				t.Errorf("%+v", got)
			}
		})
	}
	wg.Wait()
	if took := time.Since(start); took > 3*time.Second || asked.Load() != 1 {
		t.Errorf("took %v, asked %d times", took, asked.Load())
	}
}
