package ivr

import (
	"context"
	"time"

	"b2bua/flows"
)

// Flush forgets the keys that wait.
func (d *Desk) Flush() { d.keys.Flush() }

// Announce speaks a prompt until its end or a key, which waits for Key. Keys that
// wait already keep it from starting.
func (d *Desk) Announce(ctx context.Context, p Prompt) error {
	m := &menu{desk: d, menu: &flows.IVRMenu{Language: p.Language, Voice: p.Voice}}
	_, err := m.present(ctx, p.Ref)
	return err
}

// Key waits for a key; ok is false when none came within that time, or ctx ended.
func (d *Desk) Key(ctx context.Context, within time.Duration) (key byte, ok bool) {
	timer := time.NewTimer(within)
	defer timer.Stop()
	for {
		if ctx.Err() != nil {
			return 0, false
		}
		if k, waits := d.keys.next(); waits {
			return k.Symbol, true
		}
		select {
		case <-d.keys.ready:
		case <-timer.C:
			return 0, false
		case <-ctx.Done():
		}
	}
}
