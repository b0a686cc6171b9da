//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"b2bua/testbench/peers"
)

// The load generator starts a switch and makes a few calls of each kind: every packet arrives, as the tone that was
// sent, and so do the keys. How long it takes is not judged, nor the sound on a machine that has no time for it.
func TestLoadGenerator(t *testing.T) {
	generator := filepath.Join(t.TempDir(), "load")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", generator, "b2bua/testbench/load")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string]string{
		"bare":               "-mode bare",
		"bridged":            "-mode bridge -digits 159",
		"bridged, keys told": "-mode bridge -digits 28 -dtmf info -codec pcma",
		"transcoded":         "-mode transcode -digits 37",
		"menu":               "-mode menu -digits 1234567890",
		"keys ahead":         "-mode ahead",
		"packets of 30 ms":   "-mode bridge -ptime 30ms",
		"transcoded back":    "-mode transcode -codec pcma",
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			report := filepath.Join(t.TempDir(), "report.json")
			args := append(strings.Fields(args), "-switch", binary, "-calls", "10", "-rate", "20", "-duration", "2s", "-json", report)
			var told struct {
				Trials []struct {
					Calls      int
					Problem    string
					Sent       int     `json:"packets_sent"`
					Received   int     `json:"packets_received"`
					Expected   int     `json:"packets_expected"`
					Lost       int     `json:"packets_lost"`
					Duplicates int     `json:"packets_duplicated"`
					Altered    int     `json:"packets_altered"`
					Frames     int     `json:"frames_checked"`
					Wrong      int     `json:"frames_wrong"`
					Level      float64 `json:"level_error_db"`
					Keys       int     `json:"calls_with_keys"`
					Right      int     `json:"calls_with_right_keys"`
					Stalls     int     `json:"generator_stalls"`
				}
			}
			// Sound that is sent late is made up for by the jitter buffer: when the machine let the generator wait, it is
			// asked again.
			for try := range 4 {
				p := peers.Start(t, t.TempDir(), nil, generator, args...)
				if code := p.Wait(time.Minute); code > 1 { // 1: it was late
					t.Fatalf("exit code %d", code)
				}
				text, err := os.ReadFile(report)
				if err != nil {
					t.Fatal(err)
				}
				if err := json.Unmarshal(text, &told); err != nil || len(told.Trials) != 1 {
					t.Fatalf("%v\n%s", err, text)
				}
				if r := told.Trials[0]; r.Wrong == 0 || r.Stalls == 0 || try == 3 {
					break
				}
				told.Trials = nil
			}
			r := told.Trials[0]
			if r.Problem != "" || r.Calls != 10 || r.Lost != 0 || r.Duplicates != 0 || r.Altered != 0 || r.Sent == 0 || r.Received < r.Expected || r.Expected < 300 {
				t.Errorf("packets: %+v", r)
			}
			// A machine that kept it waiting every time has said nothing about the sound.
			if r.Frames == 0 || r.Stalls == 0 && (r.Wrong != 0 || r.Level > 0.5) {
				t.Errorf("sound: %+v", r)
			}
			line := strings.Join(args, " ")
			if wants := strings.Contains(line, "-digits") || strings.Contains(line, "-mode ahead"); wants != (r.Keys == 10) || r.Right != r.Keys {
				t.Errorf("keys: %+v", r)
			}
		})
	}
}
