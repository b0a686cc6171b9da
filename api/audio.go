package api

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"b2bua/media/audio"
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

// serveAudio answers with a file, whole or the range asked for (RFC 9110 §14). The
// entity tag is its hash, and while it grows the length that it has now: what is
// asked for later is of another file then.
func serveAudio(dir, path, format, name, hash string) (*huma.StreamResponse, error) {
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
		tag := hash
		if tag == "" {
			tag = fmt.Sprintf("%s-%d", name, info.Size())
		}
		w.Header().Set("ETag", `"`+tag+`"`)
		w.Header().Set("Cache-Control", "private, no-cache")
		http.ServeContent(w, r, "", info.ModTime(), snapshot(f, info.Size(), format))
	}}, nil
}

// snapshot is a file as it is now, however it grows: a WAV header tells its length
// then.
func snapshot(f *os.File, size int64, format string) io.ReadSeeker {
	whole := io.NewSectionReader(f, 0, size)
	if format != "wav" || size < audio.WAVHeaderSize {
		return whole
	}
	var head wavHead
	if _, err := f.ReadAt(head.b[:], 0); err != nil {
		return whole
	}
	if _, _, err := audio.RepairWAV(&head, size); err != nil {
		return whole // of another writer: as it is
	}
	return io.NewSectionReader(&withHead{f, head.b}, 0, size)
}

// wavHead is a header to be corrected.
type wavHead struct{ b [audio.WAVHeaderSize]byte }

func (h *wavHead) ReadAt(p []byte, off int64) (int, error)  { return copy(p, h.b[off:]), nil }
func (h *wavHead) WriteAt(p []byte, off int64) (int, error) { return copy(h.b[off:], p), nil }

// withHead is a file that begins otherwise.
type withHead struct {
	f    *os.File
	head [audio.WAVHeaderSize]byte
}

func (w *withHead) ReadAt(p []byte, off int64) (int, error) {
	n, err := w.f.ReadAt(p, off)
	if off < int64(len(w.head)) {
		copy(p[:n], w.head[off:])
	}
	return n, err
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
