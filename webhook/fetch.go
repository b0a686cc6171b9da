package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// ErrTooLarge says that a body is larger than was asked for.
var ErrTooLarge = errors.New("the body is too large")

const userAgent = "b2bua-webhook/1"

// Fetch gets what a URL holds, with a client made by NewClient. Reading more
// than limit bytes of it is an ErrTooLarge. The context must have a deadline,
// which holds until the body is closed.
func Fetch(ctx context.Context, client *http.Client, address string, limit int64) (io.ReadCloser, error) {
	body, _, err := FetchNewer(ctx, client, address, limit, Validators{})
	return body, err
}

// Validators tell one state of what a URL holds from another (RFC 9110 section
// 8.8), as the server named them.
type Validators struct{ ETag, Modified string }

// ErrUnchanged says that a URL holds what it held before.
var ErrUnchanged = errors.New("it is what it was")

// FetchNewer is Fetch unless the URL holds what it held when it had these
// validators, which is ErrUnchanged; empty ones are those of nothing.
func FetchNewer(ctx context.Context, client *http.Client, address string, limit int64, was Validators) (io.ReadCloser, Validators, error) {
	none := Validators{}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, none, fmt.Errorf("fetch: %w", cause(err))
	}
	req.Header.Set("User-Agent", userAgent)
	if was.ETag != "" {
		req.Header.Set("If-None-Match", was.ETag)
	}
	if was.Modified != "" {
		req.Header.Set("If-Modified-Since", was.Modified)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, none, fmt.Errorf("fetch %s: %w", shown(req.URL), cause(err))
	}
	switch {
	case resp.StatusCode == http.StatusNotModified && was != none:
		resp.Body.Close()
		return nil, was, fmt.Errorf("fetch %s: %w", shown(req.URL), ErrUnchanged)
	case resp.StatusCode != http.StatusOK:
		resp.Body.Close()
		return nil, none, fmt.Errorf("fetch %s: the answer is %s", shown(req.URL), resp.Status)
	case resp.ContentLength > limit:
		resp.Body.Close()
		return nil, none, fmt.Errorf("fetch %s: %w: %d bytes", shown(req.URL), ErrTooLarge, resp.ContentLength)
	}
	return &limited{resp.Body, limit}, Validators{resp.Header.Get("ETag"), resp.Header.Get("Last-Modified")}, nil
}

// limited is a body that fails, instead of ending, behind its limit.
type limited struct {
	io.ReadCloser
	left int64
}

// Read implements io.Reader.
func (l *limited) Read(p []byte) (int, error) {
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1] // one more, to tell the end from too much
	}
	n, err := l.ReadCloser.Read(p)
	if int64(n) > l.left {
		n, err = int(l.left), ErrTooLarge
	}
	l.left -= int64(n)
	return n, err
}

// cause is an error of the HTTP client without the URL in it, whose query can
// hold secrets.
func cause(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// shown is a URL as logs and traces may show it: without query and password.
func shown(u *url.URL) string {
	clean := *u
	clean.RawQuery, clean.Fragment, clean.User = "", "", nil
	return clean.String()
}
