//go:build e2e

package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"testing"
	"time"

	"b2bua/testbench/peers"
)

// upload sends a file and returns what was made of it.
func (s *Switch) upload(path, kind, file string) doc {
	s.t.Helper()
	f, err := os.Open(file)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.API+path, f)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("X-Auth-Token", adminKey)
	req.Header.Set("Content-Type", kind)
	res, err := s.http.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	reply := doc{}
	if err != nil || res.StatusCode != http.StatusCreated || json.Unmarshal(text, &reply) != nil {
		s.t.Fatalf("POST %s: %s %v %s", path, res.Status, err, text)
	}
	return reply
}

// A prompt is there after a restart, with the same sound.
func TestPromptOutlivesTheProcess(t *testing.T) {
	s := StartSwitch(t, "127.0.0.1:9")
	made := s.upload("/v2/prompts?name=Welcome", "audio/wav", peers.Tone(t, 440, level, 2*time.Second))
	path := "/v2/prompts/" + made.str("prompt_id")
	s.Restart()
	now := s.Get(path)
	if now.str("sha256") != made.str("sha256") || now.str("name") != "Welcome" {
		t.Errorf("made %v, now %v", made, now)
	}
	before, err := os.ReadFile(s.Fetch(path+"/audio", "welcome.wav"))
	if err != nil || len(before) != int(made["size"].(float64)) {
		t.Errorf("%d bytes of %v, %v", len(before), made["size"], err)
	}
}
