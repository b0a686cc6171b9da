package api

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"b2bua/call"
	"b2bua/events"
	"b2bua/flows"
	"b2bua/store"
)

const callsPath = "/v2/calls"

type callReply struct {
	Body events.CallRecord
}

type callsInput struct {
	Paging
	Status     string    `query:"status" enum:"initiated,ringing,in_progress,completed,failed" doc:"Only calls in this state"`
	From       string    `query:"from" doc:"Only calls from this number"`
	To         string    `query:"to" doc:"Only calls to this number"`
	CallFlowID string    `query:"call_flow_id" doc:"Only calls that this flow handled"`
	Tag        []string  `query:"tag,explode" doc:"Only calls with this tag: name or name:value; may be given several times"`
	Since      time.Time `query:"since" doc:"Only calls that began at this time or later"`
	Until      time.Time `query:"until" doc:"Only calls that began before this time"`
	Order      string    `query:"order" enum:"asc,desc" default:"asc" doc:"Oldest or newest first"`
}

type traceReply struct {
	Body struct {
		CallID string        `json:"call_id"`
		Steps  []flows.Step  `json:"steps" doc:"In the order they happened"`
		SIP    []wireMessage `json:"sip" doc:"The SIP messages of all legs, as long as they are remembered"`
		Ladder string        `json:"ladder,omitempty" doc:"The same drawn as a sequence diagram in text"`
	}
}

// tracer is what a live call can have besides its commands: the steps so far.
type tracer interface{ Trace() []flows.Step }

func (s *Server) callRoutes() {
	row := func(path, id, summary string) operation {
		return operation{method: http.MethodGet, path: callsPath + path, id: id, summary: summary, tag: "Calls", noun: "Call"}
	}
	list := row("", "listCalls", "List calls, those going on and those that ended")
	list.description = "A page of a search may be shorter than limit and still have a successor: follow next_cursor until it is null."
	register(s, list, s.listCalls)
	get := row("/{id}", "getCall", "Get a call")
	get.description = "A call that reached nobody although everything was tried carries error routing_failed."
	register(s, get, func(_ context.Context, in *ByID) (*callReply, error) {
		r, err := s.callRecord(in.ID)
		if err != nil {
			return nil, err
		}
		return &callReply{Body: *r}, nil
	})
	trace := row("/{id}/trace", "getCallTrace", "Get how a call was routed, step by step")
	trace.description = "Every rule that was tried and why it held or not, webhooks that were asked, and each attempt to reach somebody; and the SIP messages that went with it."
	register(s, trace, s.callTrace)
	s.wireRoutes()
}

// callRecord is the record of a call, live or ended.
func (s *Server) callRecord(id string) (*events.CallRecord, error) {
	if c, ok := s.Calls.Live(id); ok {
		r := c.Record()
		return &r, nil
	}
	return s.Store.Call(id)
}

func (s *Server) callTrace(_ context.Context, in *ByID) (*traceReply, error) {
	out := &traceReply{}
	out.Body.CallID, out.Body.Steps = in.ID, []flows.Step{}
	r, err := s.callRecord(in.ID)
	if err != nil {
		return nil, err
	}
	out.Body.SIP, out.Body.Ladder = s.onWire(r)
	if c, ok := s.Calls.Live(in.ID); ok {
		if t, ok := c.(tracer); ok {
			out.Body.Steps = append(out.Body.Steps, t.Trace()...)
		}
		return out, nil
	}
	steps, err := s.Store.Trace(in.ID)
	out.Body.Steps = append(out.Body.Steps, steps...)
	return out, err
}

// listCalls puts live calls among the kept ones, by the same order and cursor.
// The live ones are read first: a call that ends meanwhile is then in both and
// shown once, instead of in neither.
func (s *Server) listCalls(_ context.Context, in *callsInput) (*page[*events.CallRecord], error) {
	f := store.CallFilter{Status: in.Status, From: in.From, To: in.To, CallFlowID: in.CallFlowID,
		Since: in.Since, Until: in.Until, Newest: in.Order == "desc", Tags: tagFilter(in.Tag)}
	live := s.Calls.LiveRecords()
	rows, next, err := s.Store.Calls(f, in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	at := func(r *events.CallRecord) []byte { return cursorKey(store.CallCursor(r)) }
	order := bytes.Compare
	if f.Newest {
		order = func(a, b []byte) int { return bytes.Compare(b, a) }
	}
	from, to := cursorKey(in.Cursor), cursorKey(next)
	for i := range live {
		r := &live[i]
		kept := slices.ContainsFunc(rows, func(k *events.CallRecord) bool { return k.CallID == r.CallID })
		if kept || !f.Match(r) || from != nil && order(at(r), from) <= 0 || to != nil && order(at(r), to) > 0 {
			continue
		}
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b *events.CallRecord) int { return order(at(a), at(b)) })
	if len(rows) > in.Limit {
		rows = rows[:in.Limit]
		next = store.CallCursor(rows[in.Limit-1])
	}
	return newPage(rows, next), nil
}

// cursorKey is the position a cursor stands for, as bytes that sort like
// positions do.
func cursorKey(cursor string) []byte {
	key, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || cursor == "" {
		return nil
	}
	return key
}

func tagFilter(tags []string) map[string]string {
	out := map[string]string{}
	for _, t := range tags {
		name, value, _ := strings.Cut(t, ":")
		out[name] = value
	}
	return out
}

// live finds a call to command. One that ended is told apart from one that
// never was.
func (s *Server) live(id string) (LiveCall, error) {
	if c, ok := s.Calls.Live(id); ok {
		return c, nil
	}
	_, err := s.Store.Call(id)
	if err == nil {
		return nil, call.ErrEnded
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil, notFound("Call")
	}
	return nil, err
}
