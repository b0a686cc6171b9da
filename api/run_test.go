package api_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"b2bua/api"
	"b2bua/events"
)

// run serves b on a real port until the test ends.
func (b *bench) run() (base string, client *http.Client) {
	b.t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(b.t.Context()))
	done := make(chan error, 1)
	go func() { done <- b.api.Run(ctx) }()
	select {
	case <-b.api.Started():
	case err := <-done:
		b.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pemData, err := os.ReadFile(filepath.Join(b.dir, "http-self-signed.pem"))
	if err != nil || !pool.AppendCertsFromPEM(pemData) {
		b.t.Fatalf("no certificate: %v", err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true}
	b.t.Cleanup(func() {
		transport.CloseIdleConnections()
		cancel()
		if err := <-done; err != nil {
			b.t.Errorf("run: %v", err)
		}
	})
	_, port, _ := net.SplitHostPort(b.api.Addr().String())
	return "https://localhost:" + port, &http.Client{Transport: transport}
}

func onPort(d *api.Deps) { d.Config.Listen = "127.0.0.1:0" }

// stream opens the event stream and reads its events.
func (b *bench) stream(client *http.Client, url, after string) (next func() (name, id, data string), closeIt func()) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 30*time.Second)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("X-Auth-Token", b.key)
	if after != "" {
		r.Header.Set("Last-Event-ID", after)
	}
	resp, err := client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		b.t.Fatalf("the stream answered %d %v", resp.StatusCode, resp.Header)
	}
	lines := bufio.NewScanner(resp.Body)
	next = func() (name, id, data string) {
		for lines.Scan() {
			key, value, _ := strings.Cut(lines.Text(), ": ")
			switch key {
			case "event":
				name = value
			case "id":
				id = value
			case "data":
				data = value
			case "":
				if name != "" {
					return name, id, data
				}
			}
		}
		return "", "", ""
	}
	return next, func() { cancel(); resp.Body.Close() }
}

func TestRunServesTLSAndStreams(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	t.Run("served", func(t *testing.T) {
		b := newBench(t, onPort)
		base, client := b.run()
		tell := func(call string) {
			b.bus.Publish(events.New(&events.Ringing{Head: events.Head{CallID: call, Sequence: 1}, RingingAt: time.Now()}, time.Now()))
		}
		next, hangUp := b.stream(client, base+"/v2/events?events=call.*&call_id=call_a", "")
		tell("call_b")
		tell("call_a")
		name, id, data := next()
		var e struct {
			ID, Event, Version string
			Data               struct {
				CallID string `json:"call_id"`
			}
		}
		if err := json.Unmarshal([]byte(data), &e); err != nil || name != "call.ringing" || e.ID != id || e.Event != name || e.Version != "v1" || e.Data.CallID != "call_a" {
			t.Errorf("event %s %s %s: %v", name, id, data, err)
		}
		hangUp()
		// After the break: what was missed comes first, then what is new.
		tell("call_c")
		next, hangUp = b.stream(client, base+"/v2/events", id)
		if _, _, data := next(); !strings.Contains(data, "call_c") {
			t.Errorf("resumed with %s", data)
		}
		tell("call_d")
		if _, _, data := next(); !strings.Contains(data, "call_d") {
			t.Errorf("then %s", data)
		}
		hangUp()
		next, hangUp = b.stream(client, base+"/v2/events", "evt_forgotten")
		if name, _, _ := next(); name != "stream.gap" {
			t.Errorf("an unknown Last-Event-ID gives %s", name)
		}
		_ = hangUp // stopping the switch ends this one
		t.Cleanup(hangUp)
	})
}

func TestMetricsAndHealth(t *testing.T) {
	var trouble error
	b := newBench(t, func(d *api.Deps) {
		d.Ready = func() error { return trouble }
		value := func() float64 { return 1.5 }
		d.Gauges = []api.Gauge{{Name: "b2bua_test", Help: "A test.", Value: value}, {Name: "b2bua_late_total", Help: "A sum.", Value: value}}
	})
	b.begin("call_a")
	b.do("GET", "/v2/call-flows/x", "")
	a := b.want(b.do("GET", "/metrics", "", "X-Auth-Token", ""), 200)
	for _, line := range []string{"b2bua_calls_active 1", "b2bua_test 1.5", "# TYPE b2bua_test gauge", "# TYPE b2bua_late_total counter",
		"# TYPE go_goroutines gauge", "# TYPE process_open_fds gauge", "# TYPE process_cpu_seconds_total counter", "# TYPE process_resident_memory_bytes gauge",
		`b2bua_build_info{version="test"} 1`, "# TYPE b2bua_http_requests_total counter",
		`b2bua_http_requests_total{code="404",method="GET",route="GET /v2/call-flows/{id}"} 1`,
		`b2bua_http_request_duration_seconds_bucket{route="GET /v2/call-flows/{id}",le="+Inf"} 1`} {
		if !strings.Contains(a.Body.String(), line+"\n") {
			t.Errorf("no line %s in\n%s", line, a.Body)
		}
	}
	b.want(b.do("GET", "/readyz", ""), 200)
	trouble = errors.New("draining")
	b.want(b.do("GET", "/healthz", ""), 200)
	ready := httptest.NewRecorder()
	b.api.Handler().ServeHTTP(ready, httptest.NewRequestWithContext(t.Context(), "GET", "/readyz", nil))
	if ready.Code != 503 || !strings.Contains(ready.Body.String(), "draining") {
		t.Errorf("readyz: %d %s", ready.Code, ready.Body)
	}
}

func TestCertificateIsKeptAndRenewed(t *testing.T) {
	now := time.Now()
	dir := t.TempDir()
	serial := func() string {
		b := newBench(t, onPort, func(d *api.Deps) {
			d.Config.DataDir, d.Config.Advertise = dir, []string{"198.51.100.7", "sip.example.org:5060"}
			d.Now = func() time.Time { return now }
		})
		b.dir = dir
		base, _ := b.run()
		conn, err := tls.Dial("tcp", strings.TrimPrefix(base, "https://"), &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // its names are checked below
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		leaf := conn.ConnectionState().PeerCertificates[0]
		for _, name := range []string{"localhost", "127.0.0.1", "::1", "198.51.100.7", "sip.example.org"} {
			if err := leaf.VerifyHostname(name); err != nil {
				t.Error(err)
			}
		}
		if life := leaf.NotAfter.Sub(leaf.NotBefore); life > 826*24*time.Hour || life < 824*24*time.Hour {
			t.Errorf("valid for %v", life)
		}
		return leaf.SerialNumber.String()
	}
	first := serial()
	if serial() != first {
		t.Error("the certificate was not kept")
	}
	if info, err := os.Stat(filepath.Join(dir, "http-self-signed.pem")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key is kept as %v, %v", info.Mode(), err)
	}
	now = now.Add(820 * 24 * time.Hour)
	if serial() == first {
		t.Error("an expiring certificate was kept")
	}
}
