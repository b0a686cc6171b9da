//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// doc is a JSON object.
type doc map[string]any

// at walks into nested objects and lists: at("data", 0, "call_id").
func (d doc) at(path ...any) any {
	var v any = map[string]any(d)
	for _, step := range path {
		switch key := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[key]
		case int:
			l, _ := v.([]any)
			if key >= len(l) {
				return nil
			}
			v = l[key]
		}
	}
	return v
}

func (d doc) str(path ...any) string {
	s, _ := d.at(path...).(string)
	return s
}

func (d doc) num(path ...any) float64 {
	f, _ := d.at(path...).(float64)
	return f
}

// The certificate is made by the switch itself on first start; no authority knows it.
func insecureClient() *http.Client {
	return &http.Client{
		Timeout:   30 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, //nolint:gosec // see above
	}
}

// try sends a request with the admin key.
func (s *Switch) try(method, path string, body []byte) (int, []byte, error) {
	var in io.Reader
	if body != nil {
		in = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(context.Background(), method, s.API+path, in)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("X-Auth-Token", adminKey)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := s.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	return res.StatusCode, out, err
}

// Do sends a request, whose body is JSON text or something to be made JSON, and fails unless the status is the
// wanted one.
func (s *Switch) Do(method, path string, body any, want int) doc {
	s.t.Helper()
	var text []byte
	switch b := body.(type) {
	case nil:
	case string:
		text = []byte(b)
	default:
		var err error
		if text, err = json.Marshal(b); err != nil {
			s.t.Fatal(err)
		}
	}
	code, out, err := s.try(method, path, text)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	if code != want {
		s.t.Fatalf("%s %s %s: status %d, want %d: %s", method, path, text, code, want, out)
	}
	reply := doc{}
	if len(bytes.TrimSpace(out)) > 0 {
		if err := json.Unmarshal(out, &reply); err != nil {
			s.t.Fatalf("%s %s: %v: %s", method, path, err, out)
		}
	}
	return reply
}

// Get wants 200.
func (s *Switch) Get(path string) doc {
	s.t.Helper()
	return s.Do(http.MethodGet, path, nil, http.StatusOK)
}

// Create posts a resource and wants 201.
func (s *Switch) Create(path string, body any) doc {
	s.t.Helper()
	return s.Do(http.MethodPost, path, body, http.StatusCreated)
}

// Flow creates a flow for the number did with the given routing.
func (s *Switch) Flow(routing ...doc) doc {
	s.t.Helper()
	return s.Create("/v2/call-flows", doc{"name": "Test", "phone_number": did, "routing": routing})
}

// Act sends a command to a call and wants success.
func (s *Switch) Act(callID, action string, body any) doc {
	s.t.Helper()
	return s.Do(http.MethodPost, "/v2/calls/"+callID+"/"+action, body, http.StatusOK)
}

// Fetch saves what a path holds in a file and returns the file's name.
func (s *Switch) Fetch(path, name string) string {
	s.t.Helper()
	code, body, err := s.try(http.MethodGet, path, nil)
	if err != nil || code != http.StatusOK {
		s.t.Fatalf("GET %s: status %d, %v: %.200s", path, code, err, body)
	}
	file := filepath.Join(s.t.TempDir(), name)
	if err := os.WriteFile(file, body, 0o600); err != nil {
		s.t.Fatal(err)
	}
	return file
}

// Rule is a routing rule for any call.
func rule(kind, destination string) doc {
	return doc{"pattern": "*", "destination": destination, "destination_type": kind}
}

func with(d doc, key string, value any) doc {
	out := doc{key: value}
	for k, v := range d {
		out[k] = v
	}
	return out
}

// ended waits until the call is over and returns its record.
func (s *Switch) ended(callID string) doc {
	s.t.Helper()
	var record doc
	s.eventually("end the call", 15*time.Second, func() bool {
		record = s.Get("/v2/calls/" + callID)
		return record.str("ended_at") != ""
	})
	return record
}
