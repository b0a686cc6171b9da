package prompts

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"b2bua/flows"
	"b2bua/media/audio"
	"b2bua/speech"
	"b2bua/store"
)

var told = slog.New(slog.DiscardHandler)

// library is one with a store of its own, in dir.
func library(t *testing.T, dir string, c Config, from Sources) *Library {
	t.Helper()
	s, err := store.Open(dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if c.Dir == "" {
		c.Dir = filepath.Join(dir, "sounds")
	}
	if err := os.MkdirAll(c.Dir, 0o750); err != nil {
		t.Fatal(err)
	}
	return New(c, s, from, told)
}

func wave(t *testing.T, c audio.Clip) *bytes.Reader {
	t.Helper()
	var b bytes.Buffer
	if err := audio.WriteWAV(&b, c); err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(b.Bytes())
}

func second() audio.Clip { return audio.Tone(8000, time.Second, -10, 440) }

func (l *Library) names(t *testing.T) (names []string) {
	t.Helper()
	files, err := os.ReadDir(l.cfg.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		names = append(names, f.Name())
	}
	return names
}

func TestPromptsSurviveAndLeaveNothingBehind(t *testing.T) {
	dir := t.TempDir()
	l := library(t, dir, Config{}, Sources{})
	p := &flows.Prompt{Name: "hello"}
	if err := l.Upload(t.Context(), p, wave(t, second())); err != nil {
		t.Fatal(err)
	}
	// A process that was killed leaves files that no row names, or half of one.
	for _, name := range []string{"snd_aaaa.wav", "snd_bbbb.part", "notes.txt"} {
		if err := os.WriteFile(filepath.Join(l.cfg.Dir, name), []byte("RIFF"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.store.Close(); err != nil {
		t.Fatal(err)
	}
	l = library(t, dir, Config{}, Sources{})
	if err := l.Sweep(); err != nil {
		t.Fatal(err)
	}
	if names := l.names(t); !slices.Equal(names, []string{"notes.txt", p.File}) {
		t.Errorf("left are %v", names)
	}
	kept, err := l.store.Prompts().Get(p.ID)
	if err != nil {
		t.Fatal(err)
	}
	f, err := l.Open(kept)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	clip, err := audio.Decode(f, audio.Limits{})
	if err != nil || !slices.Equal(clip.Samples, second().Samples) {
		t.Errorf("another sound came back: %v", err)
	}
}

// What fails on the way leaves neither a row nor a file.
func TestNothingIsHalfDone(t *testing.T) {
	l := library(t, t.TempDir(), Config{Total: 100_000}, Sources{})
	if err := l.Upload(t.Context(), &flows.Prompt{ID: "prompt_a", Name: "a"}, wave(t, second())); err != nil {
		t.Fatal(err)
	}
	before := l.names(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		try  func() error
		want error
	}{
		"an id that is taken": {func() error {
			return l.Upload(t.Context(), &flows.Prompt{ID: "prompt_a", Name: "a"}, wave(t, second()))
		}, store.ErrConflict},
		"no room": {func() error {
			return l.Upload(t.Context(), &flows.Prompt{Name: "a"}, wave(t, audio.Tone(8000, 10*time.Second, -10, 440)))
		}, ErrFull},
		"silence": {func() error { return l.Upload(t.Context(), &flows.Prompt{Name: "a"}, wave(t, audio.Clip{Rate: 8000})) }, ErrSilent},
		"no sound": {func() error {
			return l.Upload(t.Context(), &flows.Prompt{Name: "a"}, bytes.NewReader(make([]byte, 1000)))
		}, audio.ErrFormat},
		"the sender is gone": {func() error { return l.Upload(gone, &flows.Prompt{Name: "a"}, wave(t, second())) }, context.Canceled},
		"another version": {func() error {
			_, err := l.ReplaceSound(t.Context(), "prompt_a", `"other"`, wave(t, second()))
			return err
		}, store.ErrPrecondition},
		"another prompt": {func() error {
			_, err := l.ReplaceSound(t.Context(), "prompt_b", "", wave(t, second()))
			return err
		}, store.ErrNotFound},
	} {
		if err := c.try(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if names := l.names(t); !slices.Equal(names, before) {
			t.Errorf("%s: files are %v, were %v", name, names, before)
		}
	}
	if l.store.Prompts().Len() != 1 {
		t.Errorf("%d prompts", l.store.Prompts().Len())
	}
}

func TestRecordedPrompt(t *testing.T) {
	l := library(t, t.TempDir(), Config{Duration: 2 * time.Second}, Sources{})
	p := &flows.Prompt{Name: "greeting of box 7"}
	if err := l.Record(t.Context(), p, second()); err != nil || p.Source != flows.PromptRecorded || p.Duration != 1 {
		t.Errorf("%+v %v", p, err)
	}
	if err := l.Record(t.Context(), &flows.Prompt{Name: "x"}, audio.Clip{Rate: 8000}); !errors.Is(err, ErrSilent) {
		t.Error(err)
	}
	if err := l.Record(t.Context(), &flows.Prompt{Name: "x"}, audio.Tone(8000, 3*time.Second, -10, 440)); !errors.Is(err, audio.ErrTooLarge) {
		t.Error(err)
	}
}

// A text that cannot be spoken now is tried again when the prompt is saved again.
func TestProblemGoesAway(t *testing.T) {
	broken := true
	l := library(t, t.TempDir(), Config{}, Sources{Speak: func(context.Context, speech.Text) (audio.Clip, error) {
		if broken {
			return audio.Clip{}, speech.ErrUnspoken
		}
		return second(), nil
	}})
	p := &flows.Prompt{Name: "hello", Text: "Hello"}
	if err := l.Make(t.Context(), p); err != nil || p.Problem == "" || p.File != "" {
		t.Fatalf("%+v %v", p, err)
	}
	broken = false
	now, err := l.Change(t.Context(), p.ID, "", func(x *flows.Prompt) error { x.Name = "again"; return nil })
	if err != nil || now.Problem != "" || now.File == "" || now.Name != "again" {
		t.Errorf("%+v %v", now, err)
	}
}

// trickle is a body that never ends and hardly moves.
type trickle struct {
	closed chan struct{}
	once   sync.Once
}

func (b *trickle) Read([]byte) (int, error) {
	<-b.closed
	return 0, io.ErrClosedPipe
}

func (b *trickle) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}

func TestSlowSourcesAreGivenUp(t *testing.T) {
	l := library(t, t.TempDir(), Config{Deadline: 50 * time.Millisecond}, Sources{
		Fetch: func(context.Context, string) (io.ReadCloser, error) {
			return &trickle{closed: make(chan struct{})}, nil
		},
	})
	p := &flows.Prompt{Name: "x", URL: "https://example.com/x.wav"}
	if err := l.Make(t.Context(), p); err != nil || p.Problem == "" {
		t.Errorf("%+v %v", p, err)
	}
}

// The formats as real encoders write them.
func TestFilesOfOthers(t *testing.T) {
	l := library(t, t.TempDir(), Config{}, Sources{})
	for _, args := range [][]string{
		{"-c:a", "pcm_s16le", "-ar", "44100", "-ac", "2", "a.wav"},
		{"-c:a", "pcm_alaw", "-ar", "8000", "a-law.wav"},
		{"-c:a", "pcm_mulaw", "-ar", "8000", "u-law.wav"},
		{"-c:a", "pcm_s16le", "-ar", "48000", "-ac", "6", "extensible.wav"},
		{"-c:a", "libmp3lame", "-b:a", "64k", "-ar", "44100", "a.mp3"},
		{"-c:a", "libmp3lame", "-ar", "16000", "-ac", "1", "low.mp3"},
		{"-c:a", "libopus", "-b:a", "32k", "a.opus"},
		{"-c:a", "libopus", "-b:a", "128k", "-ac", "2", "stereo.ogg"},
		{"-c:a", "libopus", "-frame_duration", "60", "-application", "voip", "-ac", "1", "slow.opus"},
	} {
		name := args[len(args)-1]
		path := filepath.Join(t.TempDir(), name)
		args[len(args)-1] = path
		if out, err := exec.CommandContext(t.Context(), "ffmpeg", append([]string{"-v", "error", "-f", "lavfi", "-i", "sine=frequency=440:duration=3"}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v %s", name, err, out)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		p := &flows.Prompt{Name: name}
		err = l.Upload(t.Context(), p, f)
		f.Close()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if p.Duration < 2.95 || p.Duration > 3.1 {
			t.Errorf("%s lasts %v s instead of 3", name, p.Duration)
		}
		if hz := pitch(t, l, p); hz < 437 || hz > 443 {
			t.Errorf("%s: %v Hz instead of 440", name, hz)
		}
	}
}

// pitch counts how often the sound rises through zero in its middle second.
func pitch(t *testing.T, l *Library, p *flows.Prompt) float64 {
	t.Helper()
	f, err := l.Open(p)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	clip, err := audio.Decode(f, audio.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	rises := 0
	middle := clip.Samples[clip.Rate : 2*clip.Rate]
	for i := 1; i < len(middle); i++ {
		if middle[i-1] < 0 && middle[i] >= 0 {
			rises++
		}
	}
	return float64(rises)
}
