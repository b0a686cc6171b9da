package recorder

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"b2bua/media"
)

// Formats, participants, channels and pause modes, as the API names them.
const (
	MP3 = "mp3"
	WAV = "wav"

	All    = "all"
	Caller = "caller"
	Callee = "callee"

	Mono = "mono"
	Dual = "dual" // caller left, callee right

	PauseSilence = "silence" // the time line goes on, silent
	PauseSkip    = "skip"    // the paused time is left out
)

// Rates of the files. MP3 below 16 kHz is MPEG-2.5, which many players refuse;
// WAV keeps the rate of the telephone.
const (
	mp3Rate = 16000
	wavRate = 8000
)

const defaultMax = 4 * time.Hour

// Options of a recording. Zero values mean the defaults.
type Options struct {
	Dir         string        // folder of the file, which must exist
	ID          string        // name of the file without extension; it must not exist yet
	Format      string        // MP3 (default) or WAV
	Participant string        // All (default), Caller or Callee
	Channels    string        // Mono (default) or Dual
	PauseMode   string        // PauseSilence (default) or PauseSkip
	SampleRate  int           // of WAV: 8000 (default) or 16000; MP3 always has 16000
	MaxDuration time.Duration // default 4 hours
	Log         *slog.Logger
	// OnDone is called once, on the recording's goroutine, when the file is
	// complete and before Done is closed. It must not wait for the recording.
	OnDone func(Result)
}

// complete fills in the defaults and checks the rest.
func (o *Options) complete() error {
	var errs []error
	choice := func(name string, v *string, allowed ...string) {
		if *v == "" {
			*v = allowed[0]
		}
		if !slices.Contains(allowed, *v) {
			errs = append(errs, fmt.Errorf("%s is %q, want one of %q", name, *v, allowed))
		}
	}
	choice("format", &o.Format, MP3, WAV)
	choice("participant", &o.Participant, All, Caller, Callee)
	choice("channels", &o.Channels, Mono, Dual)
	choice("pause mode", &o.PauseMode, PauseSilence, PauseSkip)
	if o.SampleRate == 0 {
		o.SampleRate = wavRate
	}
	if o.SampleRate != 8000 && o.SampleRate != 16000 {
		errs = append(errs, fmt.Errorf("sample rate is %d, want 8000 or 16000", o.SampleRate))
	}
	if o.MaxDuration <= 0 {
		o.MaxDuration = defaultMax
	}
	return errors.Join(errs...)
}

// wants tells whether a frame belongs into the file: In is what the caller
// says, Out what the caller hears, of which only the peer's voice is the callee.
func (o *Options) wants(f media.TapFrame) bool {
	switch o.Participant {
	case Caller:
		return f.Dir == media.In
	case Callee:
		return f.Dir == media.Out && f.FromPeer
	}
	return true
}

// Why a recording ended.
const (
	Stopped  = "stopped"
	TooLong  = "max_duration"
	DiskFail = "write_failed"
)

// Result describes a complete file.
type Result struct {
	ID         string
	Path       string
	Format     string // what was written: WAV when MP3 was asked for and LAME is missing
	Channels   int
	SampleRate int
	Duration   time.Duration // of the time line; an MP3 ends with its last begun frame, up to 36 ms later
	Size       int64
	SHA256     string // hex
	Dropped    uint64 // frames lost because the disk or the encoder was too slow
	Warning    string // for people: what is not as it was asked for
	Reason     string // Stopped, TooLong or DiskFail
	Err        error  // why writing failed; what was written before is complete
}
