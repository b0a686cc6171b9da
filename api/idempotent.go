package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"b2bua/internal/strict"
	"b2bua/store"
)

// keptHeaders are those that a replayed reply carries as the first one did.
var keptHeaders = []string{"Content-Type", "Location", "Etag"}

// maxIdempotencyKey bounds what a client may send as Idempotency-Key.
const maxIdempotencyKey = 255

// idempotent answers a POST that comes again with the same Idempotency-Key with
// the reply it got the first time, for 24 hours. What failed on our side, or
// was turned away for its rate, may be tried again; and so may what asked for
// sensitive digits, which must not lie on the disk.
func (s *Server) idempotent(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get("Idempotency-Key")
		if r.Method != http.MethodPost || key == "" {
			next.ServeHTTP(w, r)
			return
		}
		if len(key) > maxIdempotencyKey {
			writeProblem(w, r, invalid("Idempotency-Key", "must not be longer than %d bytes", maxIdempotencyKey))
			return
		}
		body, err := io.ReadAll(r.Body) // from memory: readBody came before
		if err != nil {
			writeProblem(w, r, problemOf("", err))
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		request := append([]byte(r.Method+" "+r.URL.RequestURI()+"\n"), body...)
		claim, kept, err := s.Store.ClaimReply(trailOf(r.Context()).key+" "+key, request)
		switch {
		case errors.Is(err, store.ErrConflict):
			writeProblem(w, r, fail(http.StatusConflict, slugConflict, "This Idempotency-Key was used with another request"))
		case err != nil:
			trailOf(r.Context()).err = err
			writeProblem(w, r, problemOf("", err))
		case kept != nil:
			replay(w, kept)
		default:
			s.once(w, r, next, claim, !asksForSecrets(r, body))
		}
	})
}

func replay(w http.ResponseWriter, kept *store.Reply) {
	for name, values := range kept.Header {
		w.Header()[name] = values
	}
	w.Header().Set("Idempotent-Replayed", "true")
	w.WriteHeader(kept.Status)
	_, _ = w.Write(kept.Body) // the client may be gone
}

// asksForSecrets says whether the reply may hold digits that must not be kept,
// such as a card's.
func asksForSecrets(r *http.Request, body []byte) bool {
	if !strings.HasSuffix(trailOf(r.Context()).pattern, gatherPath) {
		return false
	}
	doc, err := strict.ParseJSON(body)
	if err != nil {
		return false // the request fails and gets no digits
	}
	v, ok := doc.Get("sensitive")
	return ok && v.Kind == strict.Bool && v.Text == "true"
}

// once lets the request run and keeps its reply, even when the client is gone
// by then: that is when it will ask again.
func (s *Server) once(w http.ResponseWriter, r *http.Request, next http.Handler, claim *store.Claim, keep bool) {
	defer claim.Release()
	cw := &copyWriter{ResponseWriter: w}
	next.ServeHTTP(cw, r)
	if !keep || cw.status >= http.StatusInternalServerError || cw.status == http.StatusTooManyRequests {
		return
	}
	reply := store.Reply{Status: cw.status, Header: map[string][]string{}, Body: cw.body.Bytes()}
	for name, values := range w.Header() {
		if slices.Contains(keptHeaders, name) {
			reply.Header[name] = values
		}
	}
	if r.URL.Path == keysPath {
		reply.Body = without(reply.Body, "key") // only the hash of a key is kept
	}
	if err := claim.Keep(context.WithoutCancel(r.Context()), reply); err != nil {
		s.Log.Warn("reply not kept", "request", trailOf(r.Context()).id, "err", err)
	}
}

func without(body []byte, name string) []byte {
	doc, err := strict.ParseJSON(body)
	if err != nil {
		return nil
	}
	doc.Remove(name)
	return append(doc.JSON(), '\n')
}

// copyWriter copies the reply while it goes out.
type copyWriter struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// WriteHeader remembers the status.
func (w *copyWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Write copies the body.
func (w *copyWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	w.body.Write(b)
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *copyWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
