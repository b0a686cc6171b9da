package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"b2bua/events"
)

const (
	maxStreams    = 128
	streamDepth   = 1024             // events that may wait for a slow reader
	heartbeat     = 15 * time.Second // keeps proxies from closing a quiet stream
	writeDeadline = 10 * time.Second // for a reader that takes nothing
)

type streamInput struct {
	LastEventID string   `header:"Last-Event-ID" doc:"Go on behind this event; browsers send it by themselves"`
	Events      []string `query:"events" doc:"Only these events: names, families such as call.*, or *"`
	CallID      string   `query:"call_id" doc:"Only events of this call"`
}

func (s *Server) eventRoutes() {
	o := operation{method: http.MethodGet, path: "/v2/events", id: "streamEvents", summary: "Stream events live",
		description: "Server-sent events: the same bodies that webhooks get, with the event's id and name. After a break the stream goes on behind " +
			"Last-Event-ID, as far back as the switch remembers; when something may be missing, an event named stream.gap says so.",
		tag: "Events", noun: "Event", reply: nil, replyType: "text/event-stream"}
	register(s, o, func(_ context.Context, in *streamInput) (*huma.StreamResponse, error) {
		for _, want := range in.Events {
			if !slices.ContainsFunc(events.Names(), func(n events.Name) bool { return covers(want, n) }) {
				return nil, invalid("events", "knows no event %q", want)
			}
		}
		if s.streams.Add(1) > maxStreams {
			s.streams.Add(-1)
			return nil, fail(http.StatusTooManyRequests, slugRateLimited, "%d clients stream events already", maxStreams)
		}
		return &huma.StreamResponse{Body: func(ctx huma.Context) {
			defer s.streams.Add(-1)
			r, w := humago.Unwrap(ctx)
			s.stream(r, w, in)
		}}, nil
	})
}

func covers(pattern string, name events.Name) bool {
	if family, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(string(name), family)
	}
	return pattern == string(name)
}

func (in *streamInput) wants(e *events.Event) bool {
	if in.CallID != "" && (e.Data == nil || e.Data.Header().CallID != in.CallID) {
		return false
	}
	return len(in.Events) == 0 || slices.ContainsFunc(in.Events, func(p string) bool { return covers(p, e.Name) })
}

// stream tells events until the client, the key or the switch is gone.
func (s *Server) stream(r *http.Request, w http.ResponseWriter, in *streamInput) {
	out := &sse{w: w, rc: http.NewResponseController(w)}
	var sub *events.Subscription
	complete := true
	if in.LastEventID == "" {
		sub = s.Bus.Subscribe(streamDepth)
	} else {
		sub, complete = s.Bus.SubscribeAfter(in.LastEventID, streamDepth)
	}
	defer sub.Close()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	out.write("retry: 2000\n\n")
	if !complete {
		out.gap(0)
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for lost := uint64(0); out.err == nil; {
		select {
		case <-r.Context().Done():
			return
		case <-s.stopping:
			return
		case <-beat.C:
			if s.revoked(r.Context()) {
				return
			}
			out.write(": still here\n\n")
		case e, ok := <-sub.C():
			if !ok {
				return
			}
			if d := sub.Dropped(); d > lost {
				out.gap(d - lost)
				lost = d
			}
			if in.wants(&e) {
				out.event(&e)
			}
		}
	}
}

// revoked reports whether the key a stream was opened with is good no more.
func (s *Server) revoked(ctx context.Context) bool {
	k, err := s.Store.Keys().Get(trailOf(ctx).key)
	return err != nil || k.RevokedAt != nil
}

// sse writes server-sent events; after the first error it does nothing.
type sse struct {
	w   http.ResponseWriter
	rc  *http.ResponseController
	err error
}

func (o *sse) write(text string) {
	if o.err != nil {
		return
	}
	_ = o.rc.SetWriteDeadline(time.Now().Add(writeDeadline)) // a recorder in tests has no deadlines
	if _, o.err = o.w.Write([]byte(text)); o.err == nil {
		o.err = o.rc.Flush()
	}
}

func (o *sse) event(e *events.Event) {
	data, err := json.Marshal(e)
	if err != nil {
		o.err = err
		return
	}
	o.write(fmt.Sprintf("id: %s\nevent: %s\ndata: %s\n\n", e.ID, e.Name, data))
}

// gap says that events are missing; how many, where it is known.
func (o *sse) gap(dropped uint64) {
	o.write(fmt.Sprintf("event: stream.gap\ndata: {\"event\":\"stream.gap\",\"dropped\":%d}\n\n", dropped))
}
