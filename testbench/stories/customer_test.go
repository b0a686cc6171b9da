package stories_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// The customer's web server, by the name of the page, and an address for it.
const customerHost = "your-api.example.com"

var customerAddr = netip.MustParseAddr("93.184.216.34")

// speechDir is where spoken prompts are kept, so that each is made only once.
var speechDir string

// customerTLS is the certificate that the customer's server shows. The switch
// trusts it because SSL_CERT_FILE names it.
var customerTLS tls.Certificate

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "b2bua-stories-")
		if err == nil {
			defer os.RemoveAll(dir)
			speechDir = filepath.Join(dir, "speech")
			err = errors.Join(os.Mkdir(speechDir, 0o700), certify(dir))
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}

// certify makes the customer's certificate. Virtual time begins in 2000.
func certify(dir string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{customerHost}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	customerTLS = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	file := filepath.Join(dir, "roots.pem")
	err = os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600)
	return errors.Join(err, os.Setenv("SSL_CERT_FILE", file), os.Setenv("SSL_CERT_DIR", dir))
}

// doc is a JSON object.
type doc map[string]any

// at is the value that a path leads to, nil if there is none.
func (d doc) at(path ...any) any {
	var v any = map[string]any(d)
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

func (d doc) str(path ...any) string  { s, _ := d.at(path...).(string); return s }
func (d doc) num(path ...any) float64 { n, _ := d.at(path...).(float64); return n }
func (d doc) obj(path ...any) doc     { m, _ := d.at(path...).(map[string]any); return m }
func (d doc) list(path ...any) []any  { l, _ := d.at(path...).([]any); return l }
func (d doc) time(path ...any) time.Time {
	at, _ := time.Parse(time.RFC3339, d.str(path...))
	return at
}

// customer is the customer's web server. It receives events, is asked where
// calls go, and serves files.
type customer struct {
	s      *stage
	server *http.Server
	accept chan net.Conn
	closed chan struct{}
	done   chan struct{}

	mu     sync.Mutex
	open   map[net.Conn]bool
	secret string
	events []doc
	raw    [][]byte // of events
	asked  []asked
	routes func(w http.ResponseWriter, a asked)
	files  map[string][]byte
	more   chan struct{} // closed and replaced when something came
	away   bool          // events are answered with 503
	turned []string      // ids of the events turned away
}

// asked is one question to the routing webhook.
type asked struct {
	header http.Header
	body   []byte
	doc    doc
	at     time.Time
	ctx    context.Context
}

func openCustomer(s *stage) *customer {
	c := &customer{s: s, accept: make(chan net.Conn), closed: make(chan struct{}), done: make(chan struct{}),
		open: map[net.Conn]bool{}, files: map[string][]byte{}, more: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /events", c.takeEvent)
	mux.HandleFunc("POST /route-call", c.takeQuestion)
	mux.HandleFunc("GET /files/{name}", c.serveFile)
	c.server = &http.Server{
		Handler: mux, ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0),
		TLSConfig:    &tls.Config{Certificates: []tls.Certificate{customerTLS}, MinVersion: tls.VersionTLS12},
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
		ConnState: func(conn net.Conn, state http.ConnState) {
			c.mu.Lock()
			defer c.mu.Unlock()
			switch state {
			case http.StateNew:
				c.open[conn] = true
			case http.StateClosed, http.StateHijacked:
				delete(c.open, conn)
			}
		},
	}
	go func() {
		defer close(c.done)
		_ = c.server.ServeTLS(c, "", "") // always http.ErrServerClosed
	}()
	return c
}

// Accept, Close and Addr make it a net.Listener.
func (c *customer) Accept() (net.Conn, error) {
	select {
	case conn := <-c.accept:
		return conn, nil
	case <-c.closed:
		return nil, net.ErrClosed
	}
}

func (c *customer) Close() error {
	select {
	case <-c.closed:
	default:
		close(c.closed)
	}
	return nil
}

func (c *customer) Addr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(customerAddr, 443))
}

// dial is how the switch reaches the customer.
func (c *customer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if address != c.Addr().String() {
		return noNetwork(ctx, network, address)
	}
	ours, theirs := net.Pipe()
	select {
	case c.accept <- ours:
		return theirs, nil
	case <-c.closed:
	case <-ctx.Done():
	}
	return nil, fmt.Errorf("dial %s: connection refused", address)
}

func (c *customer) resolve(_ context.Context, host string) ([]netip.Addr, error) {
	if host == customerHost {
		return []netip.Addr{customerAddr}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

// close shuts the server; the switch must have let go of it before.
func (c *customer) close() {
	c.s.Helper()
	c.mu.Lock()
	n := len(c.open)
	c.mu.Unlock()
	if n > 0 {
		c.s.Errorf("the switch has ended and keeps %d connections to the customer", n)
	}
	_ = c.server.Close()
	<-c.done
}

// subscribe asks the switch for all events.
func (c *customer) subscribe() {
	c.s.Helper()
	hook := c.s.create("/v2/webhooks", `{"id": "wh_stories", "url": "https://`+customerHost+`/events", "events": ["*"]}`)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.secret = hook.str("signing_secret")
}

// unsubscribe is for stories in which the server cannot be reached.
func (c *customer) unsubscribe() {
	c.s.Helper()
	c.s.api(http.MethodDelete, "/v2/webhooks/wh_stories", "", http.StatusNoContent)
}

func (c *customer) wake() {
	close(c.more)
	c.more = make(chan struct{})
}

func (c *customer) takeEvent(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	mac := hmac.New(sha256.New, []byte(c.secret))
	mac.Write([]byte(r.Header.Get("X-Audian-Timestamp") + "."))
	mac.Write(body)
	if want := "sha256=" + hex.EncodeToString(mac.Sum(nil)); r.Header.Get("X-Audian-Signature") != want {
		c.s.Errorf("event signed %q, want %q", r.Header.Get("X-Audian-Signature"), want)
	}
	var d doc
	if err := json.Unmarshal(body, &d); err != nil {
		c.s.Errorf("event %s: %v", body, err)
	}
	if c.away {
		c.turned = append(c.turned, d.str("id"))
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	c.events, c.raw = append(c.events, d), append(c.raw, body)
	c.wake()
}

func (c *customer) takeQuestion(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	a := asked{header: r.Header, body: body, at: time.Now(), ctx: r.Context()}
	if err := json.Unmarshal(body, &a.doc); err != nil {
		c.s.Errorf("question %s: %v", body, err)
	}
	c.mu.Lock()
	c.asked = append(c.asked, a)
	routes := c.routes
	c.wake()
	c.mu.Unlock()
	if routes == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	routes(w, a)
}

func (c *customer) serveFile(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	b, ok := c.files[r.PathValue("name")]
	c.mu.Unlock()
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_, _ = w.Write(b)
}

// says makes the routing webhook answer with a status and a body.
func (c *customer) says(code int, body string) {
	c.does(func(w http.ResponseWriter, _ asked) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	})
}

func (c *customer) does(f func(http.ResponseWriter, asked)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.routes = f
}

func (c *customer) questions() []asked {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.asked)
}

// all are the events so far.
func (c *customer) all() []doc {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.events)
}

// forget drops what has come so far, once it has been looked at.
func (c *customer) forget() {
	c.s.Helper()
	c.checkOrder()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events, c.raw, c.asked = nil, nil, nil
}

// event waits for an event and gives its data. Of several it is the first that fits.
func (s *stage) event(name string, fits ...func(doc) bool) doc {
	s.Helper()
	c := s.customer
	late := time.NewTimer(10 * time.Minute)
	defer late.Stop()
	for {
		c.mu.Lock()
		more := c.more
		c.mu.Unlock()
		for _, e := range c.all() {
			data := e.obj("data")
			if e.str("event") == name && !slices.ContainsFunc(fits, func(f func(doc) bool) bool { return !f(data) }) {
				return data
			}
		}
		select {
		case <-more:
		case <-late.C:
			s.Fatalf("no event %s; there were %v", name, s.told())
		}
	}
}

// told are the names of the events so far, in the order they came.
func (s *stage) told() []string {
	var names []string
	for _, e := range s.customer.all() {
		names = append(names, e.str("event"))
	}
	return names
}

// count is how often an event was told.
func (s *stage) count(name string) (n int) {
	for _, one := range s.told() {
		if one == name {
			n++
		}
	}
	return n
}

// checkOrder holds every call to its promise: events are numbered from 1 on,
// come in order, begin with call.initiated, and the end is told exactly once,
// as the last thing.
func (c *customer) checkOrder() {
	c.s.Helper()
	seen, ends := map[string]float64{}, map[string]int{}
	for _, e := range c.all() {
		id := e.str("data", "call_id")
		if id == "" || e.str("data", "status") == "absent" { // a file is missed long after its call
			continue
		}
		seen[id]++
		if n := e.num("data", "sequence"); n != seen[id] {
			c.s.Errorf("%s of call %s has number %v, want %v", e.str("event"), id, n, seen[id])
		}
		if first := e.str("event") == "call.initiated"; first != (seen[id] == 1) {
			c.s.Errorf("%s is number %v of its call", e.str("event"), seen[id])
		}
		if ends[id] > 0 {
			c.s.Errorf("%s came after the end of its call", e.str("event"))
		}
		if name := e.str("event"); name == "call.completed" || name == "call.failed" {
			ends[id]++
		}
	}
	for id := range seen {
		if ends[id] != 1 {
			c.s.Errorf("the end of call %s was told %d times: %v", id, ends[id], c.s.told())
		}
	}
}
