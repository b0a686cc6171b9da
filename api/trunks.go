package api

import (
	"encoding/json"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// What is known of a trunk.
const (
	TrunkUp      = "up"
	TrunkDown    = "down"
	TrunkUnknown = "unknown"
)

// TrunkStatus is how a trunk is at the moment. Replies show it beside what was
// configured.
type TrunkStatus struct {
	State                 string    `json:"state" enum:"up,down,unknown" doc:"Whether the far end can be reached. Calls skip a trunk that is down while there is another"`
	Since                 time.Time `json:"since" doc:"Since when"`
	LastProbe             time.Time `json:"last_probe,omitzero" doc:"When the far end was last asked by OPTIONS"`
	SIPCode               int       `json:"sip_code,omitempty" doc:"What it answered; left out when it did not"`
	Registered            *bool     `json:"registered,omitempty" doc:"Whether we are registered there; left out when we need not be"`
	RegistrationExpiresAt time.Time `json:"registration_expires_at,omitzero" doc:"When the registration ends unless it is refreshed"`
	Reason                string    `json:"reason,omitempty" doc:"Why it is not up"`
}

// Trunks tells how trunks are.
type Trunks interface {
	// TrunkStatus is false for a trunk without a way out.
	TrunkStatus(id string) (TrunkStatus, bool)
}

// trunkStatus is what replies add to a trunk.
func (s *Server) trunkStatus(id string) any {
	if s.Trunks == nil {
		return nil
	}
	status, ok := s.Trunks.TrunkStatus(id)
	if !ok {
		return nil
	}
	return struct {
		Status TrunkStatus `json:"status"`
	}{status}
}

// join puts the fields of two JSON objects into one.
func join(body json.RawMessage, more any) (json.RawMessage, error) {
	tail, err := json.Marshal(more)
	if err != nil || len(tail) <= len("{}") {
		return body, err
	}
	return append(append(body[:len(body)-1], ','), tail[1:]...), nil
}

// Family is a number that several things of a sort have, told apart by a label.
type Family struct {
	Name, Help, Label string
	Values            func() map[string]float64
}

// Describe implements prometheus.Collector.
func (f Family) Describe(to chan<- *prometheus.Desc) { to <- f.desc() }

// Collect implements prometheus.Collector.
func (f Family) Collect(to chan<- prometheus.Metric) {
	desc := f.desc()
	for label, n := range f.Values() {
		to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, n, label)
	}
}

func (f Family) desc() *prometheus.Desc {
	return prometheus.NewDesc(f.Name, f.Help, []string{f.Label}, nil)
}
