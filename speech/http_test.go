package speech

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"b2bua/media/audio"
)

func TestHTTPSpeaks(t *testing.T) {
	var asked map[string]string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/v1/audio/speech" || r.Header.Get("Authorization") != "Bearer sk-1" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			t.Error(err)
		}
		if err := audio.WriteWAV(w, audio.Tone(24000, time.Second, -10, 440)); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	h := &HTTP{ID: "cloud", URL: server.URL + "/v1/audio/speech", Key: "sk-1", Model: "tts-1", Voice: "alloy", Voices: []string{"nova"}, Client: server.Client()}
	clip, err := h.Speak(t.Context(), Text{Text: "Hello", Voice: "nova"})
	if err != nil || clip.Rate != 16000 || clip.Duration() != time.Second {
		t.Errorf("%d Hz, %v, %v", clip.Rate, clip.Duration(), err)
	}
	if asked["input"] != "Hello" || asked["voice"] != "nova" || asked["model"] != "tts-1" || asked["response_format"] != "wav" {
		t.Errorf("asked %v", asked)
	}
	if _, err := h.Speak(t.Context(), Text{Text: "Hello", Voice: "slt"}); err != nil || asked["voice"] != "alloy" {
		t.Errorf("a voice of others: %v, %v", asked, err)
	}
	h.Key = "sk-wrong"
	if _, err := h.Speak(t.Context(), Text{Text: "Hello"}); err == nil || strings.Contains(err.Error(), "sk-") {
		t.Error(err)
	}
}

// A server that does not answer as it should costs its time limit, and the next
// provider speaks.
func TestHTTPFailsOver(t *testing.T) {
	stop := make(chan struct{})
	for name, answer := range map[string]http.HandlerFunc{
		"500": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"no sound": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"error":"sk-1 is not a key"}`)
		},
		"nothing": func(http.ResponseWriter, *http.Request) {},
		"endless": func(w http.ResponseWriter, r *http.Request) { endless(w, r) },
		"never":   func(_ http.ResponseWriter, r *http.Request) { wait(r, stop) },
		"elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://192.0.2.1/", http.StatusFound)
		},
		"half of it": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9")
			_, _ = io.WriteString(w, "RIFF")
		},
		"hung up upon": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(answer)
			defer server.Close()
			client := server.Client()
			client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			log, _ := logged()
			next := &parrot{name: "next", languages: "en"}
			h := &HTTP{ID: "cloud", URL: server.URL, Key: "sk-1", Timeout: 300 * time.Millisecond, Client: client}
			s := New(Config{Providers: []Provider{h, next}}, log)
			began := time.Now()
			clip, err := s.Say(t.Context(), Text{Text: "Hello"})
			if err != nil || !next.same(clip) || time.Since(began) > 5*time.Second {
				t.Errorf("after %v: %v", time.Since(began), err)
			}
			if _, err := New(Config{Providers: []Provider{h}}, log).Render(t.Context(), Text{Text: "Hello"}); !errors.Is(err, ErrUnspoken) || strings.Contains(err.Error(), "sk-1") {
				t.Errorf("alone: %v", err)
			}
		})
	}
	close(stop)
}

func endless(w http.ResponseWriter, r *http.Request) {
	_, _ = w.Write([]byte("RIFF\xff\xff\xff\xffWAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data\xff\xff\xff\xff"))
	block := make([]byte, 64<<10)
	for r.Context().Err() == nil {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

// wait answers nothing. The server sees that the client has gone once it has read
// the request.
func wait(r *http.Request, stop chan struct{}) {
	_, _ = io.Copy(io.Discard, r.Body)
	select {
	case <-r.Context().Done():
	case <-stop:
	}
}

func TestProvidersByLanguage(t *testing.T) {
	german, others := &parrot{name: "g", languages: "de en fr"}, &parrot{name: "others", languages: "de en fr"}
	log, _ := logged()
	s := New(Config{Providers: []Provider{&Only{german, []string{"de", "fr-CA"}}, others}}, log)
	for language, want := range map[string]*parrot{"de-AT": german, "DE": german, "fr-CA": german, "fr-FR": others, "en-US": others} {
		clip, err := s.Say(context.Background(), Text{Text: "Hello", Language: language})
		if err != nil || !want.same(clip) {
			t.Errorf("%s: %v", language, err)
		}
	}
}
