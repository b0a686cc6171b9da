package recorder

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"b2bua/media/audio"
)

// ReadPeaks gives the peaks of a recording, as PeaksPath says, of which the file
// below root has so many channels and lasts so long. They are kept as it is made;
// where they are not, because its process was killed, they are found in its sound
// and kept then.
func ReadPeaks(root *os.Root, name string, channels int, lasts time.Duration) ([]byte, error) {
	kept, err := root.ReadFile(PeaksPath(name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read peaks: %w", err)
	}
	whole := int(lasts.Seconds()*PeaksPerSecond) * channels
	if len(kept) > 0 && len(kept) >= whole-channels {
		return kept, nil
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("find peaks: %w", err)
	}
	defer f.Close()
	found, err := findPeaks(f)
	if err != nil {
		return nil, fmt.Errorf("find peaks: %w", err)
	}
	if err := keepPeaks(root, name, found); err != nil {
		return found, nil //nolint:nilerr // on a full disk they are found again each time
	}
	return found, nil
}

// longest is more than any recording lasts.
const longest = 25 * time.Hour

func findPeaks(r io.Reader) ([]byte, error) {
	s, err := audio.DecodeSound(r, audio.Limits{Bytes: 4 << 30, Duration: longest})
	if err != nil {
		return nil, err
	}
	p := NewPeaks(s.Rate, s.Channels)
	p.Add(s.Samples)
	return p.Take(true), nil
}

func keepPeaks(root *os.Root, name string, peaks []byte) error {
	path := PeaksPath(name)
	if err := root.WriteFile(path+".new", peaks, 0o640); err != nil {
		return err
	}
	return root.Rename(path+".new", path)
}

// Shrink makes so many points of peaks, for each channel the loudest of its
// share, 0 to 255.
func Shrink(peaks []byte, channels, points int) [][]byte {
	n := len(peaks) / channels
	points = min(points, n)
	all := make([][]byte, channels)
	for c := range all {
		all[c] = make([]byte, points)
		for i := range all[c] {
			for at := i * n / points; at < max((i+1)*n/points, i*n/points+1); at++ {
				all[c][i] = max(all[c][i], peaks[at*channels+c])
			}
		}
	}
	return all
}

// SVG draws points as a picture: a band for each channel, the caller above.
func SVG(points [][]byte, lasts time.Duration) []byte {
	const width, band = 1000, 120
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" preserveAspectRatio="none" role="img">`, width, band*max(len(points), 1))
	fmt.Fprintf(&b, `<title>Waveform of %s</title>`, lasts.Round(time.Millisecond))
	for c, band := range points {
		drawBand(&b, band, width, c, []string{"#2563eb", "#d97706"}[c%2])
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func drawBand(b *bytes.Buffer, points []byte, width, c int, color string) {
	const half = 60.0
	middle := half + 2*half*float64(c)
	fmt.Fprintf(b, `<path stroke="%s" stroke-opacity=".4" d="M0 %.0fH%d"/>`, color, middle, width)
	if len(points) == 0 {
		return
	}
	fmt.Fprintf(b, `<path fill="%s" d="M0 %.0f`, color, middle)
	step := float64(width) / float64(len(points))
	line := func(i int, sign float64) {
		fmt.Fprintf(b, "L%.1f %.1f", (float64(i)+.5)*step, middle+sign*float64(points[i])/255*(half-4))
	}
	for i := range points {
		line(i, -1)
	}
	fmt.Fprintf(b, "L%d %.0f", width, middle)
	for i := len(points) - 1; i >= 0; i-- {
		line(i, 1)
	}
	b.WriteString(`Z"/>`)
}
