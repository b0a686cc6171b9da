package api

import (
	"github.com/prometheus/client_golang/prometheus"

	"b2bua/events"
)

// quality shows how the sound of the legs was, once each call is over. There are
// no labels: which trunk it was stands in the call records.
type quality struct{ mos, lost, jitter, rtt prometheus.Histogram }

func newQuality() quality {
	histogram := func(name, help string, bounds ...float64) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: bounds})
	}
	return quality{
		mos:    histogram("b2bua_leg_mos", "Estimated opinion score of what a leg sent here (ITU-T G.107).", 1.5, 2.5, 3.1, 3.6, 4, 4.3),
		lost:   histogram("b2bua_leg_lost_ratio", "Part of a leg's packets that did not come, or too late.", 0, 0.001, 0.005, 0.01, 0.03, 0.1),
		jitter: histogram("b2bua_leg_jitter_seconds", "Jitter of a leg's packets (RFC 3550).", 0.001, 0.005, 0.01, 0.02, 0.05, 0.1),
		rtt:    histogram("b2bua_leg_round_trip_seconds", "Way to a leg's far end and back, by RTCP.", 0.01, 0.025, 0.05, 0.1, 0.2, 0.4),
	}
}

func (q quality) collectors() []prometheus.Collector {
	return []prometheus.Collector{q.mos, q.lost, q.jitter, q.rtt}
}

func (q quality) observe(legs []events.Quality) {
	for _, l := range legs {
		if l.MOS == 0 {
			continue // nothing came
		}
		q.mos.Observe(l.MOS)
		q.lost.Observe(l.Lost)
		q.jitter.Observe(l.Jitter)
		if l.RTT > 0 {
			q.rtt.Observe(l.RTT)
		}
	}
}
