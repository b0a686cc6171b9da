package store

import (
	"errors"
	"testing"

	"b2bua/flows"
)

func TestRoutingWebhooksAreHTTPSUnlessPrivateOnesAreAllowed(t *testing.T) {
	for _, allowed := range []bool{false, true} {
		s, err := Open(t.TempDir(), Options{InsecureWebhooks: allowed})
		if err != nil {
			t.Fatal(err)
		}
		f := flows.NewCallFlow()
		f.Name = "Smart"
		f.Routing = []flows.Rule{{Pattern: "*", DestinationType: flows.ToWebhook, Destination: "http://example.com/calls"}}
		err = s.Flows().Create(t.Context(), f)
		var invalid *Invalid
		if allowed && err != nil || !allowed && (!errors.As(err, &invalid) || invalid.Problems[0].Path != "routing[0].destination") {
			t.Errorf("allowed %v: %v", allowed, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
