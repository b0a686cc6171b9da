package stories_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
)

// request asks the API.
func (s *stage) request(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
	r.Header.Set("X-Auth-Token", adminKey)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.sw.Handler().ServeHTTP(w, r)
	return w
}

// api asks the API for something that must come out with a status.
func (s *stage) api(method, path, body string, status int) doc {
	s.Helper()
	w := s.request(method, path, body)
	if w.Code != status {
		s.Fatalf("%s %s %s: %d %s, want %d", method, path, body, w.Code, w.Body, status)
	}
	var d doc
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil {
			s.Fatalf("%s %s: %v in %s", method, path, err, w.Body)
		}
	}
	return d
}

func (s *stage) create(path, body string) doc {
	s.Helper()
	return s.api(http.MethodPost, path, body, http.StatusCreated)
}

func (s *stage) get(path string) doc {
	s.Helper()
	return s.api(http.MethodGet, path, "", http.StatusOK)
}

// flow makes the flow of the number that the stories call.
func (s *stage) flow(routing string) doc {
	s.Helper()
	return s.create("/v2/call-flows", `{"name": "story", "phone_number": "`+did+`", "routing": [`+routing+`]}`)
}

// owns makes the switch own the number, with the flows that have none.
func (s *stage) owns(number, flow string) {
	s.Helper()
	body := `{"phone_number": "` + number + `"}`
	if flow != "" {
		body = `{"phone_number": "` + number + `", "call_flow_id": "` + flow + `"}`
	}
	s.create("/v2/phone-numbers", body)
}

// command is one of a call's verbs.
func (s *stage) command(call, verb, body string, status int) doc {
	s.Helper()
	return s.api(http.MethodPost, "/v2/calls/"+call+"/"+verb, body, status)
}

// download gets audio.
func (s *stage) download(path string) []byte {
	s.Helper()
	w := s.request(http.MethodGet, path, "")
	if w.Code != http.StatusOK {
		s.Fatalf("GET %s: %d %s", path, w.Code, w.Body)
	}
	b, err := io.ReadAll(w.Body)
	s.must(err)
	return b
}

// metrics are the numbers without labels.
func (s *stage) metrics() map[string]float64 {
	s.Helper()
	w := s.request(http.MethodGet, "/metrics", "")
	if w.Code != http.StatusOK {
		s.Fatalf("metrics: %d", w.Code)
	}
	all := map[string]float64{}
	for lines := bufio.NewScanner(w.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if n, err := strconv.ParseFloat(value, 64); err == nil {
			all[name] = n
		}
	}
	return all
}
