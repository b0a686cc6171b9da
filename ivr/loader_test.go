package ivr

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2bua/media/audio"
	"b2bua/speech"
)

// speaker counts what it is asked.
type speaker struct {
	asked int
	mute  bool
}

func (s *speaker) Utter(_ context.Context, t speech.Text) (clip audio.Clip, spoken bool, err error) {
	s.asked++
	if s.mute {
		return speech.LastResort(), false, nil
	}
	return audio.Silence(16000, time.Duration(len(t.Text))*time.Second), true, nil
}

// Tones instead of a text are not kept: once it can be spoken again, it is heard.
func TestTonesAreNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sp := &speaker{mute: true}
		l := NewPromptLoader(PromptSources{Speech: sp}, quietLog)
		load := func() time.Duration {
			clip, err := l.Load(t.Context(), Prompt{Ref: "abc"})
			if err != nil {
				t.Error(err)
			}
			return clip.Duration()
		}
		if tones := load(); tones != speech.LastResort().Duration() {
			t.Errorf("tones of %v", tones)
		}
		sp.mute = false
		time.Sleep(6 * time.Second)
		if d := load(); d != 3*time.Second || sp.asked != 2 {
			t.Errorf("%v, asked %d times", d, sp.asked)
		}
		time.Sleep(time.Hour)
		if load(); sp.asked != 2 {
			t.Error("speech is not kept")
		}
	})
}

func wav(d time.Duration) []byte {
	var b bytes.Buffer
	if err := audio.WriteWAV(&b, audio.Silence(16000, d)); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func TestPromptLoader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		for name, content := range map[string][]byte{
			"prompts/prompt_a.wav": wav(time.Second), "prompts/deep/b.wav": wav(2 * time.Second),
			"prompts/prompt_bad.wav": []byte("no sound"), "secret.wav": wav(time.Second),
		} {
			path := filepath.Join(dir, name)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, content, 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Symlink("../secret.wav", filepath.Join(dir, "prompts", "prompt_link.wav")); err != nil {
			t.Fatal(err)
		}
		var fetched []string
		sp := &speaker{}
		l := NewPromptLoader(PromptSources{Speech: sp, Dir: filepath.Join(dir, "prompts"), Fetch: plain(func(ctx context.Context, url string) (io.ReadCloser, error) {
			fetched = append(fetched, url)
			switch url {
			case "https://a/3.wav":
				return io.NopCloser(bytes.NewReader(wav(3 * time.Second))), nil
			case "https://a/slow.wav":
				r, w := io.Pipe()
				go func() { _, _ = w.Write(wav(time.Second)[:50]) }()
				return r, nil
			case "https://a/huge.wav":
				return io.NopCloser(io.MultiReader(bytes.NewReader(wav(0)[:40]), strings.NewReader("\xff\xff\xff\xff"), endless{})), nil
			}
			return nil, errors.New("refused")
		})}, quietLog)
		for ref, want := range map[string]time.Duration{
			"four": 4 * time.Second, "prompt_a": time.Second, "file:deep/b.wav": 2 * time.Second, "https://a/3.wav": 3 * time.Second,
			"prompt_absent": -1, "prompt_bad": -1, "prompt_link": -1, "file:../secret.wav": -1, "file:/etc/passwd": -1, "file:deep": -1, "file:": -1,
			"https://a/slow.wav": -1, "https://a/huge.wav": -1, "http://b/": -1,
		} {
			c, err := l.Load(t.Context(), Prompt{Ref: ref})
			if (err != nil) != (want < 0) || (want > 0 && (c.Duration() != want || c.Rate != 8000)) {
				t.Errorf("%s: %v, %v", ref, c.Duration(), err)
			}
		}
		n := len(fetched)
		for range 3 {
			if _, err := l.Load(t.Context(), Prompt{Ref: "https://a/3.wav"}); err != nil {
				t.Error(err)
			}
			if _, err := l.Load(t.Context(), Prompt{Ref: "four"}); err != nil {
				t.Error(err)
			}
		}
		if len(fetched) != n || sp.asked != 1 {
			t.Errorf("fetched %d times more, spoken %d times", len(fetched)-n, sp.asked)
		}
		time.Sleep(urlFreshness)
		if _, err := l.Load(t.Context(), Prompt{Ref: "https://a/3.wav"}); err != nil || len(fetched) != n+1 {
			t.Error("an old URL was not fetched again", err)
		}
	})
}

// plain is a server that knows no versions.
func plain(fetch func(context.Context, string) (io.ReadCloser, error)) func(context.Context, string, Version) (io.ReadCloser, Version, error) {
	return func(ctx context.Context, url string, _ Version) (io.ReadCloser, Version, error) {
		body, err := fetch(ctx, url)
		return body, Version{}, err
	}
}

// What has not changed is not sent again, what has is heard, and a server that is
// gone leaves what it gave last; one that never gave anything is an error.
func TestURLsAreAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		version, holds, gone, sent := "1", time.Second, false, 0
		l := NewPromptLoader(PromptSources{Fetch: func(_ context.Context, _ string, was Version) (io.ReadCloser, Version, error) {
			switch {
			case gone:
				return nil, was, errors.New("refused")
			case was.ETag == version:
				return nil, was, ErrUnchanged
			}
			sent++
			return io.NopCloser(bytes.NewReader(wav(holds))), Version{ETag: version}, nil
		}}, quietLog)
		hears := func(want time.Duration, times int) {
			t.Helper()
			clip, err := l.Load(t.Context(), Prompt{Ref: "https://a/b.wav"})
			if err != nil || clip.Duration() != want || sent != times {
				t.Errorf("%v after %d times, %v", clip.Duration(), sent, err)
			}
		}
		hears(time.Second, 1)
		time.Sleep(urlFreshness)
		hears(time.Second, 1)
		version, holds = "2", 2*time.Second
		hears(time.Second, 1) // fresh for a while
		time.Sleep(urlFreshness)
		hears(2*time.Second, 2)
		gone = true
		time.Sleep(urlFreshness)
		hears(2*time.Second, 2)
		gone, version, holds = false, "3", 3*time.Second
		time.Sleep(staleFreshness)
		hears(3*time.Second, 3)
		gone = true
		if _, err := l.Load(t.Context(), Prompt{Ref: "https://a/other.wav"}); err == nil {
			t.Error("there was nothing to be heard")
		}
	})
}

// endless is a body without end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestShelfIsBounded(t *testing.T) {
	s := newShelf(1000)
	clip := audio.Clip{Rate: 8000, Samples: make([]int16, 300)}
	for _, ref := range []string{"a", "b", "c", "a", "d", "e"} {
		if _, ok := s.get(Prompt{Ref: ref}); !ok {
			s.put(Prompt{Ref: ref}, clip, time.Hour)
		}
	}
	for ref, want := range map[string]bool{"a": true, "b": false, "c": false, "d": true, "e": true} {
		if _, ok := s.get(Prompt{Ref: ref}); ok != want {
			t.Errorf("%s: %v", ref, ok)
		}
	}
	s.put(Prompt{Ref: "too big"}, audio.Clip{Rate: 8000, Samples: make([]int16, 2000)}, time.Hour)
	if s.size != 0 || s.recent.Len() != 0 || len(s.clips) != 0 {
		t.Errorf("%d samples, %d clips", s.size, s.recent.Len())
	}
}
