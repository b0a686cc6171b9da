//go:build e2e

package e2e

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"b2bua/testbench/peers"
)

// How much load, for `make load`; what is tested always is small enough to be waited for.
var (
	loadCalls = flag.Int("calls", 4000, "how many calls are bridged without sound")
	loadRate  = flag.Int("rate", 200, "how many of them a second")
)

// clockTick is the unit of the kernel's process times (sysconf CLK_TCK), the same on every Linux.
const clockTick = 10 * time.Millisecond

// Calls without sound are bridged to a trunk, one after the other at a steady rate. None fails, none is repeated
// into another call, and afterwards the switch holds what it held before. What a call cost is told, not judged.
func TestBridgedCallsWithoutSound(t *testing.T) {
	calls, rate := *loadCalls, *loadRate
	warm := min(calls, 2*rate)
	trunk := peers.StartSIPp(t, peers.SIPpRun{Scenario: "uas_answer", Calls: calls + warm, Keys: map[string]string{"ring_ms": "0"}})
	// A pair of ports rests for some seconds after its call.
	s := StartSwitchWith(t, Setup{Trunks: fmt.Sprintf(carrier, trunk.Address()), Ports: 20_000})
	s.Flow(rule("phone_number", sales))
	run := peers.SIPpRun{Scenario: "uac_call", Target: s.SIP, Service: did, Calls: warm, Rate: rate, Keys: map[string]string{"talk_ms": "1000"}}
	// What fills up with the first calls, and stays as large as that, is there before the count begins.
	if r := peers.StartSIPp(t, run).Result(time.Minute); r.Successful != warm {
		t.Fatalf("the first calls: %+v", r)
	}
	s.quiet()
	before, heap, used, began := s.gauges(), s.heap(), s.cpu(), time.Now()

	run.Calls = calls
	callers := peers.StartSIPp(t, run)
	peers.Talk(min(4*time.Second, time.Duration(calls/rate/2)*time.Second))
	t.Logf("while calls are up: %s", s.footprint())
	r := callers.Result(time.Duration(calls/rate)*time.Second + time.Minute)
	took, used := time.Since(began), s.cpu()-used
	if r.Exit != 0 || r.Successful != calls || r.Failed != 0 {
		t.Errorf("callers: %+v", r)
	}
	if u := trunk.Result(10 * time.Second); u.Exit != 0 || u.Successful != calls+warm || u.Failed != 0 {
		t.Errorf("trunk: %+v", u)
	}
	t.Logf("%d calls in %v, %d retransmissions, answered after %s on average, %.2f ms CPU of the switch a call",
		calls, took.Round(time.Millisecond), r.Retransmission, r.Setup, used.Seconds()*1000/float64(calls))
	s.settled(t, before)
	t.Logf("afterwards: %s", s.footprint())
	if calls >= 50_000 {
		// The collector runs by itself every two minutes at the latest.
		s.eventually("give its memory back", 150*time.Second, func() bool { return s.heap() < heap+8<<20 })
	}
}

// cpu is the processor time that the switch has used, in user and system mode together.
func (s *Switch) cpu() time.Duration {
	s.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.Pid()))
	if err != nil {
		s.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	var ticks time.Duration
	for _, field := range strings.Fields(rest)[11:13] { // utime and stime, proc(5)
		n, err := strconv.Atoi(field)
		if err != nil {
			s.t.Fatal(err)
		}
		ticks += time.Duration(n)
	}
	return ticks * clockTick
}

// heap is how many bytes are in use that the collector has not taken back yet.
func (s *Switch) heap() float64 { return s.metric("go_memstats_heap_alloc_bytes") }

// footprint is what the switch takes, in words.
func (s *Switch) footprint() string {
	return fmt.Sprintf("%.0f calls, heap %.1f MiB, stacks %.1f MiB, resident %.1f MiB, %.0f goroutines", s.metric("b2bua_calls_active"),
		s.heap()/(1<<20), s.metric("go_memstats_stack_inuse_bytes")/(1<<20), s.metric("process_resident_memory_bytes")/(1<<20), s.metric("go_goroutines"))
}

// metric reads one number without labels from /metrics.
func (s *Switch) metric(name string) float64 {
	s.t.Helper()
	code, body, err := s.try(http.MethodGet, "/metrics", nil)
	if err != nil || code != http.StatusOK {
		s.t.Fatalf("GET /metrics: %d, %v", code, err)
	}
	m := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindSubmatch(body)
	if m == nil {
		s.t.Fatalf("no metric %s", name)
	}
	v, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		s.t.Fatalf("metric %s: %v", name, err)
	}
	return v
}
