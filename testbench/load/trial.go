package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"b2bua/media/codec"
	"b2bua/testbench/load/stream"
)

// The ways to use a switch.
const (
	modeBridge    = "bridge"    // two legs of one codec
	modeTranscode = "transcode" // two legs of different codecs
	modeRecord    = "record"    // two legs of one codec, recorded to stereo MP3
	modeMenu      = "menu"      // one leg that hears a prompt
	modeAhead     = "ahead"     // one leg whose caller types eight keys ahead, over three menus
	modeBare      = "bare"      // no switch: packets go to and fro as cheaply as they can
)

// The ways to press a key.
const (
	keysEvents = "rfc4733"
	keysTones  = "inband"
	keysInfo   = "info"
)

// trial is one thing to try.
type trial struct {
	Name     string        `json:"name"`
	Mode     string        `json:"mode"`
	Calls    int           `json:"calls"`
	Rate     int           `json:"rate"`
	Duration time.Duration `json:"-"`
	Codec    string        `json:"codec"`
	Far      string        `json:"far_codec,omitempty"` // of the trunk
	Ptime    time.Duration `json:"-"`
	Number   string        `json:"-"`
	Keys     string        `json:"-"`              // to be pressed by each caller
	KeysBy   string        `json:"keys,omitempty"` // how
}

// The tones that callers and called say, and the one of the prompt.
var (
	callerVoice = stream.Voice{Freq: 400, Level: -15}
	calledVoice = stream.Voice{Freq: 1000, Level: -15}
	promptVoice = stream.Voice{Freq: 600, Level: -15}
)

// validate completes the trial, or tells everything that is wrong with it.
func (t *trial) validate() error {
	var wrong []error
	refuse := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if t.Calls < 1 || t.Calls > 100_000 {
		refuse("-calls %d: 1 to 100000", t.Calls)
	}
	if t.Rate < 1 {
		refuse("-rate %d: at least 1 a second", t.Rate)
	}
	if t.Duration < time.Second {
		refuse("-duration %v: at least 1s", t.Duration)
	}
	near, ok := codec.Lookup(t.Codec)
	if !ok {
		refuse("-codec %s: one of %s", t.Codec, strings.Join(codec.Default(), ", "))
	}
	t.Codec = near.Name
	switch t.Mode {
	case modeTranscode:
		if t.Far == "" && t.Codec == codec.PCMA {
			t.Far = codec.PCMU
		} else if t.Far == "" {
			t.Far = codec.PCMA
		}
		far, ok := codec.Lookup(t.Far)
		if !ok || far.Name == near.Name {
			refuse("-far %s: one of %s, but not that of the caller", t.Far, strings.Join(codec.Default(), ", "))
		}
		t.Far = far.Name
	case modeBridge, modeRecord, modeMenu, modeAhead, modeBare:
		t.Far = t.Codec
	default:
		refuse("-mode %s: bridge, record, transcode, menu, ahead or bare", t.Mode)
	}
	switch t.KeysBy {
	case keysEvents, keysTones, keysInfo:
	default:
		refuse("-dtmf %s: rfc4733, inband or info", t.KeysBy)
	}
	if strings.Trim(t.Keys, "0123456789") != "" {
		refuse("-digits %s: digits 0-9", t.Keys)
	}
	switch t.Mode {
	case modeBare:
		t.Keys = ""
	case modeAhead:
		t.Keys = aheadOfMenus
	}
	return errors.Join(wrong...)
}

// aheadOfMenus is what every caller types ahead, and the number of the caller in
// three digits after it: three keys for the first menu, two for the second, three
// for the third.
const aheadOfMenus = "12345"

// menus tells that callers sit in a menu until they have pressed what they want.
func (t *trial) menus() bool { return t.Mode == modeMenu || t.Mode == modeAhead }

// suite are the trials that a machine is judged by. The numbers of calls are those
// of 600 bridged ones, in proportion.
func suite(base trial) []trial {
	part := func(name, mode string, calls int, change func(*trial)) trial {
		t := base
		t.Name, t.Mode, t.Far, t.Calls = name, mode, "", max(1, calls*base.Calls/600)
		if change != nil {
			change(&t)
		}
		return t
	}
	return []trial{
		part("bare relay", modeBare, 600, nil),
		part("bridged", modeBridge, 600, nil),
		part("transcoded", modeTranscode, 500, nil),
		part("prompt", modeMenu, 2000, nil),
		part("keys as events", modeMenu, 1000, func(t *trial) { t.Keys, t.KeysBy = "1", keysEvents }),
		part("eight keys ahead", modeAhead, 1000, nil),
		part("keys in band", modeMenu, 1000, func(t *trial) { t.Keys, t.KeysBy = "1", keysTones }),
	}
}

// besides is what a trial is compared with: recorded calls with calls that are not.
func (t trial) besides() []trial {
	if t.Mode != modeRecord {
		return []trial{t}
	}
	plain := t
	plain.Name, plain.Mode = "not recorded", modeBridge
	return []trial{plain, t}
}
