package webhook

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// TestAddresses goes through the ranges, at their edges and in every disguise.
func TestAddresses(t *testing.T) {
	for _, c := range []struct {
		addr            string
		public, private bool // allowed without and with AllowPrivate
	}{
		{"93.184.216.34", true, true},
		{"9.255.255.255", true, true},
		{"11.0.0.0", true, true},
		{"172.15.255.255", true, true},
		{"172.32.0.0", true, true},
		{"192.167.255.255", true, true},
		{"100.63.255.255", true, true},
		{"100.128.0.0", true, true},
		{"126.255.255.255", true, true},
		{"169.253.255.255", true, true},
		{"2606:2800:220:1::1", true, true},
		{"::ffff:93.184.216.34", true, true},
		{"64:ff9b::5db8:d822", true, true},
		{"2002:5db8:d822::1", true, true},

		{"127.0.0.1", false, true},
		{"127.255.255.254", false, true},
		{"10.0.0.0", false, true},
		{"10.255.255.255", false, true},
		{"172.16.0.1", false, true},
		{"172.31.255.255", false, true},
		{"192.168.1.1", false, true},
		{"169.254.169.254", false, true},
		{"100.100.100.200", false, true},
		{"192.0.0.192", false, true},
		{"192.0.2.1", false, true},
		{"198.19.255.255", false, true},
		{"198.51.100.1", false, true},
		{"203.0.113.1", false, true},
		{"240.0.0.1", false, true},
		{"0.1.2.3", false, true},
		{"::1", false, true},
		{"::ffff:127.0.0.1", false, true},
		{"::ffff:169.254.169.254", false, true},
		{"::ffff:a00:1", false, true},
		{"::127.0.0.1", false, true},
		{"64:ff9b::7f00:1", false, true},
		{"64:ff9b::a9fe:a9fe", false, true},
		{"64:ff9b:1::1", false, true},
		{"2002:7f00:1::", false, true},
		{"2002:a9fe:a9fe::1", false, true},
		{"2001:0:4136:e378::1", false, true},
		{"2001:db8::1", false, true},
		{"fc00::1", false, true},
		{"fd00:ec2::254", false, true},
		{"fe80::1", false, true},
		{"fe80::1%eth0", false, true},
		{"2606:2800:220:1::1%eth0", false, true},
		{"fec0::1", false, true},
		{"4000::1", false, true},

		{"0.0.0.0", false, false},
		{"::", false, false},
		{"::ffff:0.0.0.0", false, false},
		{"224.0.0.1", false, false},
		{"255.255.255.255", false, false},
		{"ff02::1", false, false},
	} {
		addr := netip.MustParseAddr(c.addr).Unmap()
		if got := (Guard{}).forbids(addr) == ""; got != c.public {
			t.Errorf("%s is allowed: %v", c.addr, got)
		}
		if got := (Guard{AllowPrivate: true}).forbids(addr) == ""; got != c.private {
			t.Errorf("%s is allowed where private ones are: %v", c.addr, got)
		}
	}
}

// TestDisguises writes loopback in ways that resolvers and parsers accept: none
// reaches the dialler.
func TestDisguises(t *testing.T) {
	client := NewClient(Guard{
		AllowHTTP: true,
		Resolve: func(_ context.Context, host string) ([]netip.Addr, error) {
			// As the C library reads them: 127.1, 0x7f000001, 2130706433, localhost.
			return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}, nil
		},
		Dial: func(_ context.Context, _, address string) (net.Conn, error) {
			t.Errorf("dialled %s", address)
			return nil, io.EOF
		},
	})
	for _, address := range []string{
		"http://127.0.0.1/", "http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://017700000001/",
		"http://localhost/", "http://localhost./", "http://LOCALHOST:80/", "http://internal.example/",
		"http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://[0:0:0:0:0:ffff:7f00:1]/", "https://[fe80::1%25lo]/", "http://user@127.0.0.1/",
		"file:///etc/passwd", "ftp://example.com/", "gopher://127.0.0.1/",
	} {
		resp, err := client.Get(address)
		if err == nil {
			resp.Body.Close()
		}
		if !errors.Is(err, ErrForbidden) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// TestRebinding has a name change its address between two questions: what was
// checked is what is dialled, and the name is asked once for each connection.
func TestRebinding(t *testing.T) {
	public, local := netip.MustParseAddr("93.184.216.34"), netip.MustParseAddr("169.254.169.254")
	asked := 0
	var dialled []string
	client := NewClient(Guard{
		AllowHTTP: true,
		Resolve: func(context.Context, string) ([]netip.Addr, error) {
			if asked++; asked == 1 {
				return []netip.Addr{public}, nil
			}
			return []netip.Addr{local}, nil
		},
		Dial: func(_ context.Context, _, address string) (net.Conn, error) {
			dialled = append(dialled, address)
			return nil, errors.New("refused")
		},
	})
	for range 2 {
		if resp, err := client.Get("http://rebind.example:8080/"); err == nil {
			resp.Body.Close()
			t.Error("got an answer")
		}
	}
	if asked != 2 || len(dialled) != 1 || dialled[0] != "93.184.216.34:8080" {
		t.Errorf("asked %d times, dialled %v", asked, dialled)
	}
}

// TestSeveralAddresses passes over those that are forbidden and those that do
// not answer.
func TestSeveralAddresses(t *testing.T) {
	var dialled []string
	client := NewClient(Guard{
		AllowHTTP: true,
		Resolve: func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("::ffff:10.0.0.1"), netip.MustParseAddr("93.184.216.34"), netip.MustParseAddr("93.184.216.35")}, nil
		},
		Dial: func(_ context.Context, _, address string) (net.Conn, error) {
			dialled = append(dialled, address)
			return nil, errors.New("refused")
		},
	})
	if resp, err := client.Get("http://many.example/"); err == nil || errors.Is(err, ErrForbidden) {
		resp.Body.Close()
		t.Errorf("the error is %v", err)
	}
	if got := strings.Join(dialled, " "); got != "93.184.216.34:80 93.184.216.35:80" {
		t.Errorf("dialled %s", got)
	}
}

func TestRealLoopbackIsRefused(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("reached") }))
	defer server.Close()
	resp, err := NewClient(Guard{AllowHTTP: true}).Get(server.URL)
	if err == nil {
		resp.Body.Close()
	}
	if !errors.Is(err, ErrForbidden) {
		t.Errorf("the error is %v", err)
	}
}

func TestHTTPNeedsLeave(t *testing.T) {
	dialled := false
	g := Guard{Dial: func(context.Context, string, string) (net.Conn, error) {
		dialled = true
		return nil, io.EOF
	}}
	resp, err := NewClient(g).Get("http://93.184.216.34/")
	if err == nil {
		resp.Body.Close()
	}
	if !errors.Is(err, ErrForbidden) || dialled {
		t.Errorf("without leave: %v", err)
	}
	g.AllowHTTP = true
	if resp, err = NewClient(g).Get("http://93.184.216.34/"); err == nil {
		resp.Body.Close()
	}
	if errors.Is(err, ErrForbidden) || !dialled {
		t.Errorf("with leave: %v", err)
	}
}

func TestCertificatesAreChecked(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "" {
			t.Error("asked for compression")
		}
	}))
	defer server.Close()
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it tells of the handshake refused below
	server.StartTLS()
	if resp, err := NewClient(Guard{AllowPrivate: true}).Get(server.URL); err == nil {
		resp.Body.Close()
		t.Error("an unknown certificate was accepted")
	}
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	resp, err := NewClient(Guard{AllowPrivate: true, TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}).Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
}

func TestFetch(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "http://169.254.169.254/", http.StatusFound)
		case "/missing":
			http.NotFound(w, r)
		case "/stream": // no Content-Length
			w.(http.Flusher).Flush()
			io.WriteString(w, "0123456789")
		default:
			io.WriteString(w, "0123456789")
		}
	}))
	defer server.Close()
	client := NewClient(Guard{AllowPrivate: true})
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for _, c := range []struct {
		path  string
		limit int64
		want  string
		err   string
	}{
		{"/x?token=geheim", 10, "0123456789", ""},
		{"/stream", 10, "0123456789", ""},
		{"/x?token=geheim", 9, "", "too large"},
		{"/stream", 9, "012345678", "too large"},
		{"/moved", 100, "", "302"},
		{"/missing?token=geheim", 100, "", "404"},
	} {
		body, err := Fetch(ctx, client, server.URL+c.path, c.limit)
		var got []byte
		if err == nil {
			got, err = io.ReadAll(body)
			body.Close()
		}
		if string(got) != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s, %d: %q %v", c.path, c.limit, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "geheim") {
			t.Errorf("the error shows the query: %v", err)
		}
	}
	if _, err := Fetch(ctx, client, "http://[::1", 1); err == nil {
		t.Error("a broken URL was fetched")
	}
}
