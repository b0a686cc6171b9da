package peers

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// SIPpRun describes one run of SIPp.
type SIPpRun struct {
	Scenario  string            // a file of testbench/scenarios, without .xml
	Target    string            // host:port to call; empty for a scenario that is called
	Service   string            // the number to call
	From      string            // the number that calls (default +14155550100)
	Transport string            // u1 (default), t1 …
	Calls     int               // how many calls (default 1); below 0: until stopped
	Rate      int               // calls a second (default 10)
	Keys      map[string]string // the scenario's keys: wait_ms, talk_ms …
	Echo      bool              // send every RTP packet back
	Pcap      []byte            // a recording that the scenario plays as keys.pcap
}

// SIPp is a running SIPp.
type SIPp struct {
	*Process
	Port, MediaPort int
	stats           string
}

// SIPpResult is what SIPp counted.
type SIPpResult struct {
	Exit                               int
	Successful, Failed, Retransmission int
	Failures                           map[string]int // by SIPp's own names, where above zero
	Setup                              string         // mean time from INVITE to answer, as SIPp writes it
}

// Scenario is the path of a scenario file.
func Scenario(name string) string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "..", "scenarios", name+".xml")
}

// StartSIPp starts SIPp on loopback. A scenario that is called listens once this returns.
func StartSIPp(tb testing.TB, r SIPpRun) *SIPp {
	tb.Helper()
	dir := tb.TempDir()
	s := &SIPp{Port: Ports(tb, 2), MediaPort: Ports(tb, 4), stats: filepath.Join(dir, "stats.csv")}
	args := []string{
		"-sf", Scenario(r.Scenario), "-nostdin", "-skip_rlimit",
		"-i", Loopback, "-p", strconv.Itoa(s.Port), "-mi", Loopback, "-mp", strconv.Itoa(s.MediaPort),
		"-t", or(r.Transport, "u1"), "-s", or(r.Service, "service"), "-key", "from", or(r.From, "+14155550100"),
		"-r", strconv.Itoa(max(r.Rate, 0)), "-timeout_error",
		"-trace_stat", "-stf", s.stats, "-fd", "1", "-trace_err", "-error_file", filepath.Join(dir, "errors.log"),
	}
	if r.Rate == 0 {
		args = append(args, "-r", "10")
	}
	if r.Calls >= 0 {
		args = append(args, "-m", strconv.Itoa(max(r.Calls, 1)))
	}
	for k, v := range r.Keys {
		args = append(args, "-key", k, v)
	}
	if r.Echo {
		args = append(args, "-rtp_echo")
	}
	if r.Target != "" {
		args = append(args, r.Target)
	}
	if r.Pcap != nil {
		if err := os.WriteFile(filepath.Join(dir, "keys.pcap"), r.Pcap, 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	s.Process = Start(tb, dir, nil, "sipp", args...)
	tb.Cleanup(func() {
		if tb.Failed() {
			text, _ := os.ReadFile(filepath.Join(dir, "errors.log"))
			tb.Logf("SIPp %s, errors:\n%s", r.Scenario, tail(string(text), 4000))
		}
	})
	network := "udp"
	if strings.HasPrefix(r.Transport, "t") {
		network = "tcp"
	}
	if r.Target == "" || network == "udp" {
		awaitBound(s.Process, network, s.Port, 10*time.Second)
	}
	return s
}

// Address is where SIPp listens.
func (s *SIPp) Address() string { return fmt.Sprintf("%s:%d", Loopback, s.Port) }

// Finish tells SIPp to take no more calls and to end when the last one is over.
func (s *SIPp) Finish() { s.Signal(syscall.SIGUSR1) }

// Result waits until SIPp has ended by itself and reads what it counted.
func (s *SIPp) Result(within time.Duration) SIPpResult {
	s.tb.Helper()
	r := SIPpResult{Exit: s.Wait(within), Failures: map[string]int{}}
	f, err := os.Open(s.stats)
	if err != nil {
		s.tb.Fatalf("read SIPp's statistics: %v", err)
	}
	defer f.Close()
	in := csv.NewReader(f)
	in.Comma, in.FieldsPerRecord = ';', -1
	rows, err := in.ReadAll()
	if err != nil || len(rows) < 2 {
		s.tb.Fatalf("read SIPp's statistics: %d rows, %v", len(rows), err)
	}
	last := rows[len(rows)-1]
	for i, name := range rows[0] {
		if i >= len(last) {
			break
		}
		n, _ := strconv.Atoi(last[i])
		switch name {
		case "SuccessfulCall(C)":
			r.Successful = n
		case "FailedCall(C)":
			r.Failed = n
		case "Retransmissions(C)":
			r.Retransmission = n
		case "ResponseTimeinvite(C)":
			r.Setup = last[i]
		default:
			if strings.HasPrefix(name, "Failed") && strings.HasSuffix(name, "(C)") && n > 0 {
				r.Failures[strings.TrimSuffix(name, "(C)")] = n
			}
		}
	}
	return r
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
