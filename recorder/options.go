package recorder

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
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

// Rates of the files, unless others are asked for. MP3 below 16 kHz is MPEG-2.5,
// which many players refuse; WAV keeps the rate of the telephone.
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
	SampleRate  int           // default 16000 for MP3, 8000 for WAV; see Rates
	Bitrate     int           // of MP3, bit/s; default 32000 for each channel, or the next that its rate has
	Peaks       bool          // keep the peaks of the sound in a file beside it
	Pool        *Pool         // writes it; nil: a goroutine of its own
	MaxDuration time.Duration // default 4 hours
	Log         *slog.Logger
	// OnDone is called once, on the recording's goroutine, when the file is
	// complete and before Done is closed. It must not wait for the recording.
	OnDone func(Result)

	medium func(*os.File) medium // nil: the file itself
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
	errs = append(errs, o.completeRate())
	if o.MaxDuration <= 0 {
		o.MaxDuration = defaultMax
	}
	return errors.Join(errs...)
}

// Rates are the sample rates that a format can have: of MP3 those at which all
// frames are equally long.
func Rates(format string) []int {
	if format == WAV {
		return []int{8000, 16000, 24000, 32000, 44100, 48000}
	}
	return []int{16000, 24000, 32000, 48000}
}

// Bitrates are the bit rates of MP3 at a sample rate (ISO/IEC 11172-3 and 13818-3).
func Bitrates(rate int) []int {
	if rate < 32000 {
		return []int{16000, 24000, 32000, 40000, 48000, 56000, 64000, 80000, 96000, 112000, 128000, 144000, 160000}
	}
	return []int{32000, 40000, 48000, 56000, 64000, 80000, 96000, 112000, 128000, 160000, 192000, 224000, 256000, 320000}
}

func (o *Options) completeRate() error {
	rate, bits := wavRate, 0
	if o.Format == MP3 {
		rate, bits = mp3Rate, 32000
	}
	if o.Channels == Dual {
		bits *= 2
	}
	if o.SampleRate == 0 {
		o.SampleRate = rate
	}
	if o.Bitrate == 0 {
		o.Bitrate = bits
	}
	switch {
	case !slices.Contains(Rates(o.Format), o.SampleRate):
		return fmt.Errorf("sample rate is %d, want one of %d", o.SampleRate, Rates(o.Format))
	case o.Format == WAV && o.Bitrate != 0:
		return errors.New("bit rate is given, which only mp3 has")
	case o.Format == MP3 && !slices.Contains(Bitrates(o.SampleRate), o.Bitrate):
		return fmt.Errorf("bit rate is %d, want one of %d", o.Bitrate, Bitrates(o.SampleRate))
	}
	return nil
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
	DiskFull = "disk_full"
)

// Result describes a complete file.
type Result struct {
	ID         string
	Path       string
	Format     string // what was written: WAV when MP3 was asked for and LAME is missing
	Channels   int
	SampleRate int
	Bitrate    int           // of MP3
	Duration   time.Duration // of the time line; an MP3 ends with its last begun frame, up to 36 ms later
	Size       int64
	SHA256     string // hex
	Dropped    uint64 // frames lost because the disk or the encoder was too slow
	Warning    string // for people: what is not as it was asked for
	Reason     string // Stopped, TooLong, DiskFail or DiskFull
	Err        error  // why writing failed; what was written before is complete
}
