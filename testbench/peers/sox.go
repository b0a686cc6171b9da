package peers

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"
)

// Tone makes an 8 kHz WAV file with a sine of the given level (dB below full scale, RMS) in the test's
// temporary directory and returns its path.
func Tone(tb testing.TB, hz int, dBFS float64, length time.Duration) string {
	tb.Helper()
	return ToneAt(tb, 8000, hz, dBFS, length)
}

// ToneAt is Tone at another sample rate.
func ToneAt(tb testing.TB, rate, hz int, dBFS float64, length time.Duration) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), fmt.Sprintf("tone-%d.wav", hz))
	// A full-scale sine lies 3.01 dB below a full-scale square in RMS terms, which is sox's reference.
	run(tb, "sox", "-n", "-r", strconv.Itoa(rate), "-c", "1", "-b", "16", path,
		"synth", seconds(length), "sine", strconv.Itoa(hz), "gain", fmt.Sprintf("%.2f", dBFS+3.01))
	return path
}

// Level measures how loud a band of ±30 Hz around hz is in a part of a sound file: dB below full scale, RMS.
// Silence measures below −100. Channels are counted from 1; 0 mixes them. A band around 0 is all there is.
//
// It is the median over windows of 200 ms: when a busy machine keeps a peer from sending for a moment, the hole
// it makes says nothing of the level at which the rest arrived. Holes that the switch makes are for tests on
// virtual time to find.
func Level(tb testing.TB, path string, channel, hz int, from, length time.Duration) float64 {
	tb.Helper()
	levels := Levels(tb, path, channel, hz, from, length)
	if len(levels) == 0 {
		tb.Fatalf("%s has no sound from %v on", path, from)
	}
	slices.Sort(levels)
	return levels[len(levels)/2]
}

// Window is how long each of the levels of Levels lasts.
const Window = 200 * time.Millisecond

// Levels measures as Level does, window after window.
func Levels(tb testing.TB, path string, channel, hz int, from, length time.Duration) []float64 {
	tb.Helper()
	mix := []string{"remix", strconv.Itoa(channel)}
	if channel == 0 {
		mix = []string{"channels", "1"}
	}
	// At 8 kHz first: the filter is as narrow as that at no higher rate.
	args := append(append([]string{path, "-t", "f32", "-"}, mix...), "rate", "8000")
	if hz != 0 {
		args = append(args, "sinc", "-n", "2047", fmt.Sprintf("%d-%d", hz-30, hz+30)) // shorter filters are not flat in the band
	}
	args = append(args, "trim", seconds(from), seconds(length))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sox", args...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	raw, err := cmd.Output()
	if err != nil {
		tb.Fatalf("sox %q: %v\n%s", args, err, &complaint)
	}
	const window = int(8000 * Window / time.Second)
	var levels []float64
	for len(raw) >= 4*window {
		levels = append(levels, rms(raw[:4*window]))
		raw = raw[4*window:]
	}
	return levels
}

// rms is the level of 32-bit floating point samples.
func rms(raw []byte) float64 {
	sum := 0.0
	for i := 0; i < len(raw); i += 4 {
		v := float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[i:])))
		sum += v * v
	}
	return 10 * math.Log10(max(sum/float64(len(raw)/4), 1e-20))
}

// Length is the playing time of a sound file as ffprobe decodes it.
func Length(tb testing.TB, path string) time.Duration {
	tb.Helper()
	text := run(tb, "ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", path)
	s, err := strconv.ParseFloat(string(bytes.TrimSpace([]byte(text))), 64)
	if err != nil {
		tb.Fatalf("ffprobe: length of %s: %q", path, text)
	}
	return time.Duration(s * float64(time.Second))
}

// ToWAV decodes any sound file with ffmpeg, which fails on the first thing it cannot decode, and returns the
// path of the WAV file made from it.
func ToWAV(tb testing.TB, path string) string {
	tb.Helper()
	out := filepath.Join(tb.TempDir(), filepath.Base(path)+".wav")
	run(tb, "ffmpeg", "-v", "error", "-xerror", "-err_detect", "explode", "-y", "-i", path, "-c:a", "pcm_s16le", out)
	return out
}

func run(tb testing.TB, name string, args ...string) string {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		tb.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func seconds(d time.Duration) string {
	return strconv.FormatFloat(d.Seconds(), 'f', 3, 64)
}
