package speech

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"b2bua/media/audio"
)

// cache keeps sounds as WAV files named after what they say. Files appear
// whole (written aside, then renamed) and are never changed.
type cache struct {
	dir  string // empty: nothing is kept
	most int64  // bytes

	mu   sync.Mutex
	size int64 // -1 until counted
}

// key names the sound of a text: the same words by the same voice.
func key(p Provider, t Text) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{"1", p.Name(), strings.ToLower(t.Language), t.Voice, t.Text}, "\x00")))
	return hex.EncodeToString(sum[:])
}

func (c *cache) path(key string) string {
	return filepath.Join(c.dir, key[:2], key[2:]+".wav")
}

// get gives a kept sound. A file that does not decode is removed.
func (c *cache) get(key string) (audio.Clip, bool) {
	if c.dir == "" {
		return audio.Clip{}, false
	}
	f, err := os.Open(c.path(key))
	if err != nil {
		return audio.Clip{}, false
	}
	defer f.Close()
	clip, err := audio.Decode(f, audio.Limits{Bytes: soundBytes, Duration: soundTime})
	if err != nil || len(clip.Samples) == 0 {
		_ = os.Remove(f.Name())
		return audio.Clip{}, false
	}
	// The time of last use decides what is thrown away first.
	now := time.Now()
	_ = os.Chtimes(f.Name(), now, now)
	return clip, true
}

// put keeps a sound.
func (c *cache) put(key string, clip audio.Clip) error {
	if c.dir == "" {
		return nil
	}
	path := c.path(key)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return fmt.Errorf("keep speech: %w", err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "new-*")
	if err != nil {
		return fmt.Errorf("keep speech: %w", err)
	}
	err = errors.Join(audio.WriteWAV(tmp, clip), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("keep speech: %w", errors.Join(err, os.Remove(tmp.Name())))
	}
	return c.grow(int64(audio.WAVHeaderSize + 2*len(clip.Samples)))
}

// kept is one file of the cache.
type kept struct {
	path string
	size int64
	used time.Time
}

// grow counts what was added and throws the longest unused away when it is
// more than allowed.
func (c *cache) grow(n int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.size += n; c.size > 0 && c.size <= c.most {
		return nil
	}
	files, total, err := c.list()
	if err != nil {
		return fmt.Errorf("count kept speech: %w", err)
	}
	if total > c.most {
		slices.SortFunc(files, func(a, b kept) int { return cmp.Compare(a.used.UnixNano(), b.used.UnixNano()) })
		for _, f := range files {
			if total <= c.most*4/5 {
				break
			}
			if err := os.Remove(f.path); err != nil {
				return fmt.Errorf("throw kept speech away: %w", err)
			}
			total -= f.size
		}
	}
	c.size = total
	return nil
}

func (c *cache) list() (files []kept, total int64, err error) {
	err = filepath.WalkDir(c.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".wav" {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			files = append(files, kept{path, info.Size(), info.ModTime()})
			total += info.Size()
		}
		return err
	})
	return files, total, err
}
