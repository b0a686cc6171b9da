package exchange

import (
	"context"
	"time"

	"b2bua/sip/capture"
)

// newCapture makes what keeps the SIP messages of calls, and what sends them to
// a collector; each is nil when the configuration does not want it.
func (x *Exchange) newCapture() {
	want := x.cfg.SIP.Capture
	cfg := capture.Config{MaxBytes: want.Megabytes << 20, Now: x.opt.Now}
	if want.HEP.Collector != "" {
		x.hep = capture.NewExporter(capture.ExporterConfig{
			Collector: want.HEP.Collector, Node: uint32(want.HEP.Node), Key: want.HEP.Key, // in range: validated
		}, x.log)
		cfg.Export = x.hep.Export
	}
	if want.Megabytes == 0 {
		cfg.MaxBytes, cfg.MaxUnproven = 1, 1 // room for no message: they only pass through
	}
	if want.Megabytes > 0 || x.hep != nil {
		x.wire = capture.New(cfg)
	}
}

// collectorRetry is how long it takes to try again when the collector's name
// cannot be resolved.
const collectorRetry = time.Minute

// exportCapture feeds the collector until ctx ends. That it is out of reach is
// no reason to stop anything else.
func (x *Exchange) exportCapture(ctx context.Context) error {
	for {
		err := x.hep.Run(ctx)
		if err == nil {
			return nil
		}
		x.log.Warn("HEP export", "err", err)
		wait := time.NewTimer(collectorRetry)
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return nil
		}
	}
}
