package api

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// audioTypes are the content types of the formats recordings have.
var audioTypes = map[string]string{"mp3": "audio/mpeg", "wav": "audio/wav"}

// audioDeadline is how long a client may take to fetch one file.
const audioDeadline = time.Hour

// openAudio opens a file below dir. Paths come from our own index; a damaged or
// doctored one must still not lead out of the directory.
func openAudio(dir, path string) (*os.File, fs.FileInfo, error) {
	below, err := within(dir, path)
	if err != nil {
		return nil, nil, fmt.Errorf("open audio: %w", err)
	}
	f, err := os.OpenInRoot(dir, below)
	if err != nil {
		return nil, nil, fmt.Errorf("open audio: %w", err)
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		f.Close()
		return nil, nil, fmt.Errorf("open audio: %s is no file: %w", path, errors.Join(err, fs.ErrNotExist))
	}
	return f, info, nil
}

// serveAudio answers with a file, whole or the range asked for (RFC 9110 §14).
func serveAudio(dir, path, format, name string) (*huma.StreamResponse, error) {
	if path == "" {
		return nil, notFound("Audio")
	}
	f, info, err := openAudio(dir, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, notFound("Audio")
	}
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		defer f.Close()
		r, w := humago.Unwrap(ctx)
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(audioDeadline)) // a recorder in tests has no deadlines
		w.Header().Set("Content-Type", audioTypes[format])
		w.Header().Set("Content-Disposition", `inline; filename="`+name+"."+format+`"`)
		http.ServeContent(w, r, "", info.ModTime(), f)
	}}, nil
}

// removeAudio deletes a file below dir; one that is gone already is fine.
func removeAudio(dir, path string) error {
	if path == "" {
		return nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return ignoreMissing(err)
	}
	defer func() { _ = root.Close() }()
	below, err := within(dir, path)
	if err != nil {
		return err
	}
	return ignoreMissing(root.Remove(below))
}

// within is path as seen from dir. A relative path is taken from there or, when
// it names dir itself, from the working directory, as it was written.
func within(dir, path string) (string, error) {
	if !filepath.IsAbs(path) {
		if below, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(below) {
			return below, nil
		}
		return path, nil
	}
	root, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return filepath.Rel(root, path)
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
