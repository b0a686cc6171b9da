package api

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"b2bua/events"
)

// Gauge is a number that another room shows in the metrics.
type Gauge struct {
	Name  string // such as b2bua_rtp_ports_in_use
	Help  string
	Value func() float64
}

// durations are the upper bounds of the request histogram, in seconds.
var durations = [...]float64{0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10}

// metrics are sums for Prometheus. Labels have few values: routes, not paths;
// reasons, not numbers.
type metrics struct {
	gauges []Gauge

	mu       sync.Mutex
	requests map[labels]uint64 // method, route, status
	buckets  [len(durations) + 1]uint64
	took     float64
	answered uint64
	calls    map[labels]uint64 // result, reason
	events   map[labels]uint64 // event
}

// labels are a metric's label values, in the order of its label names.
type labels [3]string

func newMetrics(s *Server) *metrics {
	started := s.now()
	m := &metrics{requests: map[labels]uint64{}, calls: map[labels]uint64{}, events: map[labels]uint64{}}
	m.gauges = append([]Gauge{
		{"b2bua_calls_active", "Calls going on.", func() float64 { return float64(len(s.Calls.LiveRecords())) }},
		{"b2bua_event_streams", "Clients listening to the event stream.", func() float64 { return float64(s.streams.Load()) }},
		{"b2bua_start_time_seconds", "Start, in seconds since 1970.", func() float64 { return float64(started.Unix()) }},
		{"go_goroutines", "Goroutines.", func() float64 { return float64(runtime.NumGoroutine()) }},
		{"go_memstats_heap_alloc_bytes", "Bytes of the heap in use.", func() float64 {
			var ms runtime.MemStats
			runtime.ReadMemStats(&ms)
			return float64(ms.HeapAlloc)
		}},
	}, s.Gauges...)
	return m
}

// request counts one answer.
func (m *metrics) request(method, route string, status int, took time.Duration) {
	if !slices.Contains([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}, method) {
		method = "other"
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests[labels{method, route, strconv.Itoa(status)}]++
	m.answered++
	m.took += took.Seconds()
	i, _ := slices.BinarySearch(durations[:], took.Seconds())
	m.buckets[i]++
}

// count listens to what happens, until ctx ends.
func (m *metrics) count(ctx context.Context, bus *events.Bus) {
	sub := bus.Subscribe(4096)
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
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events[labels{string(e.Name)}]++
	switch f := e.Data.(type) {
	case *events.Completed:
		m.calls[labels{"completed", plainLabel(f.CompletionReason)}]++
	case *events.Failed:
		m.calls[labels{"failed", plainLabel(f.FailureReason)}]++
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

// serve writes the text format of Prometheus, version 0.0.4.
func (m *metrics) serve(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	b := bufio.NewWriter(w)
	m.write(b)
	_ = b.Flush() // the client may be gone
}

func (m *metrics) write(w io.Writer) {
	for _, g := range m.gauges {
		head(w, g.Name, "gauge", g.Help)
		fmt.Fprintf(w, "%s %s\n", g.Name, number(g.Value()))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	counters(w, "b2bua_calls_total", "Calls that ended.", m.calls, "result", "reason")
	counters(w, "b2bua_events_total", "Events told.", m.events, "event")
	counters(w, "b2bua_http_requests_total", "Requests answered.", m.requests, "method", "route", "code")
	const name = "b2bua_http_request_duration_seconds"
	head(w, name, "histogram", "Time to answer a request.")
	sum := uint64(0)
	for i, n := range m.buckets {
		sum += n
		le := "+Inf"
		if i < len(durations) {
			le = number(durations[i])
		}
		fmt.Fprintf(w, "%s_bucket{le=%q} %d\n", name, le, sum)
	}
	fmt.Fprintf(w, "%s_sum %s\n%s_count %d\n", name, number(m.took), name, m.answered)
}

func head(w io.Writer, name, kind, help string) {
	fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

func number(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

var labelEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func counters(w io.Writer, name, help string, values map[labels]uint64, names ...string) {
	head(w, name, "counter", help)
	order := slices.SortedFunc(maps.Keys(values), func(a, b labels) int { return slices.Compare(a[:], b[:]) })
	for _, l := range order {
		pairs := make([]string, len(names))
		for i, n := range names {
			pairs[i] = n + `="` + labelEscapes.Replace(l[i]) + `"`
		}
		fmt.Fprintf(w, "%s{%s} %d\n", name, strings.Join(pairs, ","), values[l])
	}
}
