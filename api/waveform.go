package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"b2bua/recorder"
	"b2bua/store"
)

// mostPoints is how many points of a waveform a page may ask for.
const mostPoints = 10_000

type waveformInput struct {
	ByID
	Points int    `query:"points" default:"800" minimum:"1" maximum:"10000" doc:"How many points each channel has at most"`
	Accept string `header:"Accept" doc:"image/svg+xml for a picture"`
}

// waveform is how loud a recording is, from its beginning to its end.
type waveform struct {
	RecordingID     string      `json:"recording_id" doc:"Id of the recording"`
	Status          string      `json:"status" doc:"State of the recording; while it goes on there is as much as there is of it"`
	Duration        float64     `json:"duration" doc:"Seconds that the points stand for"`
	Channels        int         `json:"channels" doc:"1, or 2 for caller and callee"`
	SecondsPerPoint float64     `json:"seconds_per_point" doc:"Seconds that one point stands for"`
	Peaks           [][]float64 `json:"peaks" doc:"For each channel the loudest sample of each stretch, 0 to 1"`
}

const svgType = "image/svg+xml"

func (s *Server) waveformRoutes() {
	o := operation{method: http.MethodGet, path: recordingsPath + "/{id}/waveform", id: "getRecordingWaveform",
		summary: "Get how loud a recording is over its time", tag: "Recordings", noun: "Recording",
		description: "JSON, or a picture where image/svg+xml is accepted. It is made once and kept. A recording that is still going on gives what there is so far."}
	register(s, o, func(_ context.Context, in *waveformInput) (*huma.StreamResponse, error) {
		return s.waveform(in, strings.Contains(in.Accept, svgType))
	})
	o.path, o.id, o.replyType = o.path+".svg", "getRecordingPicture", svgType
	o.summary, o.description = "Get a picture of a recording", "As waveform, whatever is accepted."
	register(s, o, func(_ context.Context, in *waveformInput) (*huma.StreamResponse, error) { return s.waveform(in, true) })
}

func (s *Server) waveform(in *waveformInput, picture bool) (*huma.StreamResponse, error) {
	r, err := s.Store.Recordings().Get(in.ID)
	if err != nil {
		return nil, err
	}
	peaks, err := s.peaksOf(r)
	if err != nil {
		return nil, err
	}
	lasts := time.Duration(r.Duration * float64(time.Second))
	if lasts == 0 {
		lasts = time.Duration(len(peaks)/r.Channels) * time.Second / recorder.PeaksPerSecond
	}
	points := recorder.Shrink(peaks, r.Channels, min(in.Points, mostPoints))
	body, kind := recorder.SVG(points, lasts), svgType
	if !picture {
		if body, err = json.Marshal(waveformOf(r, points, lasts)); err != nil {
			return nil, fmt.Errorf("encode waveform: %w", err)
		}
		kind = "application/json"
	}
	tag := strings.TrimSuffix(s.Store.Recordings().ETag(r), `"`) + fmt.Sprintf(`-%d-%d-%t"`, len(peaks), in.Points, picture)
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		req, w := humago.Unwrap(ctx)
		w.Header().Set("Content-Type", kind)
		w.Header().Set("ETag", tag)
		w.Header().Set("Vary", "Accept")
		http.ServeContent(w, req, "", time.Time{}, strings.NewReader(string(body)))
	}}, nil
}

func waveformOf(r *store.Recording, points [][]byte, lasts time.Duration) waveform {
	out := waveform{RecordingID: r.ID, Status: r.Status, Duration: lasts.Seconds(), Channels: r.Channels, Peaks: make([][]float64, len(points))}
	for c, band := range points {
		out.Peaks[c] = make([]float64, len(band))
		for i, v := range band {
			out.Peaks[c][i] = math.Round(float64(v)/255*1000) / 1000
		}
		if len(band) > 0 {
			out.SecondsPerPoint = lasts.Seconds() / float64(len(band))
		}
	}
	return out
}

// peaksOf gives the peaks of a recording.
func (s *Server) peaksOf(r *store.Recording) ([]byte, error) {
	if r.Path == "" || r.Channels < 1 {
		return nil, notFound("Audio")
	}
	below, err := within(s.Config.RecordingsDir, r.Path)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(s.Config.RecordingsDir)
	if err != nil {
		return nil, fmt.Errorf("open the folder of recordings: %w", err)
	}
	defer func() { _ = root.Close() }()
	lasts := time.Duration(r.Duration * float64(time.Second))
	peaks, err := recorder.ReadPeaks(root, below, r.Channels, lasts)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, notFound("Audio")
	}
	return peaks, err
}
