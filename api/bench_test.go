package api_test

import (
	"log/slog"
	"testing"

	"b2bua/api"
)

// BenchmarkCreateFlow is a POST with a JSON body, from the handler to the synced
// file: decoded, validated with the whole plan, stored, made the plan.
func BenchmarkCreateFlow(b *testing.B) {
	x := newBench(b, func(d *api.Deps) { d.Log = slog.New(slog.DiscardHandler) })
	const body = `{"name":"Support Line","routing":[{"pattern":"*","destination":"ivr_main","destination_type":"ivr_menu"},` +
		`{"pattern":"1","destination":"+14155552673","destination_type":"phone_number","fallback":{"timeout":30,"action":"voicemail","action_id":"voicemail_default"}}]}`
	b.ReportAllocs()
	for b.Loop() {
		made := x.want(x.do("POST", "/v2/call-flows", body), 201)
		b.StopTimer()
		x.want(x.do("DELETE", made.Header().Get("Location"), ""), 204)
		b.StartTimer()
	}
}
