package api

import (
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"b2bua/events"
)

// What is told of the legs of a call shows in the metrics; of one from which
// nothing came nothing is known.
func TestQualityIsCounted(t *testing.T) {
	m := &metrics{quality: newQuality()}
	m.quality.observe([]events.Quality{
		{Leg: "caller", Lost: 0.02, Jitter: 0.004, RTT: 0.03, MOS: 4.2},
		{Leg: "sales", Lost: 0, Jitter: 0.001, MOS: 4.41},
		{Leg: "silent", Sent: 100},
	})
	r := testRegistry(t, m)
	for _, line := range []string{
		`b2bua_leg_mos_count 2`, `b2bua_leg_mos_bucket{le="4.3"} 1`, `b2bua_leg_lost_ratio_bucket{le="0"} 1`, `b2bua_leg_lost_ratio_bucket{le="0.03"} 2`,
		`b2bua_leg_jitter_seconds_sum 0.005`, `b2bua_leg_round_trip_seconds_count 1`,
	} {
		if !strings.Contains(r, line+"\n") {
			t.Errorf("no %s in\n%s", line, r)
		}
	}
}

// testRegistry is what a scrape of the legs' metrics shows.
func testRegistry(t *testing.T, m *metrics) string {
	t.Helper()
	m.registry = prometheus.NewRegistry()
	for _, c := range m.quality.collectors() {
		if err := m.registry.Register(c); err != nil {
			t.Fatal(err)
		}
	}
	w := httptest.NewRecorder()
	m.handler(slog.New(slog.DiscardHandler)).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	return w.Body.String()
}
