package recorder

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"b2bua/media"
)

// inTurn: the caller talks in the first second, the callee in the third.
func inTurn(tick int) (in, out *media.TapFrame) {
	in, out = bothTalk(tick)
	if tick >= 50 {
		clear(in.PCM)
	}
	if tick < 100 || tick >= 150 {
		clear(out.PCM)
	}
	return in, out
}

// The peaks that are kept while a recording is made are those of its sound, and
// found in it again where they are lost.
func TestPeaksAreThoseOfTheSound(t *testing.T) {
	for _, format := range []string{WAV, MP3} {
		r := play(t, Options{Format: format, Channels: Dual, Peaks: true}, 200, inTurn, nil)
		root, err := os.OpenRoot(filepath.Dir(r.Path))
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		kept, err := ReadPeaks(root, filepath.Base(r.Path), 2, r.Duration)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(PeaksPath(r.Path)); err != nil {
			t.Fatal(err)
		}
		found, err := ReadPeaks(root, filepath.Base(r.Path), 2, r.Duration)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(PeaksPath(r.Path)); err != nil {
			t.Errorf("what was found is not kept: %v", err)
		}
		for name, peaks := range map[string][]byte{"kept": kept, "found": found} {
			if n := len(peaks) / 2; n < 80 || n > 81 {
				t.Fatalf("%s %s: %d peaks of each", format, name, n)
			}
			checkBands(t, format+" "+name, Shrink(peaks[:160], 2, 4))
		}
	}
}

// checkBands: -12 and -18 dB of full scale are 64 and 32 of 255. An encoder rings a
// little where a tone begins.
func checkBands(t *testing.T, what string, bands [][]byte) {
	t.Helper()
	want := [][]float64{{64, 0, 0, 0}, {0, 0, 32, 0}}
	for c, band := range bands {
		for i, v := range band {
			within := 7.0
			if want[c][i] == 0 {
				within = 12
			}
			near(t, what, float64(v), want[c][i], within)
		}
	}
}

func TestShrink(t *testing.T) {
	peaks := []byte{1, 9, 2, 8, 3, 7, 4, 6, 5, 5}
	for points, want := range map[int][][]byte{
		1: {{5}, {9}}, 2: {{2, 5}, {9, 7}}, 5: {{1, 2, 3, 4, 5}, {9, 8, 7, 6, 5}}, 100: {{1, 2, 3, 4, 5}, {9, 8, 7, 6, 5}},
	} {
		if got := Shrink(peaks, 2, points); !slices.EqualFunc(got, want, bytes.Equal) {
			t.Errorf("%d points: %v, want %v", points, got, want)
		}
	}
	if got := Shrink(nil, 2, 10); len(got) != 2 || len(got[0]) != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

// A picture is well-formed XML without anything that runs or is fetched, and its
// points lie within it.
func TestPictureIsSVG(t *testing.T) {
	number := regexp.MustCompile(`[0-9.]+`)
	for _, points := range [][][]byte{nil, {{}}, {{0, 255, 128}}, {{255}, {0}}, {make([]byte, 10_000), make([]byte, 10_000)}} {
		pic := SVG(points, 90*time.Minute+1234*time.Microsecond)
		paths := 0
		for d := xml.NewDecoder(bytes.NewReader(pic)); ; {
			tok, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%v in %.200s", err, pic)
			}
			e, begins := tok.(xml.StartElement)
			if begins && !slices.Contains([]string{"svg", "title", "path"}, e.Name.Local) {
				t.Errorf("element %s", e.Name.Local)
			}
			if !begins || e.Name.Local != "path" {
				continue
			}
			paths++
			for _, a := range e.Attr {
				if a.Name.Local == "d" && !fits(number.FindAllString(a.Value, -1)) {
					t.Errorf("leaves the picture: %.100s", a.Value)
				}
			}
		}
		if paths < len(points) {
			t.Errorf("%d paths for %d channels", paths, len(points))
		}
	}
}

// fits tells that no number is beyond the width of a picture.
func fits(numbers []string) bool {
	return !slices.ContainsFunc(numbers, func(n string) bool {
		v, err := strconv.ParseFloat(n, 64)
		return err != nil || v > 1000
	})
}
