//go:build e2e

package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"b2bua/testbench/peers"
)

var (
	killRounds = flag.Int("kills", 2, "how often the switch is killed while it records")
	killCalls  = flag.Int("killed", 20, "calls that are recorded then")
)

// Kill ends the switch as the kernel would, and starts it again.
func (s *Switch) Kill() {
	s.t.Helper()
	s.Signal(syscall.SIGKILL)
	s.Wait(5 * time.Second)
	s.http.CloseIdleConnections()
	s.start()
}

// A switch that is killed while it records loses less than the last second of each
// recording, and tells of every one, once, when it is there again.
func TestKilledRecordings(t *testing.T) {
	trunk := peers.StartSIPp(t, peers.SIPpRun{Scenario: "uas_answer", Calls: *killRounds**killCalls + 1, Echo: true, Keys: map[string]string{"ring_ms": "0"}})
	s := StartSwitch(t, trunk.Address())
	hook := Listen(s)
	flow := s.Flow(rule("phone_number", sales)).str("call_flow_id")
	dir := filepath.Join(s.dir, "data", "recordings")
	seen := map[string]bool{}
	for round := range *killRounds {
		settings := []doc{{"enabled": true, "channels": "dual"}, {"enabled": true, "format": "wav"}}[round%2]
		s.Do(http.MethodPatch, "/v2/call-flows/"+flow, doc{"recording": settings}, http.StatusOK)
		hook.Forget()
		peers.StartSIPp(t, peers.SIPpRun{Scenario: "uac_call", Target: s.SIP, Service: did, Calls: *killCalls, Rate: 50,
			Keys: map[string]string{"talk_ms": "60000"}})
		begun := map[string]time.Time{}
		s.eventually("record all calls", 20*time.Second, func() bool {
			for _, e := range hook.All("recording.started") {
				at, _ := time.Parse(time.RFC3339Nano, e.str("data", "at"))
				begun[e.str("data", "recording_id")] = at
			}
			return len(begun) == *killCalls
		})
		peers.Talk(time.Second + time.Duration(rand.IntN(3000))*time.Millisecond)
		killed := time.Now()
		s.Kill()
		s.eventually("tell of all recordings", 15*time.Second, func() bool { return len(hook.All("recording.completed")) >= *killCalls })
		peers.Talk(time.Second) // none is told again
		told := map[string]int{}
		for _, e := range hook.All("recording.completed") {
			told[e.str("data", "recording_id")]++
		}
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		worst := 0.0
		for _, f := range files {
			id, ext, _ := strings.Cut(f.Name(), ".")
			if ext == "peaks" || seen[id] {
				continue
			}
			seen[id] = true
			row := s.Get("/v2/recordings/" + id)
			lost := killed.Sub(begun[id]).Seconds() - row.num("duration")
			worst = max(worst, lost)
			if told[id] != 1 || begun[id].IsZero() || row.str("status") != "completed" || lost > 1 {
				t.Errorf("%s: told %d times, %.2f s lost: %v", id, told[id], lost, row)
			}
			whole(t, filepath.Join(dir, f.Name()), row)
		}
		if len(told) != *killCalls {
			t.Errorf("%d recordings told of", len(told))
		}
		t.Logf("round %d: %d recordings, at most %.3f s lost", round, len(told), worst)
	}
}

// whole holds a file to what is told of it, and has ffmpeg play it to the end.
func whole(t *testing.T, path string, row doc) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
		return
	}
	if sum := sha256.Sum256(b); row.str("sha256") != hex.EncodeToString(sum[:]) || row.num("size") != float64(len(b)) {
		t.Errorf("%s: %d bytes, %x: %v", path, len(b), sum, row)
	}
	out, err := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-xerror", "-err_detect", "explode", "-i", path, "-f", "null", "-").CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("ffmpeg %s: %v %s", path, err, out)
	}
	probe, err := exec.CommandContext(t.Context(), "ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", path).Output()
	if err != nil {
		t.Errorf("ffprobe %s: %v", path, err)
		return
	}
	if d, err := strconv.ParseFloat(strings.TrimSpace(string(probe)), 64); err != nil || d-row.num("duration") > 0.05 || row.num("duration")-d > 0.05 {
		t.Errorf("%s lasts %v s, told %v", path, d, row.num("duration"))
	}
}

// All lists the events of a name that have come.
func (r *Receiver) All(name string) []doc {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []doc
	for _, e := range r.events {
		if e.str("event") == name {
			list = append(list, e)
		}
	}
	return list
}

// A disk that is full ends recordings, and nothing else: calls go on, the API says
// 507 and does nothing by halves, and with room again all is as before.
func TestFullDisk(t *testing.T) {
	trunk := peers.StartSIPp(t, peers.SIPpRun{Scenario: "uas_answer", Calls: 3, Echo: true, Keys: map[string]string{"ring_ms": "0"}})
	s := StartSwitchWith(t, Setup{Trunks: fmt.Sprintf(carrier, trunk.Address()), Small: 4})
	hook := Listen(s)
	flow := s.Flow(rule("phone_number", sales)).str("call_flow_id")
	s.Do(http.MethodPatch, "/v2/call-flows/"+flow, doc{"recording": doc{"enabled": true}}, http.StatusOK)
	caller := peers.StartSIPp(t, peers.SIPpRun{Scenario: "uac_call", Target: s.SIP, Service: did, Calls: 1, Keys: map[string]string{"talk_ms": "20000"}})
	first := hook.Await("recording.started", 10*time.Second)
	peers.Talk(2 * time.Second)
	filler := filepath.Join(s.dir, "data", "filler")
	fill(t, filler)
	full := hook.Await("recording.failed", 5*time.Second)
	if full.str("data", "reason") != "disk_full" || full.str("data", "recording_id") != first.str("data", "recording_id") || full.num("data", "duration") < 1 {
		t.Errorf("%v", full)
	}
	before := len(s.Get("/v2/ivr-menus")["data"].([]any))
	code := 0
	for i := range 40 { // a page or two may still fit
		code, _, _ = s.try(http.MethodPost, "/v2/ivr-menus", fmt.Appendf(nil, `{"menu_id":"menu_%d","name":"%s","prompt":"x"}`, i, strings.Repeat("x", 190)))
		if code != http.StatusCreated {
			break
		}
		before++
	}
	if code != http.StatusInsufficientStorage {
		t.Errorf("a write to a full disk was answered with %d", code)
	}
	if n := len(s.Get("/v2/ivr-menus?limit=100")["data"].([]any)); n != before {
		t.Errorf("%d menus, want %d", n, before)
	}
	if n := s.metric("b2bua_recordings_disk_full_total"); n != 1 {
		t.Errorf("%v recordings ended by a full disk", n)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	freed := time.Now()
	hook.AwaitThat("recording.started", 10*time.Second, func(d doc) bool { return d.str("recording_id") != first.str("data", "recording_id") })
	s.eventually("take writes again", 10*time.Second, func() bool {
		code, _, err := s.try(http.MethodPost, "/v2/ivr-menus", []byte(`{"name":"again","prompt":"x"}`))
		return err == nil && code == http.StatusCreated
	})
	t.Logf("all was well again after %v", time.Since(freed).Round(time.Millisecond))
	if r := caller.Result(40 * time.Second); r.Exit != 0 {
		t.Errorf("the call: %+v", r)
	}
	done := hook.Await("recording.completed", 10*time.Second)
	dir := filepath.Join(s.dir, "data", "recordings")
	for _, id := range []string{first.str("data", "recording_id"), done.str("data", "recording_id")} {
		s.eventually("list "+id, 10*time.Second, func() bool {
			row := s.Get("/v2/recordings/" + id)
			return row.str("status") != "recording" && row.num("size") > 0
		})
		whole(t, filepath.Join(dir, id+".mp3"), s.Get("/v2/recordings/"+id))
	}
}

// fill takes all the room of a disk.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 16; size > 0; size /= 2 {
		for b := make([]byte, size); err == nil; {
			_, err = f.Write(b)
		}
		err = nil
	}
}
