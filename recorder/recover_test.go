package recorder

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"b2bua/media/audio"
)

// A killed process leaves any number of bytes: whatever they are, the file
// plays after Recover, and loses nothing but its torn end.
func TestFileTornAnywherePlays(t *testing.T) {
	for _, o := range []Options{{Format: MP3}, {Format: MP3, Channels: Dual}, {Format: WAV}, {Format: WAV, Channels: Dual}} {
		whole := play(t, o, 25, bothTalk, nil)
		file, err := os.ReadFile(whole.Path)
		if err != nil {
			t.Fatal(err)
		}
		cuts := map[int]bool{}
		for n := range 300 { // every byte of a frame, at both ends
			cuts[n] = true
			cuts[len(file)-n] = true
		}
		for n := range cuts {
			path := filepath.Join(t.TempDir(), fmt.Sprintf("rec_%d.%s", n, o.Format))
			if err := os.WriteFile(path, file[:n], 0o600); err != nil {
				t.Fatal(err)
			}
			r, err := Recover(path)
			if err != nil {
				t.Fatalf("%s cut at %d: %v", o.Format, n, err)
			}
			lost := float64(len(file)-n)/float64(len(file))*whole.Duration.Seconds() + 0.073
			if got := r.Duration.Seconds(); got < whole.Duration.Seconds()-lost {
				t.Errorf("%s cut at %d of %d: %v left", o.Format, n, len(file), r.Duration)
			}
			if n%5 != 0 {
				continue
			}
			s := decoders["ours"](t, path)
			if d := s.Channel(0).Duration() - r.Duration; d < 0 || (r.Duration > 72*time.Millisecond && d != 0) {
				t.Errorf("%s cut at %d: plays %v, told %v", o.Format, n, s.Channel(0).Duration(), r.Duration)
			}
			if n == 0 || n == 145 || n == 290 || n == len(file) {
				decoders["ffmpeg"](t, path)
			}
		}
	}
}

// The torn file plays even before anybody recovers it.
func TestTornMP3PlaysAsItIs(t *testing.T) {
	whole := play(t, Options{}, 25, bothTalk, nil)
	file, err := os.ReadFile(whole.Path)
	if err != nil {
		t.Fatal(err)
	}
	for n := 2 * len(silentFrame); n < len(file); n += 11 {
		s, err := audio.DecodeSound(bytes.NewReader(file[:n]), audio.Limits{})
		if err != nil {
			t.Fatalf("cut at %d: %v", n, err)
		}
		if frames := n / len(silentFrame); len(s.Samples) != frames*576 {
			t.Fatalf("cut at %d: %d samples of %d frames", n, len(s.Samples), frames)
		}
	}
}

func TestRecoverLeavesCompleteFilesAlone(t *testing.T) {
	for _, format := range []string{MP3, WAV} {
		want := play(t, Options{Format: format}, 60, bothTalk, nil)
		for range 2 {
			got, err := Recover(want.Path)
			if err != nil || got.SHA256 != want.SHA256 || got.Size != want.Size ||
				got.ID != want.ID || got.Channels != 1 || got.SampleRate != want.SampleRate {
				t.Errorf("%+v, %v\nwant %+v", got, err, want)
			}
			if d := got.Duration - want.Duration; d < 0 || d > 36*time.Millisecond {
				t.Errorf("%v of %v", got.Duration, want.Duration)
			}
		}
	}
}

func TestRecoverRefusesWhatIsNoRecording(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string][]byte{
		"rec_a.mp3": bytes.Repeat([]byte("no music "), 1000),
		"rec_b.wav": bytes.Repeat([]byte("no sound "), 1000),
		"rec_c.txt": []byte("text"),
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if r, err := Recover(path); err == nil {
			t.Errorf("%s: %+v", name, r)
		}
		if left, err := os.ReadFile(path); err != nil || !bytes.Equal(left, content) {
			t.Errorf("%s was changed", name)
		}
	}
	if _, err := Recover(filepath.Join(dir, "absent.mp3")); err == nil {
		t.Error("recovered an absent file")
	}
}

// What is in the file while the recording runs is less than a second behind.
func TestFileGrowsAsItIsMade(t *testing.T) {
	for _, format := range []string{MP3, WAV} {
		dir := t.TempDir()
		at := map[int]func(*Recording){}
		for tick := 50; tick < 250; tick += 10 {
			at[tick] = func(*Recording) {
				f, err := os.Open(filepath.Join(dir, "rec_test."+format))
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				s, err := audio.DecodeSound(f, audio.Limits{})
				if err != nil {
					t.Fatal(err)
				}
				behind := time.Duration(tick)*tickTime - s.Channel(0).Duration()
				if behind > 600*time.Millisecond {
					t.Errorf("%s at %v: %v behind", format, time.Duration(tick)*tickTime, behind)
				}
			}
		}
		play(t, Options{Format: format, Dir: dir}, 250, bothTalk, at)
	}
}
