package api

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"b2bua/events"
	"b2bua/flows"
	"b2bua/flows/simulate"
	"b2bua/internal/certificate"
	"b2bua/prompts"
	"b2bua/store"
)

// Config is how the API is served. The zero value of a field is its default.
type Config struct {
	Listen        string   // address and port
	TLSMode       string   // self_signed (default) | files | off
	CertFile      string   // for files
	KeyFile       string   // for files
	DataDir       string   // where the self-signed certificate is kept
	Advertise     []string // further names and addresses in that certificate
	RecordingsDir string   // below which the audio of recordings lies
	VoicemailDir  string   // below which the audio of messages lies
	RateLimit     RateLimit
	Version       string // of the product
}

// Tester sends the test event of a webhook at once and tells how it went.
type Tester interface {
	Test(ctx context.Context, id string) (store.Delivery, error)
}

// Deps is what the API works with.
type Deps struct {
	Config Config
	Store  *store.Store
	Calls  Calls
	Bus    *events.Bus
	// Spoken tells what of texts and URLs could not be had; nil: nobody knows.
	Spoken   func([]flows.Spoken) []flows.Warning
	Prompts  *prompts.Library // nil: there are no stored prompts
	Wire     Wire             // nil: no SIP messages are shown
	Webhooks Tester           // nil: test events cannot be sent
	Asks     simulate.Ask     // asks routing webhooks for simulations; nil: they are not asked
	Tries    simulate.Ask     // asks one about a sample call, whatever came of it before; nil: it is not asked
	Ready    func() error     // nil: always ready; an error says why not
	Gauges   []Gauge          // further metrics
	Families []Family         // and those with a label
	Queues   Queues           // nil: nothing of who waits is shown
	Trunks   Trunks           // nil: replies do not show how trunks are
	Now      func() time.Time // nil: time.Now
	Log      *slog.Logger
}

// Server answers the API's requests.
type Server struct {
	Deps
	mux     *http.ServeMux
	huma    huma.API
	handler http.Handler
	limiter *limiter
	metrics *metrics

	addr     atomic.Pointer[net.TCPAddr]
	started  chan struct{}
	stopping chan struct{} // closed when streams must end
	stop     sync.Once
	streams  atomic.Int32

	thinking chan struct{} // about flows: one at a time
	uploads  chan struct{} // files being received

	async struct { // commands that were asked for with async=true
		sync.Mutex
		wg   sync.WaitGroup
		over bool
	}
}

// New builds the API; it starts nothing.
func New(d Deps) (*Server, error) {
	if d.Store == nil || d.Calls == nil || d.Bus == nil || d.Log == nil {
		return nil, errors.New("api: store, calls, bus and log are needed")
	}
	if d.Config.Version == "" {
		d.Config.Version = "dev"
	}
	s := &Server{
		Deps:     d,
		mux:      http.NewServeMux(),
		limiter:  newLimiter(d.Config.RateLimit),
		started:  make(chan struct{}),
		stopping: make(chan struct{}),

		thinking: make(chan struct{}, 1),
		uploads:  make(chan struct{}, mostUploads),
	}
	var err error
	if s.metrics, err = newMetrics(s); err != nil {
		return nil, fmt.Errorf("api: metrics: %w", err)
	}
	s.huma = humago.New(s.mux, s.openAPIConfig())
	s.routes()
	s.finishOpenAPI()
	s.plainRoutes()
	s.handler = s.chain()
	return s, nil
}

// routes registers everything below /v2.
func (s *Server) routes() {
	s.nounRoutes()
	s.flowRoutes()
	s.pictureRoutes()
	s.webhookTestRoute()
	s.webhookRoutes()
	s.queueRoutes()
	s.messageRoutes()
	s.promptRoutes()
	s.recordingRoutes()
	s.callRoutes()
	s.actionRoutes()
	s.keyRoutes()
	s.eventRoutes()
}

// Handler is the whole API, for a server of one's own.
func (s *Server) Handler() http.Handler { return s.handler }

func (s *Server) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// Addr is where the API listens, once Started is closed.
func (s *Server) Addr() net.Addr {
	if a := s.addr.Load(); a != nil {
		return a
	}
	return nil
}

// Started is closed when the API listens.
func (s *Server) Started() <-chan struct{} { return s.started }

// The limits of a connection. There is no limit on the whole of a request:
// events stream for hours and a transfer waits for somebody to answer. Bodies
// have a deadline of their own (readBody).
const (
	headerDeadline  = 10 * time.Second
	idleDeadline    = 2 * time.Minute
	shutdownTime    = 5 * time.Second
	maxHeader       = 32 << 10
	maxConnections  = 1024
	perSource       = 256
	http2MaxStreams = 100
)

// Run listens and answers until ctx ends, then lets running requests finish
// for a moment.
func (s *Server) Run(ctx context.Context) error {
	listener, err := s.listen(ctx)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: headerDeadline,
		IdleTimeout:       idleDeadline,
		MaxHeaderBytes:    maxHeader,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: http2MaxStreams},
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	s.Log.Info("api listens", "addr", listener.Addr().String(), "tls", s.Config.TLSMode != "off")
	close(s.started)

	var wg sync.WaitGroup
	counting, stopCounting := context.WithCancel(ctx)
	wg.Go(func() { s.metrics.count(counting, s.Bus) })
	wg.Go(func() {
		<-counting.Done()
		s.stop.Do(func() { close(s.stopping) })
		brief, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
		defer cancel()
		if err := server.Shutdown(brief); err != nil {
			_ = server.Close() // what did not finish is cut off
		}
	})
	err = server.Serve(listener)
	stopCounting()
	wg.Wait()
	s.endBackground()
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the api: %w", err)
	}
	return nil
}

func (s *Server) listen(ctx context.Context) (net.Listener, error) {
	var lc net.ListenConfig
	plain, err := lc.Listen(ctx, "tcp", s.Config.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen for the api: %w", err)
	}
	if a, ok := plain.Addr().(*net.TCPAddr); ok {
		s.addr.Store(a)
	}
	limited := limitListener(plain, maxConnections, perSource)
	if s.Config.TLSMode == "off" {
		return limited, nil
	}
	cert, err := s.certificate()
	if err != nil {
		_ = plain.Close()
		return nil, err
	}
	return tls.NewListener(limited, &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: cert,
		NextProtos:     []string{"h2", "http/1.1"},
	}), nil
}

func (s *Server) certificate() (func(*tls.ClientHelloInfo) (*tls.Certificate, error), error) {
	if s.Config.TLSMode == "files" {
		files, err := certificate.Load(s.Config.CertFile, s.Config.KeyFile, s.Log)
		if err != nil {
			return nil, err
		}
		return files.Get, nil
	}
	extra := s.Config.Advertise
	if host, _, err := net.SplitHostPort(s.Config.Listen); err == nil {
		if ip := net.ParseIP(host); ip == nil || !ip.IsUnspecified() {
			extra = append(extra[:len(extra):len(extra)], host)
		}
	}
	cert, err := certificate.SelfSigned(filepath.Join(s.Config.DataDir, "http-self-signed.pem"), certificate.Names(extra), s.now())
	if err != nil {
		return nil, err
	}
	return func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &cert, nil }, nil
}
