package webhook

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// "Connect 2 s, 5 s in all, one retry inside that budget on connect error": an
// address that never answers costs two tries of two seconds each, and so does a
// name that never resolves.
func TestConnectingTakesTwoSeconds(t *testing.T) {
	never := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	for what, g := range map[string]Guard{
		"the address": {
			Resolve: func(context.Context, string) ([]netip.Addr, error) {
				return []netip.Addr{netip.MustParseAddr("93.184.216.34")}, nil
			},
			Dial: func(ctx context.Context, _, _ string) (net.Conn, error) { return nil, never(ctx) },
		},
		"the name": {
			Resolve: func(ctx context.Context, _ string) ([]netip.Addr, error) { return nil, never(ctx) },
			Dial:    func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("dialled") },
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			client := NewClient(g)
			defer client.CloseIdleConnections()
			begun := time.Now()
			_, x, err := NewRouter(client, RouterConfig{}, quiet).Ask(t.Context(), "https://example.com/route", question)
			if took := time.Since(begun); err == nil || took != 4*time.Second || len(x.Tries) != 2 {
				t.Errorf("%s: %v after %s, %d tries", what, err, took, len(x.Tries))
			}
		})
	}
}
