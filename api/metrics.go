package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"b2bua/events"
)

// Gauge is a number that another room shows in the metrics, read at every
// scrape. A name that ends in _total makes it a counter, as Prometheus wants
// it: then Value must never fall.
type Gauge struct {
	Name  string // such as b2bua_rtp_ports_in_use
	Help  string
	Value func() float64
}

// collector is the gauge, or counter, for the registry.
func (g Gauge) collector() prometheus.Collector {
	if strings.HasSuffix(g.Name, "_total") {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: g.Name, Help: g.Help}, g.Value)
	}
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: g.Name, Help: g.Help}, g.Value)
}

// durations are the upper bounds of the request histogram, in seconds.
var durations = []float64{0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10}

// scrapes is how many may read the metrics at a time: they need no key.
const scrapes = 8

// metrics are sums for Prometheus, in a registry of their own: several
// switches can live in one process. Labels have few values: routes, not paths;
// reasons, not numbers.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec   // method, route, code
	took     *prometheus.HistogramVec // route
	calls    *prometheus.CounterVec   // result, reason
	events   *prometheus.CounterVec   // event
	digits   *prometheus.CounterVec   // kind
	quality  quality
}

func newMetrics(s *Server) (*metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: counter("b2bua_http_requests_total", "Requests answered.", "method", "route", "code"),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "b2bua_http_request_duration_seconds", Help: "Time to answer a request.", Buckets: durations}, []string{"route"}),
		calls:  counter("b2bua_calls_total", "Calls that ended.", "result", "reason"),
		events: counter("b2bua_events_total", "Events told.", "event"),
		digits: counter("b2bua_digits_total", "Digits told, by how they came: rfc4733, inband or info. Sensitive ones are not told.", "kind"),

		quality: newQuality(),
	}
	build := prometheus.GaugeOpts{Name: "b2bua_build_info", Help: "Always 1; the label tells which version runs.",
		ConstLabels: prometheus.Labels{"version": s.Config.Version}}
	all := []prometheus.Collector{
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(build, func() float64 { return 1 }),
		m.requests, m.took, m.calls, m.events, m.digits,
		Gauge{"b2bua_calls_active", "Calls going on.", func() float64 { return float64(len(s.Calls.LiveRecords())) }}.collector(),
		Gauge{"b2bua_event_streams", "Clients listening to the event stream.", func() float64 { return float64(s.streams.Load()) }}.collector(),
	}
	all = append(all, m.quality.collectors()...)
	for _, g := range s.Gauges {
		all = append(all, g.collector())
	}
	for _, f := range s.Families {
		all = append(all, f)
	}
	var trouble []error
	for _, c := range all {
		trouble = append(trouble, m.registry.Register(c))
	}
	return m, errors.Join(trouble...)
}

// request counts one answer.
func (m *metrics) request(method, route string, status int, took time.Duration) {
	if !slices.Contains([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}, method) {
		method = "other"
	}
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Inc()
	m.took.WithLabelValues(route).Observe(took.Seconds())
}

// count listens to what happens, until ctx ends. It is quick, so its queue
// needs no bound, and no event goes uncounted.
func (m *metrics) count(ctx context.Context, bus *events.Bus) {
	sub := bus.Subscribe(0)
	defer sub.Close()
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-sub.C():
			if !ok {
				return
			}
			m.event(e)
		}
	}
}

func (m *metrics) event(e events.Event) {
	m.events.WithLabelValues(string(e.Name)).Inc()
	switch f := e.Data.(type) {
	case *events.DTMF:
		m.digits.WithLabelValues(f.Method).Inc()
	case *events.Completed:
		m.calls.WithLabelValues("completed", plainLabel(f.CompletionReason)).Inc()
		m.quality.observe(f.Quality)
	case *events.Failed:
		m.calls.WithLabelValues("failed", plainLabel(f.FailureReason)).Inc()
	}
}

// plainLabel keeps what a flow's author wrote as a reason from making any
// number of series.
func plainLabel(s string) string {
	if s == "" || len(s) > 32 || strings.ContainsFunc(s, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') }) {
		return "other"
	}
	return s
}

// handler shows the metrics, packed when the scraper can unpack them.
func (m *metrics) handler(log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ErrorHandling:       promhttp.ContinueOnError, // most of the metrics are better than none
		MaxRequestsInFlight: scrapes,
	})
}
