package certificate_test

import (
	"bytes"
	"crypto/tls"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2bua/internal/certificate"
)

func TestSelfSignedIsKeptUntilItIsNoGood(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "own.pem")
	now := time.Now()
	make := func(now time.Time, names ...string) []byte {
		t.Helper()
		cert, err := certificate.SelfSigned(path, certificate.Names(names), now)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range append(names, "localhost", "127.0.0.1") {
			if err := cert.Leaf.VerifyHostname(n); err != nil {
				t.Error(err)
			}
		}
		return cert.Certificate[0]
	}
	first := make(now)
	if !bytes.Equal(first, make(now.Add(time.Hour))) {
		t.Error("made anew for nothing")
	}
	named := make(now, "pbx.example.com")
	if bytes.Equal(first, named) {
		t.Error("a name is missing")
	}
	if bytes.Equal(named, make(now.Add(820*24*time.Hour), "pbx.example.com")) {
		t.Error("about to end, and still shown")
	}
	if err := os.WriteFile(path, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := certificate.SelfSigned(path, []string{"localhost"}, now); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
}

func TestFilesAreReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		file := filepath.Join(dir, "pair.pem")
		var logged bytes.Buffer
		renew := func(name string, broken bool) {
			t.Helper()
			other := filepath.Join(dir, name)
			if _, err := certificate.SelfSigned(other, []string{name}, time.Now()); err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(other)
			if err != nil {
				t.Fatal(err)
			}
			if broken {
				data = data[:len(data)/2]
			}
			if err := os.WriteFile(file, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := certificate.Load(file, file, slog.New(slog.DiscardHandler)); err == nil {
			t.Error("read from nowhere")
		}
		renew("old", false)
		files, err := certificate.Load(file, file, slog.New(slog.NewTextHandler(&logged, nil)))
		if err != nil {
			t.Fatal(err)
		}
		shows := func(want string) {
			t.Helper()
			cert, err := files.Get(&tls.ClientHelloInfo{})
			if err != nil || cert.Leaf.Subject.CommonName != want {
				t.Errorf("shows %v, %v; want %s", cert.Leaf.Subject, err, want)
			}
		}
		shows("old")
		renew("younger", false)
		shows("old") // looked at once a second
		time.Sleep(time.Second)
		shows("younger")
		renew("rotten", true)
		for range 3 {
			time.Sleep(time.Second)
			shows("younger")
		}
		if n := strings.Count(logged.String(), "not usable"); n != 1 {
			t.Errorf("told %d times:\n%s", n, &logged)
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		shows("younger")
		renew("newest", false)
		time.Sleep(time.Second)
		shows("newest")
	})
}
