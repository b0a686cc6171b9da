package recorder

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// smallDisk is a file on a disk that has room for so many bytes more, and tells so
// after a part of a write, as disks do.
type smallDisk struct {
	*os.File
	room *int
}

func (d smallDisk) take(n int) (int, error) {
	if n <= *d.room {
		*d.room -= n
		return n, nil
	}
	n, *d.room = *d.room, 0
	return n, &fs.PathError{Op: "write", Path: d.Name(), Err: syscall.ENOSPC}
}

func (d smallDisk) Write(p []byte) (int, error) {
	n, full := d.take(len(p))
	n, err := d.File.Write(p[:n])
	return n, errors.Join(full, err)
}

// WriteAt takes room only for what lies behind the end.
func (d smallDisk) WriteAt(p []byte, off int64) (int, error) {
	info, err := d.Stat()
	if err != nil {
		return 0, err
	}
	old := int(max(0, min(int64(len(p)), info.Size()-off)))
	n, full := d.take(len(p) - old)
	n, err = d.File.WriteAt(p[:old+n], off)
	return n, errors.Join(full, err)
}

// A disk that fills up ends a recording: what was written plays, and is told as it
// is. The next recording is one, as soon as there is room.
func TestADiskFillsUp(t *testing.T) {
	for _, o := range []Options{
		{Format: MP3}, {Format: MP3, Channels: Dual}, {Format: WAV}, {Format: WAV, Channels: Dual},
	} {
		t.Run(o.Format+o.Channels, func(t *testing.T) {
			room := 20_001
			o.medium = func(f *os.File) medium { return smallDisk{f, &room} }
			o.Dir, o.ID, o.Log = t.TempDir(), "rec_small", discard
			synctest.Test(t, func(t *testing.T) {
				pool, stop := running(t)
				defer stop()
				o.Pool = pool
				first := say(t, o, 600)
				checkCutShort(t, first)
				if s := pool.Stats(); s.Active != 0 || s.Failed != 1 || s.DiskFull != 1 {
					t.Errorf("%+v", s)
				}
				room = 1 << 20
				o.ID = "rec_room"
				if r := say(t, o, 100); r.Err != nil || r.Duration != 2*time.Second {
					t.Errorf("with room again: %+v", r)
				}
			})
			s := decoders["ffmpeg"](t, filepath.Join(o.Dir, "rec_small."+o.Format)).Channel(0)
			if d := s.Duration(); d < 500*time.Millisecond {
				t.Errorf("%v can be played", d)
			}
		})
	}
}

// running is a pool at work.
func running(t *testing.T) (*Pool, func()) {
	pool, ended := NewPool(1), make(chan error, 1)
	ctx, stop := context.WithCancel(context.Background())
	go func() { ended <- pool.Run(ctx) }()
	return pool, func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// say records both parties for so many ticks, or until the recording ends.
func say(t *testing.T, o Options, ticks int) Result {
	t.Helper()
	r, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	clock := time.NewTicker(tickTime)
	defer clock.Stop()
	for tick := range ticks {
		in, out := bothTalk(tick)
		r.Frame(*in)
		r.Frame(*out)
		<-clock.C
	}
	return r.Stop()
}

func checkCutShort(t *testing.T, r Result) {
	t.Helper()
	file, err := os.ReadFile(r.Path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(file)
	if r.Reason != DiskFull || !Full(r.Err) || r.Size != int64(len(file)) || r.SHA256 != hex.EncodeToString(sum[:]) {
		t.Errorf("%d bytes: %+v", len(file), r)
	}
	d := decoders["ours"](t, r.Path).Channel(0).Duration()
	near(t, "told to last", r.Duration.Seconds(), d.Seconds(), 0.073) // two frames
}

// Without room for others nothing is begun.
func TestNoRoomNoRecording(t *testing.T) {
	dir := t.TempDir()
	_, err := Start(Options{Dir: dir, ID: "rec_none", Log: discard, Pool: NewPool(1 << 62)})
	if left, _ := os.ReadDir(dir); !Full(err) || len(left) != 0 {
		t.Errorf("%v, left behind: %v", err, left)
	}
}

// Without LAME there is a WAV, and it says so.
func TestWithoutLAME(t *testing.T) {
	was := available
	defer func() { available = was }()
	available = func() error { return errors.New("libmp3lame is not installed") }
	r := play(t, Options{Format: MP3, Channels: Dual, Bitrate: 64000}, 100, bothTalk, nil)
	if r.Format != WAV || !strings.HasSuffix(r.Path, ".wav") || r.Channels != 2 || r.Bitrate != 0 || !strings.Contains(r.Warning, "libmp3lame") {
		t.Errorf("%+v", r)
	}
	near(t, "length", decoders["ffmpeg"](t, r.Path).Channel(0).Duration().Seconds(), 2, 0)
}

// A folder that cannot be written is told at once, not as a full disk.
func TestFolderThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{filepath.Join(dir, "missing"), filepath.Join(dir, "file")} {
		r, err := Start(Options{Dir: bad, ID: "rec_bad", Log: discard, Pool: NewPool(0)})
		if err == nil {
			r.Stop()
		}
		if err == nil || Full(err) || reasonFor(err) != DiskFail {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// Rates and bit rates that are asked for are those of the file.
func TestRatesAsAskedFor(t *testing.T) {
	for _, o := range []Options{
		{SampleRate: 24000, Bitrate: 40000}, {SampleRate: 48000, Bitrate: 128000, Channels: Dual}, {Format: WAV, SampleRate: 44100},
	} {
		r := play(t, o, 100, bothTalk, nil)
		s := decoders["ffmpeg"](t, r.Path)
		if r.SampleRate != o.SampleRate || s.Rate != o.SampleRate || r.Bitrate != o.Bitrate {
			t.Errorf("%+v is of %d Hz", r, s.Rate)
		}
		if o.Bitrate > 0 {
			near(t, "bits a second", float64(r.Size)*8/2, float64(o.Bitrate), float64(o.Bitrate)/20)
		}
	}
}
