package api

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"b2bua/events"
)

// trail is what is known of a request on its way through the chain.
type trail struct {
	id      string // X-Request-Id
	pattern string // of the route; empty when there is none
	key     string // id of the API key
	err     error  // behind a 500, for the log
}

type trailKey struct{}

func trailOf(ctx context.Context) *trail {
	if t, ok := ctx.Value(trailKey{}).(*trail); ok {
		return t
	}
	return &trail{}
}

// chain puts the middlewares around the routes: the first is the outermost.
func (s *Server) chain() http.Handler {
	h := http.Handler(s.mux)
	for _, m := range []func(http.Handler) http.Handler{
		s.idempotent, s.readBody, s.matchRoute, s.authenticate, s.observe,
	} {
		h = m(h)
	}
	return h
}

// statusWriter remembers what was answered.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader remembers the status.
func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 || w.status < 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write answers 200 when nothing else was said.
func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach deadlines and Flush.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// observe gives every request an id, measures it, survives a panic in it, and
// tells about it once.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, pattern := s.mux.Handler(r)
		t := &trail{id: givenID(r), pattern: pattern}
		r = r.WithContext(context.WithValue(r.Context(), trailKey{}, t))
		h := w.Header()
		h.Set("X-Request-Id", t.id)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		sw := &statusWriter{ResponseWriter: w}
		start := s.now()
		defer func() {
			if v := recover(); v != nil {
				t.err = fmt.Errorf("panic: %v", v)
				s.Log.Error("panic in a request", "request", t.id, "route", pattern, "panic", v, "stack", string(debug.Stack()))
				if sw.status == 0 {
					writeProblem(sw, r, fail(http.StatusInternalServerError, slugInternal, "Something went wrong on our side"))
				}
			}
			s.report(r, t, sw.status, s.now().Sub(start))
		}()
		next.ServeHTTP(sw, r)
	})
}

func (s *Server) report(r *http.Request, t *trail, status int, took time.Duration) {
	route := t.pattern
	if route == "" {
		route = "none"
	}
	s.metrics.request(r.Method, route, status, took)
	attrs := []any{"request", t.id, "method", r.Method, "route", route, "status", status, "took", took.Round(time.Microsecond), "key", t.key}
	switch {
	case status >= http.StatusInternalServerError:
		s.Log.Error("request failed", append(attrs, "err", t.err)...)
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		s.Log.Debug("request answered", attrs...)
	default:
		s.Log.Info("request answered", attrs...)
	}
}

// givenID is the client's request id when it is plain and short, else a new one.
func givenID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	plain := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-_.:", c)
	}
	if id != "" && len(id) <= 128 && !strings.ContainsFunc(id, func(c rune) bool { return !plain(c) }) {
		return id
	}
	return events.NewID("req_")
}

// matchRoute gives paths that do not exist and methods that do not fit our
// error body instead of the mux's plain text.
func (s *Server) matchRoute(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if trailOf(r.Context()).pattern != "" {
			next.ServeHTTP(w, r)
			return
		}
		answer := discard{header: http.Header{}}
		h, _ := s.mux.Handler(r)
		h.ServeHTTP(&answer, r)
		if answer.status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", answer.header.Get("Allow"))
			writeProblem(w, r, fail(http.StatusMethodNotAllowed, slugMethodNotAllowed,
				"%s is not possible here; possible are %s", r.Method, answer.header.Get("Allow")))
			return
		}
		writeProblem(w, r, fail(http.StatusNotFound, slugNotFound, "There is nothing at this path"))
	})
}

// discard is a reply of which only status and header matter.
type discard struct {
	header http.Header
	status int
}

// Header implements http.ResponseWriter.
func (d *discard) Header() http.Header { return d.header }

// Write implements http.ResponseWriter.
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }

// WriteHeader implements http.ResponseWriter.
func (d *discard) WriteHeader(status int) { d.status = status }
