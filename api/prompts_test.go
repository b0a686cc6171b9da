package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"b2bua/media/audio"
	"b2bua/speech"
)

// parrot says the same whatever it is asked, but for a text that cannot be
// spoken.
func parrot(_ context.Context, t speech.Text) (audio.Clip, error) {
	if t.Text == "unspeakable" {
		return audio.Clip{}, speech.ErrUnspoken
	}
	return audio.Tone(16000, time.Duration(len(t.Text))*100*time.Millisecond, -10, 440), nil
}

func fetchNothing(context.Context, string) (io.ReadCloser, error) {
	return nil, errors.New("the line to that host is cut")
}

func wave(t *testing.T, d time.Duration) string {
	t.Helper()
	var b bytes.Buffer
	if err := audio.WriteWAV(&b, audio.Tone(8000, d, -10, 440)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func form(t *testing.T, file string, fields ...string) (body, contentType string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i+1 < len(fields); i += 2 {
		if err := w.WriteField(fields[i], fields[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	part, err := w.CreateFormFile("file", `C:\sounds\Opening hours.wav`)
	if err == nil {
		_, err = io.WriteString(part, file)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String(), w.FormDataContentType()
}

func TestPromptOfAFile(t *testing.T) {
	b := newBench(t)
	file := wave(t, time.Second)
	made := b.want(b.do("POST", "/v2/prompts?name=Hello&prompt_id=prompt_hello", file, "Content-Type", "audio/wav"), 201)
	if made.str("name") != "Hello" || made.str("source") != "upload" || made.json["duration"] != 1.0 || made.json["sample_rate"] != 8000.0 || made.json["file"] != nil {
		t.Errorf("made %s", made.Body)
	}
	if made.Header().Get("Location") != "/v2/prompts/prompt_hello" || made.Header().Get("ETag") == "" {
		t.Errorf("headers %v", made.Header())
	}
	sound := b.do("GET", "/v2/prompts/prompt_hello/audio", "")
	if sound.Code != 200 || sound.Body.String() != file || sound.Header().Get("Content-Type") != "audio/wav" {
		t.Errorf("%d, %d bytes, %v", sound.Code, sound.Body.Len(), sound.Header())
	}
	part := b.do("GET", "/v2/prompts/prompt_hello/audio", "", "Range", "bytes=0-3")
	if part.Code != http.StatusPartialContent || part.Body.String() != "RIFF" {
		t.Errorf("range: %d %q", part.Code, part.Body)
	}
	// What was got can come back in a patch, and a name changes no sound.
	patched := b.want(b.do("PATCH", "/v2/prompts/prompt_hello", `{"name":"Hi","loop":true}`, "If-Match", made.Header().Get("ETag")), 200)
	if patched.str("name") != "Hi" || patched.json["loop"] != true || patched.str("sha256") != made.str("sha256") {
		t.Errorf("patched %s", patched.Body)
	}
	b.want(b.do("PATCH", "/v2/prompts/prompt_hello", `{"name":"Ho"}`, "If-Match", made.Header().Get("ETag")), 412)
	other := b.want(b.do("PUT", "/v2/prompts/prompt_hello/audio", wave(t, 2*time.Second), "Content-Type", "audio/x-wav"), 200)
	if other.json["duration"] != 2.0 || other.str("name") != "Hi" {
		t.Errorf("replaced %s", other.Body)
	}
	if files, _ := os.ReadDir(filepath.Join(b.dir, "prompts")); len(files) != 1 {
		t.Errorf("%d files for one prompt", len(files))
	}
	if list := b.want(b.do("GET", "/v2/prompts", ""), 200); !strings.Contains(list.Body.String(), `"prompt_hello"`) {
		t.Errorf("list %s", list.Body)
	}
	b.want(b.do("POST", "/v2/prompts?prompt_id=prompt_hello", file, "Content-Type", "audio/wav"), 409, "conflict")
	b.want(b.do("DELETE", "/v2/prompts/prompt_hello", ""), 204)
	b.want(b.do("GET", "/v2/prompts/prompt_hello/audio", ""), 404)
	if files, _ := os.ReadDir(filepath.Join(b.dir, "prompts")); len(files) != 0 {
		t.Errorf("%d files for no prompt", len(files))
	}
}

func TestPromptOfAForm(t *testing.T) {
	b := newBench(t)
	body, kind := form(t, wave(t, time.Second), "loop", "true", "description", "as painted on the door")
	made := b.want(b.do("POST", "/v2/prompts", body, "Content-Type", kind), 201)
	if made.str("name") != "Opening hours" || made.json["loop"] != true || made.str("description") == "" || !strings.HasPrefix(made.str("prompt_id"), "prompt_") {
		t.Errorf("made %s", made.Body)
	}
	for _, bad := range [][]string{{"naame", "x"}, {"loop", "maybe"}, {"text", "hello"}, {"prompt_id", "../../etc/passwd"}, {"prompt_id", "prompt_../x"}, {"name", "a\r\nb"}} {
		body, kind := form(t, wave(t, time.Second), bad...)
		b.want(b.do("POST", "/v2/prompts", body, "Content-Type", kind), 400, "invalid_request")
	}
	b.want(b.do("POST", "/v2/prompts", body[:len(body)/2], "Content-Type", kind), 400)
	b.want(b.do("POST", "/v2/prompts", "--x--\r\n", "Content-Type", "multipart/form-data; boundary=x"), 400)
	b.want(b.do("POST", "/v2/prompts", body, "Content-Type", "multipart/form-data"), 400)
}

func TestPromptOfAText(t *testing.T) {
	b := newBench(t)
	made := b.want(b.do("POST", "/v2/prompts", `{"name":"Welcome","text":"Hello","voice":"slt"}`), 201)
	if made.json["duration"] != 0.5 || made.str("source") != "text" || made.str("language") != "en-US" || made.json["sample_rate"] != 16000.0 {
		t.Errorf("made %s", made.Body)
	}
	at := "/v2/prompts/" + made.str("prompt_id")
	if again := b.want(b.do("PATCH", at, `{"text":"Hello, you"}`), 200); again.json["duration"] != 1.0 {
		t.Errorf("patched %s", again.Body)
	}
	for body, status := range map[string]int{
		`{"name":"x"}`:                                   400,
		`{"text":"x"}`:                                   400,
		`{"name":"x","text":"a","url":"b"}`:              400,
		`{"name":"x","url":"ftp://a/b"}`:                 400,
		`{"name":"x","text":"a","durtion":1}`:            400,
		`{"name":"x","text":"a","prompt_id":"greeting"}`: 400,
	} {
		b.want(b.do("POST", "/v2/prompts", body), status, "invalid_request")
	}
	// What cannot be had now is kept, and says so.
	for _, body := range []string{`{"name":"x","text":"unspeakable"}`, `{"name":"x","url":"https://example.com/a.wav"}`} {
		made := b.want(b.do("POST", "/v2/prompts", body), 201)
		if !strings.Contains(made.Body.String(), `"no_sound"`) || made.json["duration"] != nil {
			t.Errorf("made %s", made.Body)
		}
		b.want(b.do("GET", "/v2/prompts/"+made.str("prompt_id")+"/audio", ""), 404)
	}
}

func TestMissingPromptIsWarnedOf(t *testing.T) {
	b := newBench(t)
	menu := b.want(b.do("POST", "/v2/ivr-menus", `{"name":"m","prompt":"prompt_gone","invalid_prompt":"prompt_gone_too"}`), 201)
	if n := strings.Count(menu.Body.String(), `"prompt_missing"`); n != 2 {
		t.Errorf("%d warnings: %s", n, menu.Body)
	}
	box := b.want(b.do("PATCH", "/v2/voicemail-boxes/voicemail_default", `{"greeting":"prompt_gone"}`), 200)
	if !strings.Contains(box.Body.String(), `"prompt_missing"`) {
		t.Errorf("no warning: %s", box.Body)
	}
	b.want(b.do("POST", "/v2/prompts?prompt_id=prompt_gone", wave(t, time.Second), "Content-Type", "audio/wav"), 201)
	if box := b.do("GET", "/v2/voicemail-boxes/voicemail_default", ""); strings.Contains(box.Body.String(), `"prompt_missing"`) {
		t.Errorf("warned of a prompt that is there: %s", box.Body)
	}
}

func TestFilesThatAreNoPrompts(t *testing.T) {
	b := newBench(t)
	for name, c := range map[string]struct {
		kind, body string
		status     int
		slug       string
	}{
		"no type":     {"text/plain", "hello", 415, "unsupported_media_type"},
		"nothing":     {"audio/wav", "", 400, "invalid_request"},
		"not sound":   {"audio/wav", strings.Repeat("hello ", 100), 415, "unsupported_media_type"},
		"only a head": {"audio/wav", wave(t, time.Second)[:40], 415, "unsupported_media_type"},
		"silent":      {"audio/wav", wave(t, time.Second)[:44], 400, "invalid_request"},
		"too long":    {"audio/wav", wave(t, 31*time.Second), 413, "payload_too_large"},
		"too large":   {"audio/wav", wave(t, 80*time.Second), 413, "payload_too_large"},
	} {
		a := b.do("POST", "/v2/prompts", c.body, "Content-Type", c.kind)
		if a.Code != c.status || a.str("error") != c.slug || a.str("message") == "" {
			t.Errorf("%s: %d %s", name, a.Code, a.Body)
		}
	}
	if files, _ := os.ReadDir(filepath.Join(b.dir, "prompts")); len(files) != 0 {
		t.Errorf("%d files left over", len(files))
	}
}

// A fifth file at a time would take too much memory: its sender is to try again.
func TestFewFilesAtATime(t *testing.T) {
	b := newBench(t)
	var slow []*io.PipeWriter
	done := make(chan int, 4)
	for range 4 {
		r, w := io.Pipe()
		slow = append(slow, w)
		request := httptest.NewRequestWithContext(t.Context(), "POST", "/v2/prompts", r)
		request.Header.Set("X-Auth-Token", b.key)
		request.Header.Set("Content-Type", "audio/wav")
		go func() {
			a := httptest.NewRecorder()
			b.api.Handler().ServeHTTP(a, request)
			done <- a.Code
		}()
	}
	for _, w := range slow { // each is being read now
		if _, err := w.Write([]byte("RIFF")); err != nil {
			t.Fatal(err)
		}
	}
	b.want(b.do("POST", "/v2/prompts", wave(t, time.Second), "Content-Type", "audio/wav"), 429, "rate_limited")
	for _, w := range slow {
		w.Close()
	}
	for range slow {
		if code := <-done; code != 415 {
			t.Errorf("answered %d", code)
		}
	}
	made := b.want(b.do("POST", "/v2/prompts", wave(t, time.Second), "Content-Type", "audio/wav"), 201)
	var all map[string]any
	if err := json.Unmarshal(made.Body.Bytes(), &all); err != nil || all["name"] == "" {
		t.Errorf("%v %s", err, made.Body)
	}
}
