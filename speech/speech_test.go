package speech

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"b2bua/media/audio"

	"pgregory.net/rapid"
)

// parrot is a provider that says the same whatever it is asked.
type parrot struct {
	name      string
	languages string
	voice     string
	err       error
	takes     time.Duration
	asked     atomic.Int32
	running   atomic.Int32
	most      atomic.Int32
}

func (p *parrot) Name() string          { return p.name }
func (p *parrot) Speaks(l string) bool  { return strings.Contains(p.languages, base(l)) }
func (p *parrot) Has(voice string) bool { return voice == p.voice }
func (p *parrot) sound() audio.Clip     { return audio.Tone(16000, 1e8, -10, float64(len(p.name))*100) }
func (p *parrot) same(c audio.Clip) bool {
	return len(c.Samples) == 1600 && c.Samples[99] == p.sound().Samples[99]
}
func (p *parrot) Speak(ctx context.Context, _ Text) (audio.Clip, error) {
	p.asked.Add(1)
	p.most.Store(max(p.most.Load(), p.running.Add(1)))
	defer p.running.Add(-1)
	select {
	case <-time.After(p.takes):
	case <-ctx.Done():
		return audio.Clip{}, ctx.Err()
	}
	return p.sound(), p.err
}

// logged is a logger and what it wrote.
func logged() (*slog.Logger, *bytes.Buffer) {
	var b bytes.Buffer
	return slog.New(slog.NewTextHandler(&b, nil)), &b
}

func TestChainFallsBackAndDistrusts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := &parrot{name: "a", languages: "en", err: errors.New("out of order")}
		second := &parrot{name: "bb", languages: "en de", voice: "Hans"}
		log, _ := logged()
		s := New(Config{Providers: []Provider{first, second}}, log)
		for range 3 {
			c, err := s.Say(t.Context(), Text{Text: "Hello"})
			if err != nil || !second.same(c) {
				t.Fatal(err)
			}
		}
		if first.asked.Load() != 1 || second.asked.Load() != 3 {
			t.Errorf("asked %d and %d times", first.asked.Load(), second.asked.Load())
		}
		first.err = nil
		time.Sleep(distrust)
		if c, err := s.Say(t.Context(), Text{Text: "Hello"}); err != nil || !first.same(c) {
			t.Error("not asked again after a while")
		}
		if c, err := s.Say(t.Context(), Text{Text: "Hello", Voice: "Hans"}); err != nil || !second.same(c) {
			t.Error("the voice did not decide")
		}
		if c, err := s.Say(t.Context(), Text{Text: "Hallo", Language: "de-DE"}); err != nil || !second.same(c) {
			t.Error("the language did not decide")
		}
	})
}

func TestNeverSilence(t *testing.T) {
	for _, providers := range [][]Provider{
		{},
		{&parrot{name: "a", languages: "en", err: errors.New("broken")}},
		{Flite{Program: "/nonexistent/flite"}, &Espeak{Program: "/nonexistent/espeak"}},
		{Flite{Program: "false"}},
		{Flite{Program: "true"}},
	} {
		log, out := logged()
		c, err := New(Config{Providers: providers, CacheDir: t.TempDir()}, log).Say(t.Context(), Text{Text: "Hello"})
		if err != nil || c.Duration() < 500*time.Millisecond {
			t.Errorf("%v: %v, %v", providers, c.Duration(), err)
		}
		if n := strings.Count(out.String(), "level=WARN"); n != 1 {
			t.Errorf("%d warnings: %s", n, out)
		}
	}
}

func TestCacheSurvivesAndHeals(t *testing.T) {
	dir := t.TempDir()
	log, _ := logged()
	p := &parrot{name: "a", languages: "en"}
	say := func(text string) {
		t.Helper()
		c, err := New(Config{Providers: []Provider{p}, CacheDir: dir}, log).Say(t.Context(), Text{Text: text})
		if err != nil || !p.same(c) {
			t.Fatal(err)
		}
	}
	say("Hello  world")
	say("Hello world\n")
	if n := p.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*", "*"))
	if len(files) != 1 || filepath.Ext(files[0]) != ".wav" {
		t.Fatal(files)
	}
	if err := os.WriteFile(files[0], []byte("RIFF torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	say("Hello world")
	if n := p.asked.Load(); n != 2 {
		t.Errorf("asked %d times", n)
	}
	say("Hello moon")
	if n := p.asked.Load(); n != 3 {
		t.Errorf("asked %d times", n)
	}
}

func TestCacheIsBounded(t *testing.T) {
	dir := t.TempDir()
	log, _ := logged()
	s := New(Config{Providers: []Provider{&parrot{name: "a", languages: "en"}}, CacheDir: dir, CacheSize: 10 * 3244}, log)
	for i := range 40 {
		if _, err := s.Say(t.Context(), Text{Text: strings.Repeat("word ", i+1)}); err != nil {
			t.Fatal(err)
		}
		files, _ := filepath.Glob(filepath.Join(dir, "*", "*.wav"))
		if len(files) > 10 {
			t.Fatalf("%d files", len(files))
		}
	}
}

func TestOneTextIsMadeOnceAndFewAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, _ := logged()
		p := &parrot{name: "a", languages: "en", takes: time.Second}
		s := New(Config{Providers: []Provider{p}, CacheDir: t.TempDir(), Processes: 3}, log)
		for i := range 40 {
			go func() {
				if _, err := s.Say(t.Context(), Text{Text: strings.Repeat("a", 1+i%8)}); err != nil {
					t.Error(err)
				}
			}()
		}
		synctest.Wait()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if p.asked.Load() != 8 || p.most.Load() != 3 {
			t.Errorf("asked %d times, %d at a time", p.asked.Load(), p.most.Load())
		}
	})
}

func TestWhoGivesUpDoesNotSpoilItForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, out := logged()
		p := &parrot{name: "a", languages: "en", takes: time.Second}
		s := New(Config{Providers: []Provider{p}}, log)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			if _, err := s.Say(ctx, Text{Text: "Hello"}); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}()
		synctest.Wait()
		go func() {
			if c, err := s.Say(t.Context(), Text{Text: "Hello"}); err != nil || !p.same(c) {
				t.Error(err)
			}
		}()
		synctest.Wait()
		cancel()
		time.Sleep(3 * time.Second)
		if out.Len() > 0 {
			t.Error(out)
		}
	})
}

func TestNothingToSpeak(t *testing.T) {
	log, _ := logged()
	s := New(Config{}, log)
	for _, text := range []string{"", " \n\t", "\x00\x1b\x07", "...", "- --", "\u200b\u202e"} {
		if _, err := s.Say(t.Context(), Text{Text: text}); !errors.Is(err, ErrText) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestCleanText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.IntRange(1, 50).Draw(t, "most")
		got, _ := clean(rapid.String().Draw(t, "text"), most)
		if len([]rune(got)) > most || strings.ContainsFunc(got, unicode.IsControl) || strings.Contains(got, "  ") {
			t.Fatalf("%q", got)
		}
		if again, cut := clean(got, most); again != got || cut {
			t.Fatalf("%q became %q", got, again)
		}
	})
	if got, cut := clean("one two three", 9); got != "one two" || !cut {
		t.Errorf("%q", got)
	}
}

// The real programs.
func TestProgramsSpeak(t *testing.T) {
	espeak := &Espeak{}
	for _, c := range []struct {
		p Provider
		t Text
	}{
		{Flite{}, Text{Text: "Welcome to the switch.", Language: "en-US"}},
		{Flite{}, Text{Text: "Welcome to the switch.", Language: "en-GB", Voice: "awb"}},
		{Flite{}, Text{Text: "Welcome to the switch.", Voice: "/etc/passwd"}},
		{Flite{}, Text{Text: "--help me, please"}},
		{Flite{}, Text{Text: "-o /tmp/injected $(id) `id` ; id | id"}},
		{espeak, Text{Text: "Guten Tag, Sie sind verbunden.", Language: "de-DE"}},
		{espeak, Text{Text: "Bonjour, vous êtes en ligne.", Language: "fr-FR"}},
		{espeak, Text{Text: "Bom dia, como vai?", Language: "pt-BR", Voice: "pt-br+f2"}},
		{espeak, Text{Text: "-w /tmp/injected --version", Language: "en-US"}},
		{espeak, Text{Text: "Hello there, caller", Language: "en-US", Voice: "../../etc/passwd"}},
	} {
		clip, err := c.p.Speak(t.Context(), c.t)
		if err != nil {
			t.Errorf("%s %+v: %v", c.p.Name(), c.t, err)
			continue
		}
		var loud int16
		for _, s := range clip.Samples {
			loud = max(loud, s)
		}
		if d := clip.Duration(); d < 800*time.Millisecond || d > 8*time.Second || loud < 3000 {
			t.Errorf("%s %+v: %v, peak %d", c.p.Name(), c.t, d, loud)
		}
	}
	if _, err := os.Stat("/tmp/injected"); err == nil {
		t.Error("text became an option")
	}
}

func TestLanguages(t *testing.T) {
	e := &Espeak{}
	for language, want := range map[string]string{
		"de-DE": "de", "en-US": "en-us", "en_GB": "en-gb", "fr": "fr-fr", "fr-FR": "fr-fr", "pt-BR": "pt-br", "xx-YY": "", "": "",
	} {
		if got := e.voice(language); got != want {
			t.Errorf("%q: %q, want %q", language, got, want)
		}
	}
	if (Flite{}).Speaks("de") || !(Flite{}).Speaks("EN-us") {
		t.Error("flite speaks English only")
	}
}

func TestProgramThatHangsIsEnded(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := run(ctx, nil, 100, "sleep", "60"); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if _, err := run(t.Context(), nil, 100, "yes"); err == nil {
		t.Error("endless output accepted")
	}
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("took %v", d)
	}
}

func BenchmarkFlite(b *testing.B) {
	for b.Loop() {
		if _, err := (Flite{}).Speak(b.Context(), Text{Text: "Thank you for calling. You will be connected shortly."}); err != nil {
			b.Fatal(err)
		}
	}
}
