package recorder

import (
	"fmt"
	"os"
	"testing"
	"time"

	"b2bua/media"
)

// What comes after the cut is not in the file; what comes before is, to the
// frame; and every player takes the file.
func TestFinishAtLeavesOutTheRest(t *testing.T) {
	for _, o := range []Options{{Format: MP3}, {Format: MP3, Channels: Dual}, {Format: WAV}, {Format: WAV, Channels: Dual, SampleRate: 16000}} {
		for _, keep := range []time.Duration{3 * time.Second, 2345 * time.Millisecond, time.Hour} {
			t.Run(fmt.Sprint(o.Format, " ", o.Channels, " ", keep), func(t *testing.T) {
				r := play(t, o, 250, func(tick int) (in, out *media.TapFrame) {
					if tick < 160 { // 440 Hz for 3.2 s, then 1500 Hz
						return voice(low, media.In, tick, false), nil
					}
					return voice(high, media.In, tick, false), nil
				}, map[int]func(*Recording){249: func(rec *Recording) { rec.FinishAt(keep) }})
				want := min(keep, 5*time.Second)
				if d := want - r.Duration; d < -20*time.Millisecond || d > 40*time.Millisecond {
					t.Errorf("lasts %v, want %v", r.Duration, want)
				}
				checkFile(t, r)
				for name, decode := range decoders {
					c := decode(t, r.Path).Channel(0)
					if d := c.Duration() - r.Duration; d < -time.Millisecond || d > 40*time.Millisecond {
						t.Errorf("%s: %v, told %v", name, c.Duration(), r.Duration)
					}
					if l := toneLevel(c, 100*time.Millisecond, 2200*time.Millisecond, 440); l < -13 {
						t.Errorf("%s: what was to stay is at %.1f dBov", name, l)
					}
					if l := toneLevel(c, want-200*time.Millisecond, want-50*time.Millisecond, 1500); keep < time.Hour && l > -50 {
						t.Errorf("%s: what was to go is at %.1f dBov", name, l)
					}
				}
			})
		}
	}
}

// A cut before anything was said leaves a file that is one.
func TestFinishAtTheBeginning(t *testing.T) {
	for _, format := range []string{MP3, WAV} {
		r := play(t, Options{Format: format}, 100, bothTalk, map[int]func(*Recording){99: func(rec *Recording) { rec.FinishAt(0) }})
		if r.Duration > 80*time.Millisecond {
			t.Errorf("%s: lasts %v", format, r.Duration)
		}
		checkFile(t, r)
		decoders["ours"](t, r.Path)
	}
}

// checkFile holds size and sum to the file.
func checkFile(t *testing.T, r Result) {
	t.Helper()
	f, err := os.Open(r.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if sum, size, err := sumFile(f); err != nil || sum != r.SHA256 || size != r.Size {
		t.Errorf("%d bytes %s, told %d %s: %v", size, sum, r.Size, r.SHA256, err)
	}
}
