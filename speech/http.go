package speech

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"b2bua/media/audio"
)

// HTTP speaks by a server that is asked as OpenAI's is: POST …/v1/audio/speech.
type HTTP struct {
	ID        string        // its name; part of the cache key
	URL       string        // whole address, such as https://tts.example.com/v1/audio/speech
	Key       string        // sent as a bearer token; empty: none
	Model     string        // as the server calls it
	Voice     string        // used for texts that name none of Voices
	Voices    []string      // that texts may ask for
	Languages []string      // that it speaks; empty: all
	Timeout   time.Duration // of one text; default 10 s
	Client    *http.Client  // whom it dials is its business
}

// httpSound is the largest answer: ten minutes at 24 kHz.
const httpSound = 32 << 20

// Name is the one that was configured.
func (h *HTTP) Name() string { return h.ID }

// Speaks tells whether the server is to be asked for that language.
func (h *HTTP) Speaks(language string) bool { return among(h.Languages, language) }

// Has tells whether the server has a voice of that name.
func (h *HTTP) Has(voice string) bool { return voice == h.Voice || slices.Contains(h.Voices, voice) }

// Speak asks the server and reads the WAV, MP3 or whatever else it answers with
// that can be read. Nothing of the answer gets into an error: it may repeat the
// key.
func (h *HTTP) Speak(ctx context.Context, t Text) (audio.Clip, error) {
	limit := h.Timeout
	if limit <= 0 {
		limit = programTime
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	voice := h.Voice
	if h.Has(t.Voice) {
		voice = t.Voice
	}
	body, err := json.Marshal(struct {
		Model  string `json:"model,omitempty"`
		Input  string `json:"input"`
		Voice  string `json:"voice,omitempty"`
		Format string `json:"response_format"`
	}{h.Model, t.Text, voice, "wav"})
	if err != nil {
		return audio.Clip{}, fmt.Errorf("ask for speech: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return audio.Clip{}, fmt.Errorf("ask for speech: %w", withoutURL(err))
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "audio/wav, audio/mpeg")
	if h.Key != "" {
		req.Header.Set("Authorization", "Bearer "+h.Key)
	}
	res, err := h.Client.Do(req)
	if err != nil {
		return audio.Clip{}, fmt.Errorf("ask for speech: %w", withoutURL(err))
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		_, _ = io.CopyN(io.Discard, res.Body, 4<<10) // so that the connection can be used again
		return audio.Clip{}, fmt.Errorf("ask for speech: the answer is %s", res.Status)
	}
	clip, err := audio.DecodeAt(res.Body, audio.Limits{Bytes: httpSound, Duration: soundTime}, func(from int) int { return min(from, 16000) })
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return audio.Clip{}, fmt.Errorf("read the speech: %w", err)
	}
	return clip, nil
}

// withoutURL is an error of the HTTP client without the address, which can hold
// a key.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// Only is a provider that is asked for some languages and no others.
type Only struct {
	Provider
	Languages []string
}

// Speaks tells whether the provider speaks that language and is to be asked.
func (o *Only) Speaks(language string) bool {
	return among(o.Languages, language) && o.Provider.Speaks(language)
}

// among tells whether a language is in a list: itself, or the language without
// its region. An empty list has all.
func among(list []string, language string) bool {
	return len(list) == 0 || slices.ContainsFunc(list, func(l string) bool {
		l, language := normal(l), normal(language)
		return l == language || l == base(language)
	})
}
