//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// gauges reads what must be the same after calls as before: from /metrics the goroutines and every gauge of the
// switch itself that counts things that a call takes and gives back; from the kernel the open files.
func (s *Switch) gauges() map[string]float64 {
	s.t.Helper()
	code, body, err := s.try(http.MethodGet, "/metrics", nil)
	if err != nil || code != http.StatusOK {
		s.t.Fatalf("GET /metrics: %d, %v", code, err)
	}
	kinds, values := map[string]string{}, map[string]float64{}
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (\S+) (\S+)$`).FindAllStringSubmatch(string(body), -1) {
		kinds[m[1]] = m[2]
	}
	for _, m := range regexp.MustCompile(`(?m)^(([a-z0-9_]+)(?:\{[^}]*\})?) (\S+)$`).FindAllStringSubmatch(string(body), -1) {
		name := m[2]
		own := strings.HasPrefix(name, "b2bua_") && kinds[name] == "gauge" && !regexp.MustCompile("_(seconds|info|total)$").MatchString(name)
		if own || name == "go_goroutines" {
			values[m[1]], _ = strconv.ParseFloat(m[3], 64)
		}
	}
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.Pid()))
	if err != nil {
		s.t.Fatal(err)
	}
	values["open files"] = float64(len(files))
	return values
}

// settled fails unless every gauge comes back to what it was, within the 32 s that SIP remembers a transaction
// and a little more.
func (s *Switch) settled(t *testing.T, before map[string]float64) {
	t.Helper()
	own := 0
	for name := range before {
		if strings.HasPrefix(name, "b2bua_") {
			own++
		}
	}
	if own < 3 || len(before) < own+2 {
		t.Fatalf("/metrics shows too little to see a leak: %v", before)
	}
	var left map[string][2]float64
	deadline := time.Now().Add(45 * time.Second)
	s.eventually("give back what the calls took", 60*time.Second, func() bool {
		left = map[string][2]float64{}
		for name, now := range s.gauges() {
			if now > before[name] {
				left[name] = [2]float64{before[name], now}
			}
		}
		return len(left) == 0 || time.Now().After(deadline)
	})
	for name, v := range left {
		t.Errorf("%s was %g before the calls and is %g after them", name, v[0], v[1])
	}
}
