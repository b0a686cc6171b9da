package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"b2bua/recorder"
	"b2bua/store"
)

const recordingsPath = "/v2/recordings"

// recordingView is a recording as clients see it: where the file lies is ours.
type recordingView struct {
	store.Recording
	AudioURL string `json:"audio_url" doc:"Where the audio can be fetched, below the API's address"`
}

func viewRecording(r *store.Recording) recordingView {
	v := recordingView{Recording: *r, AudioURL: recordingsPath + "/" + r.ID + "/audio"}
	v.Path, v.Head = "", nil
	return v
}

type recordingReply struct {
	ETag string `header:"ETag"`
	Body recordingView
}

type recordingsInput struct {
	Paging
	CallID string `query:"call_id" doc:"Only those of this call"`
	Status string `query:"status" doc:"Only those in this state: recording, paused, completed, failed, absent"`
}

func (s *Server) recordingRoutes() {
	row := func(method, path, id, summary string) operation {
		return operation{method: method, path: recordingsPath + path, id: id, summary: summary, tag: "Recordings", noun: "Recording"}
	}
	register(s, row(http.MethodGet, "", "listRecordings", "List recordings, oldest first"), s.listRecordings)
	register(s, row(http.MethodGet, "/{id}", "getRecording", "Get what is known of a recording"),
		func(_ context.Context, in *ByID) (*recordingReply, error) {
			r, err := s.Store.Recordings().Get(in.ID)
			if err != nil {
				return nil, err
			}
			return &recordingReply{ETag: s.Store.Recordings().ETag(r), Body: viewRecording(r)}, nil
		})
	audio := row(http.MethodGet, "/{id}/audio", "getRecordingAudio", "Get the audio of a recording")
	audio.description = "Ranges can be asked for. A recording that is still going on gives what there is so far."
	audio.replyType = "audio/mpeg"
	register(s, audio, func(ctx context.Context, in *ByID) (*huma.StreamResponse, error) {
		r, err := s.Store.Recordings().Get(in.ID)
		if err != nil {
			return nil, err
		}
		return s.recordedAudio(ctx, r)
	})
	s.waveformRoutes()
	register(s, row(http.MethodDelete, "/{id}", "deleteRecording", "Delete a recording with its audio"), s.deleteRecording)
}

func (s *Server) listRecordings(_ context.Context, in *recordingsInput) (*page[recordingView], error) {
	q := store.Query[store.Recording]{Owner: in.CallID}
	if in.Status != "" {
		q.Where = func(r *store.Recording) bool { return r.Status == in.Status }
	}
	rows, next, err := s.Store.Recordings().List(q, in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	views := make([]recordingView, len(rows))
	for i, r := range rows {
		views[i] = viewRecording(r)
	}
	return newPage(views, next), nil
}

// recordedAudio answers with the sound. One that somebody else has removed is
// absent from now on.
func (s *Server) recordedAudio(ctx context.Context, r *store.Recording) (*huma.StreamResponse, error) {
	audio, err := serveAudio(s.Config.RecordingsDir, r.Path, r.Format, r.ID, r.SHA256)
	var p *Problem
	if errors.As(err, &p) && p.Status == http.StatusNotFound && r.Status == recorder.Completed {
		_, gone := s.Store.Recordings().Update(ctx, r.ID, "", func(x *store.Recording) error {
			x.Status, x.Error = "absent", "the file is not there"
			return nil
		})
		if gone != nil {
			s.Log.Warn("note that a recording is absent", "recording", r.ID, "err", gone)
		}
	}
	return audio, err
}

// deleteRecording takes the audio away first: a row without audio is noticed,
// audio without a row would stay for ever.
func (s *Server) deleteRecording(ctx context.Context, in *deleteInput) (*struct{}, error) {
	r, err := s.Store.Recordings().Get(in.ID)
	if err != nil {
		return nil, err
	}
	if r.Status == "recording" || r.Status == "paused" {
		return nil, fail(http.StatusConflict, slugConflict, "The recording is still going on: stop it first")
	}
	if in.IfMatch != "" && in.IfMatch != "*" && in.IfMatch != s.Store.Recordings().ETag(r) {
		return nil, store.ErrPrecondition
	}
	err = removeAudio(s.Config.RecordingsDir, r.Path)
	if err == nil && r.Path != "" {
		err = removeAudio(s.Config.RecordingsDir, recorder.PeaksPath(r.Path))
	}
	if err != nil {
		return nil, fmt.Errorf("delete recording %s: %w", in.ID, err)
	}
	_, err = s.Store.Recordings().Delete(ctx, in.ID, "")
	return nil, err
}
