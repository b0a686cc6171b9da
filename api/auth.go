package api

import (
	"net/http"
	"strings"

	"b2bua/store"
)

// public are the routes that need no key: whether the switch is well, and what
// the API looks like. The metrics are sums without numbers, names or ids.
var public = []string{"/", "/docs", "/docs/", "/healthz", "/readyz", "/metrics", "/v2/openapi.json"}

func isPublic(path string) bool {
	for _, p := range public {
		if path == p || (p == "/docs/" && strings.HasPrefix(path, p)) {
			return true
		}
	}
	return false
}

// scopeFor is what a key must be good for: to see, to change, or to administer
// keys and to see what is told to nobody else. Unknown paths need a key too, so that nobody without one can find out
// which paths exist.
func scopeFor(r *http.Request) store.Scope {
	switch {
	case r.URL.Path == keysPath || strings.HasPrefix(r.URL.Path, keysPath+"/"):
		return store.ScopeAdmin
	case strings.HasPrefix(r.URL.Path, callsPath+"/") && strings.HasSuffix(r.URL.Path, "/pcap"):
		return store.ScopeAdmin // it has the numbers of callers who withhold them
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		return store.ScopeRead
	}
	return store.ScopeWrite
}

// authenticate lets nobody pass without a key that is good for what is asked,
// and holds every key to its rate. Keys travel in headers only, never in URLs,
// which end up in logs.
func (s *Server) authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isPublic(r.URL.Path) {
			if s.allow(w, r, "from "+addrOf(r.RemoteAddr).String()) {
				next.ServeHTTP(w, r)
			}
			return
		}
		key, ok := s.Store.FindKey(presented(r))
		if !ok {
			if !s.allow(w, r, "from "+addrOf(r.RemoteAddr).String()) {
				return
			}
			w.Header().Set("WWW-Authenticate", `Bearer realm="b2bua"`)
			writeProblem(w, r, fail(http.StatusUnauthorized, slugUnauthorized, "A valid API key is needed in X-Auth-Token"))
			return
		}
		trailOf(r.Context()).key = key.ID
		if !s.allow(w, r, "key "+key.ID) {
			return
		}
		if need := scopeFor(r); !key.Scope.Allows(need) {
			writeProblem(w, r, fail(http.StatusForbidden, slugForbidden, "This needs a key with the scope %s", need))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// presented is the key a client shows, or nothing. Two different ones are
// nothing, too.
func presented(r *http.Request) string {
	tokens := r.Header.Values("X-Auth-Token")
	for _, h := range r.Header.Values("Authorization") {
		if scheme, token, ok := strings.Cut(h, " "); ok && strings.EqualFold(scheme, "Bearer") {
			tokens = append(tokens, strings.TrimSpace(token))
		}
	}
	key := ""
	for _, t := range tokens {
		if len(t) > 512 || key != "" && t != key {
			return ""
		}
		key = t
	}
	return key
}
