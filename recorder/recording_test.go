package recorder

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"b2bua/media"
	"b2bua/media/audio"
)

var discard = slog.New(slog.NewTextHandler(io.Discard, nil))

// script says what is heard in each tick; nil means that no frame comes.
type script func(tick int) (in, out *media.TapFrame)

// play records a script on virtual time, one tick every 20 ms, and stops.
func play(t *testing.T, o Options, ticks int, s script, at map[int]func(*Recording)) Result {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	o.ID, o.Log = "rec_test", discard
	var result Result
	synctest.Test(t, func(t *testing.T) {
		r, err := Start(o)
		if err != nil {
			t.Fatal(err)
		}
		clock := time.NewTicker(20 * time.Millisecond)
		defer clock.Stop()
		for tick := range ticks {
			if f := at[tick]; f != nil {
				f(r)
			}
			in, out := s(tick)
			for _, f := range []*media.TapFrame{in, out} {
				if f != nil {
					f.Clock += 1_000_000 // a session does not begin with the recording
					r.Frame(*f)
				}
			}
			<-clock.C
		}
		result = r.Stop()
	})
	if result.Err != nil {
		t.Fatal(result.Err)
	}
	return result
}

// voice cuts a frame out of a clip of 8 kHz.
func voice(c audio.Clip, dir media.Direction, tick int, peer bool) *media.TapFrame {
	pcm := make([]int16, 160)
	if i := tick * 160; i < len(c.Samples) {
		copy(pcm, c.Samples[i:])
	}
	return &media.TapFrame{Dir: dir, Clock: uint64(tick), Rate: 8000, FromPeer: peer, PCM: pcm}
}

var (
	low  = audio.Tone(8000, 20*time.Second, -12, 440)
	high = audio.Tone(8000, 20*time.Second, -18, 1500)
)

// bothTalk: the caller says 440 Hz, the callee 1500 Hz.
func bothTalk(tick int) (in, out *media.TapFrame) {
	return voice(low, media.In, tick, false), voice(high, media.Out, tick, true)
}

// toneLevel is the level in dBov of f hertz in a stretch of a clip.
func toneLevel(c audio.Clip, from, to time.Duration, f float64) float64 {
	x := c.Samples[int(from.Seconds()*float64(c.Rate)):int(to.Seconds()*float64(c.Rate))]
	var re, im float64
	for i, s := range x {
		a := 2 * math.Pi * f * float64(i) / float64(c.Rate)
		re += float64(s) * math.Cos(a)
		im += float64(s) * math.Sin(a)
	}
	amp := 2 * math.Hypot(re, im) / float64(len(x))
	return 20 * math.Log10(max(amp, 1e-3)/math.MaxInt16)
}

// onset is where a clip first gets loud.
func onset(c audio.Clip) time.Duration {
	n := c.Rate / 500
	for i := 0; i+n < len(c.Samples); i++ {
		var sum float64
		for _, s := range c.Samples[i : i+n] {
			sum += float64(s) * float64(s)
		}
		if math.Sqrt(sum/float64(n)) > 1500 {
			return c.At(int64(i))
		}
	}
	return -1
}

// decoders are our own and, as a second opinion, ffmpeg.
var decoders = map[string]func(t *testing.T, path string) audio.Sound{
	"ours": func(t *testing.T, path string) audio.Sound {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		s, err := audio.DecodeSound(f, audio.Limits{Bytes: 1 << 30, Duration: 5 * time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		return s
	},
	"ffmpeg": func(t *testing.T, path string) audio.Sound {
		wav := filepath.Join(t.TempDir(), "out.wav")
		out, err := exec.CommandContext(t.Context(), "ffmpeg", "-loglevel", "error", "-xerror", "-y", "-i", path, "-c:a", "pcm_s16le", wav).CombinedOutput()
		if err != nil || len(out) > 0 {
			t.Fatalf("ffmpeg: %v: %s", err, out)
		}
		f, err := os.Open(wav)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		s, err := audio.DecodeSound(f, audio.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	},
}

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if math.Abs(got-want) > within {
		t.Errorf("%s: %.2f, want %.2f", what, got, want)
	}
}

func TestToneInBothDirections(t *testing.T) {
	for _, format := range []string{MP3, WAV} {
		for _, channels := range []string{Mono, Dual} {
			t.Run(format+" "+channels, func(t *testing.T) {
				r := play(t, Options{Format: format, Channels: channels}, 250, bothTalk, nil)
				if r.Duration != 5*time.Second || r.Dropped != 0 || r.Warning != "" || r.Reason != Stopped {
					t.Errorf("%+v", r)
				}
				file, err := os.ReadFile(r.Path)
				if err != nil {
					t.Fatal(err)
				}
				sum := sha256.Sum256(file)
				if r.Size != int64(len(file)) || r.SHA256 != hex.EncodeToString(sum[:]) {
					t.Errorf("file of %d bytes, %x: %+v", len(file), sum, r)
				}
				for name, decode := range decoders {
					s := decode(t, r.Path)
					t.Run(name, func(t *testing.T) { checkTones(t, s, r) })
				}
			})
		}
	}
}

func checkTones(t *testing.T, s audio.Sound, r Result) {
	if s.Rate != r.SampleRate || s.Channels != r.Channels {
		t.Fatalf("decoded %d channels of %d Hz", s.Channels, s.Rate)
	}
	left, right := s.Channel(0), s.Channel(s.Channels-1)
	near(t, "length", left.Duration().Seconds(), 5, 0.036)
	near(t, "caller", toneLevel(left, time.Second, 4*time.Second, 440), -12, 0.2)
	near(t, "callee", toneLevel(right, time.Second, 4*time.Second, 1500), -18, 0.2)
	if s.Channels == 2 {
		if l := toneLevel(left, time.Second, 4*time.Second, 1500); l > -80 {
			t.Errorf("callee heard left at %.1f dB", l)
		}
		if l := toneLevel(right, time.Second, 4*time.Second, 440); l > -80 {
			t.Errorf("caller heard right at %.1f dB", l)
		}
	}
}

func TestPositionsOnTheTimeLine(t *testing.T) {
	// The caller starts after 2.0 s; frames between are missing altogether,
	// and the callee's come only now and then.
	late := func(tick int) (in, out *media.TapFrame) {
		if tick == 0 {
			return voice(audio.Clip{}, media.In, 0, false), nil
		}
		if tick%50 == 7 {
			out = voice(audio.Clip{}, media.Out, tick, true)
		}
		if tick >= 100 {
			in = voice(low, media.In, tick-100, false)
			in.Clock = uint64(tick)
		}
		return in, out
	}
	for _, format := range []string{MP3, WAV} {
		r := play(t, Options{Format: format}, 200, late, nil)
		for name, decode := range decoders {
			s := decode(t, r.Path)
			at := onset(s.Channel(0))
			t.Logf("%s by %s: tone at %v", format, name, at)
			near(t, format+" onset "+name, at.Seconds(), 2, 0.020)
		}
	}
}

func TestParticipants(t *testing.T) {
	// The callee talks from second 2 on; before that the caller hears a prompt.
	talk := func(tick int) (in, out *media.TapFrame) {
		return voice(low, media.In, tick, false), voice(high, media.Out, tick, tick >= 100)
	}
	for _, c := range []struct {
		participant                string
		caller, prompt, calleeTone float64
	}{
		{All, -12, -18, -18}, {Caller, -12, -90, -90}, {Callee, -90, -90, -18},
	} {
		r := play(t, Options{Participant: c.participant, Format: WAV}, 200, talk, nil)
		s := decoders["ours"](t, r.Path).Channel(0)
		check := func(what string, got, want float64) {
			t.Helper()
			if want == -90 && got < -80 {
				return
			}
			near(t, c.participant+" "+what, got, want, 0.5)
		}
		check("caller", toneLevel(s, 500*time.Millisecond, 3500*time.Millisecond, 440), c.caller)
		check("prompt", toneLevel(s, 200*time.Millisecond, 1800*time.Millisecond, 1500), c.prompt)
		check("callee", toneLevel(s, 2200*time.Millisecond, 3800*time.Millisecond, 1500), c.calleeTone)
	}
}

func TestPause(t *testing.T) {
	at := map[int]func(*Recording){
		100: func(r *Recording) {
			r.Pause()
			if r.State() != Paused {
				t.Error(r.State())
			}
		},
		150: func(r *Recording) { r.Resume() },
	}
	r := play(t, Options{Format: WAV}, 250, bothTalk, at)
	s := decoders["ours"](t, r.Path).Channel(0)
	near(t, "length", r.Duration.Seconds(), 5, 0)
	near(t, "before", toneLevel(s, time.Second, 1900*time.Millisecond, 440), -12, 0.2)
	if l := toneLevel(s, 2020*time.Millisecond, 2980*time.Millisecond, 440); l > -80 {
		t.Errorf("paused second has %.1f dB", l)
	}
	near(t, "after", toneLevel(s, 3100*time.Millisecond, 4900*time.Millisecond, 440), -12, 0.2)

	r = play(t, Options{PauseMode: PauseSkip}, 250, bothTalk, at)
	s = decoders["ours"](t, r.Path).Channel(0)
	near(t, "length", r.Duration.Seconds(), 4, 0)
	near(t, "skip after", toneLevel(s, 2100*time.Millisecond, 3900*time.Millisecond, 440), -12, 0.2)
}

func TestMaxDurationEndsByItself(t *testing.T) {
	done := make(chan Result, 1)
	o := Options{MaxDuration: 2 * time.Second, OnDone: func(r Result) { done <- r }}
	o.Dir = t.TempDir()
	r := play(t, o, 250, bothTalk, map[int]func(*Recording){
		150: func(r *Recording) {
			select {
			case <-r.Done():
			default:
				t.Error("still writing a second after the end")
			}
			if r.State() != Completed {
				t.Error(r.State())
			}
		},
	})
	if told := <-done; told != r || r.Reason != TooLong || r.Duration != 2*time.Second {
		t.Errorf("%+v\n%+v", told, r)
	}
}

func TestGapsFillTheWholeTimeLine(t *testing.T) {
	jump := func(tick int) (in, out *media.TapFrame) {
		in = voice(low, media.In, tick, false)
		if tick >= 10 {
			in.Clock += 500 // ten seconds without a clock
		}
		return in, nil
	}
	r := play(t, Options{}, 20, jump, nil)
	near(t, "length", r.Duration.Seconds(), 10.4, 0)

	forever := func(tick int) (in, out *media.TapFrame) {
		in = voice(low, media.In, tick, false)
		in.Clock += uint64(tick) << 40
		return in, nil
	}
	r = play(t, Options{MaxDuration: time.Minute}, 3, forever, nil)
	near(t, "bounded", r.Duration.Seconds(), 60, 0)
}

func TestLateFramesAreCountedNotMisplaced(t *testing.T) {
	r := play(t, Options{Format: WAV}, 100, func(tick int) (in, out *media.TapFrame) {
		in, out = bothTalk(tick)
		if tick == 50 {
			out.Clock = 30
		}
		return in, out
	}, nil)
	if r.Dropped != 1 || r.Duration != 2*time.Second {
		t.Errorf("%+v", r)
	}
}

func TestNothingRecordedStillPlays(t *testing.T) {
	for _, format := range []string{MP3, WAV} {
		r := play(t, Options{Format: format}, 0, nil, nil)
		if r.Duration != 0 || r.Size == 0 {
			t.Errorf("%+v", r)
		}
		if format == MP3 {
			decoders["ffmpeg"](t, r.Path)
			decoders["ours"](t, r.Path)
		}
	}
}

func TestFullRingDropsAndCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, err := Start(Options{Dir: t.TempDir(), ID: "rec_full", Log: discard})
		if err != nil {
			t.Fatal(err)
		}
		const frames = 1000 // at once: the writer has not had a chance
		for i := range frames {
			r.Frame(*voice(low, media.In, i, false))
		}
		res := r.Stop()
		kept := uint64(ringWords / (160 + recordHead))
		if res.Dropped != frames-kept || res.Err != nil {
			t.Errorf("%+v, want %d dropped", res, frames-kept)
		}
		r.Frame(*voice(low, media.In, 0, false)) // after the end: nothing
	})
}

func TestFrameDoesNotAllocate(t *testing.T) {
	r, err := Start(Options{Dir: t.TempDir(), ID: "rec_alloc", Log: discard})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Stop()
	f := *voice(low, media.In, 0, false)
	if n := testing.AllocsPerRun(200, func() { r.Frame(f); f.Clock++ }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "rec_old.mp3"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, o := range []Options{
		{ID: "x", Format: "ogg"}, {ID: "x", Participant: "both"}, {ID: "x", Channels: "quad"}, {ID: "x", PauseMode: "beep"},
		{ID: "x", Format: WAV, SampleRate: 11025}, {ID: "x", SampleRate: 8000}, {ID: "x", Bitrate: 33000}, {ID: "x", Format: WAV, Bitrate: 64000}, {ID: ""}, {ID: "../x"}, {ID: ".."}, {ID: "a/b"}, {ID: "rec_old"},
	} {
		o.Dir, o.Log = dir, discard
		if r, err := Start(o); err == nil {
			r.Stop()
			t.Errorf("%+v accepted", o)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestDiskFullKeepsWhatWasWritten(t *testing.T) {
	for _, format := range []string{MP3, WAV} {
		p, err := newPaper(Options{Dir: t.TempDir(), ID: "rec_full", Format: format, SampleRate: Rates(format)[0], MaxDuration: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		push := func() {
			for tick := range 50 {
				in, out := bothTalk(tick)
				p.tick(moment{in: in.PCM, inRate: 8000, out: out.PCM, outRate: 8000})
			}
		}
		push()
		if err := p.write(); err != nil {
			t.Fatal(err)
		}
		path := p.f.Name()
		if err := p.f.Close(); err != nil { // every write fails from here on
			t.Fatal(err)
		}
		push()
		if err := p.write(); err == nil {
			t.Fatal("wrote to a closed file")
		}
		r := p.close(DiskFail, 0)
		if r.Err == nil || r.Reason != DiskFail {
			t.Errorf("%+v", r)
		}
		s := decoders["ours"](t, path).Channel(0)
		near(t, format+" length", s.Duration().Seconds(), 0.9, 0.15)
	}
}

// BenchmarkSecond is the whole work for one second of a call: both directions
// in, mixed, encoded, written. It tells what share of a processor 100 calls take.
func BenchmarkSecond(b *testing.B) {
	for _, o := range []Options{{Format: MP3, Channels: Mono}, {Format: MP3, Channels: Dual}, {Format: WAV, Channels: Mono}} {
		b.Run(o.Format+" "+o.Channels, func(b *testing.B) {
			o.Dir, o.ID, o.Log, o.MaxDuration, o.SampleRate = b.TempDir(), "rec_bench", discard, 1e6*time.Hour, Rates(o.Format)[0]
			p, err := newPaper(o)
			if err != nil {
				b.Fatal(err)
			}
			r := &Recording{o: o, ring: newRing(), paper: p}
			tick := 0
			in, out := bothTalk(0)
			b.ReportAllocs()
			for b.Loop() {
				for range 50 {
					in.Clock, out.Clock = uint64(tick), uint64(tick)
					at := tick % 900 * 160
					in.PCM, out.PCM = low.Samples[at:at+160], high.Samples[at:at+160]
					r.Frame(*in)
					r.Frame(*out)
					if tick++; tick%10 == 0 {
						r.write("")
					}
				}
			}
			b.StopTimer()
			b.ReportMetric(100*100*b.Elapsed().Seconds()/float64(b.N), "%core/100calls")
			if res := p.close(Stopped, 0); res.Err != nil || bytes.Equal(nil, []byte(res.SHA256)) {
				b.Fatal(res.Err)
			}
		})
	}
}

// Wideband on one side, or a change of codec during the call, keeps the time
// line and the levels.
func TestRatesMayDifferAndChange(t *testing.T) {
	wide := audio.Tone(16000, 20*time.Second, -18, 1500)
	mixed := func(tick int) (in, out *media.TapFrame) {
		in, out = bothTalk(tick)
		if tick >= 100 {
			out.Rate, out.PCM = 16000, wide.Samples[tick*320:(tick+1)*320]
		}
		return in, out
	}
	for _, o := range []Options{{Format: WAV}, {Format: WAV, SampleRate: 16000}, {Format: MP3}, {Format: MP3, Channels: Dual}} {
		r := play(t, o, 250, mixed, nil)
		s := decoders["ours"](t, r.Path)
		left, right := s.Channel(0), s.Channel(s.Channels-1)
		near(t, "length", r.Duration.Seconds(), 5, 0)
		for _, from := range []time.Duration{200 * time.Millisecond, 2200 * time.Millisecond} {
			near(t, "caller", toneLevel(left, from, from+1500*time.Millisecond, 440), -12, 0.2)
			near(t, "callee", toneLevel(right, from, from+1500*time.Millisecond, 1500), -18, 0.2)
		}
	}
}

func BenchmarkFrame(b *testing.B) {
	r := &Recording{ring: newRing()}
	f := *voice(low, media.In, 0, false)
	var buf [maxFrame]int16
	b.ReportAllocs()
	for b.Loop() {
		r.Frame(f)
		r.ring.take(buf[:])
	}
}
