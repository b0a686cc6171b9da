package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

const (
	// pressTime is what a key takes, pause included; keysWait how long it may take
	// to arrive.
	pressTime = 250 * time.Millisecond
	keysWait  = 10 * time.Second
)

// press has every caller press the trial's keys.
func (f *field) press(keys func(at int) string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for at, c := range f.calls {
		switch f.t.KeysBy {
		case keysEvents:
			c.near.Press(keys(at))
		case keysTones:
			if err := c.near.PressTones(keys(at)); err != nil {
				return err
			}
		case keysInfo:
			for _, key := range []byte(keys(at)) {
				f.line.Press(at, key)
			}
		}
	}
	return nil
}

// pressInMenu presses the keys of all callers. Those by SIP INFO come one after
// the other, as the requests of a dialog go.
func (f *field) pressInMenu(ctx context.Context) error {
	if f.t.KeysBy != keysInfo {
		return f.press(f.keysOf)
	}
	for i := range len(f.keysOf(0)) {
		if err := f.press(func(at int) string { return f.keysOf(at)[i : i+1] }); err != nil {
			return err
		}
		if err := pause(ctx, pressTime); err != nil {
			return err
		}
	}
	return nil
}

// ending is how the number ends that a caller's keys lead to.
func (f *field) ending(at int) string {
	keys := f.keysOf(at)
	return keys[max(0, len(keys)-3):]
}

// keysThrough presses the keys in every bridged call and counts the calls in which
// the other side hears exactly these.
func (f *field) keysThrough(ctx context.Context) (right int, err error) {
	if f.t.KeysBy == keysInfo {
		// One after the other, as the requests of a dialog go.
		for i := range f.t.Keys {
			if err := f.press(func(int) string { return f.t.Keys[i : i+1] }); err != nil {
				return 0, err
			}
			if err := pause(ctx, pressTime); err != nil {
				return 0, err
			}
		}
	} else if err := f.press(func(int) string { return f.t.Keys }); err != nil {
		return 0, err
	}
	deadline := time.Now().Add(keysWait + time.Duration(len(f.t.Keys))*pressTime)
	for {
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return 0, err
		}
		if right = f.heardRight(); right == len(f.calls) || time.Now().After(deadline) {
			break
		}
	}
	// A key that is told twice comes a moment later.
	if err := pause(ctx, settling); err != nil {
		return 0, err
	}
	f.mu.Lock()
	for _, c := range f.calls {
		c.far.ListenForTones(false)
	}
	f.mu.Unlock()
	return f.heardRight(), nil
}

// heardRight counts the calls whose called side has heard the keys, by whichever
// kind the switch has turned them into.
func (f *field) heardRight() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.calls {
		events, tones := c.far.Keys()
		if strings.Join([]string{events, tones, string(c.farKeys)}, "") == f.t.Keys {
			n++
		}
	}
	return n
}

// keysOf is what a caller presses in a menu: one of the keys, or in three menus
// eight that are the caller's own.
func (f *field) keysOf(at int) string {
	if f.t.Mode == modeAhead {
		return f.t.Keys + fmt.Sprintf("%03d", at%1000)
	}
	i := at % len(f.t.Keys)
	return f.t.Keys[i : i+1]
}

// keysInMenu has each caller press its keys, all at once, and counts those for
// whom the trunk is called, at a number that ends with the last of them.
func (f *field) keysInMenu(ctx context.Context) (right int, err error) {
	if err := f.pressInMenu(ctx); err != nil {
		return 0, err
	}
	arrived := f.await(ctx, "have been sent on by their key", func(c *call) bool { return c.far != nil })
	f.mu.Lock()
	defer f.mu.Unlock()
	for at, c := range f.calls {
		if strings.HasSuffix(c.number, f.ending(at)) {
			right++
		}
	}
	if right < len(f.calls) && arrived != nil {
		return right, fmt.Errorf("keys: %w", arrived)
	}
	return right, nil
}
