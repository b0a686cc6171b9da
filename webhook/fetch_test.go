package webhook

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestFetchNewer(t *testing.T) {
	etag := `"1"`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", etag)
		if r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("Last-Modified", time.Unix(0, 0).UTC().Format(http.TimeFormat))
		_, _ = io.WriteString(w, "sound")
	}))
	defer server.Close()
	body, had, err := FetchNewer(t.Context(), server.Client(), server.URL, 10, Validators{})
	if err != nil || had.ETag != etag || had.Modified == "" {
		t.Fatal(had, err)
	}
	text, _ := io.ReadAll(body)
	body.Close()
	if string(text) != "sound" {
		t.Errorf("got %q", text)
	}
	if _, now, err := FetchNewer(t.Context(), server.Client(), server.URL, 10, had); !errors.Is(err, ErrUnchanged) || now != had {
		t.Errorf("%v %v", now, err)
	}
	etag = `"2"`
	body, now, err := FetchNewer(t.Context(), server.Client(), server.URL, 10, had)
	if err != nil || now.ETag != etag {
		t.Fatal(now, err)
	}
	body.Close()
	// 304 to somebody who has nothing is no answer.
	if _, _, err := FetchNewer(t.Context(), server.Client(), server.URL, 10, Validators{}); err != nil {
		t.Error(err)
	}
}
