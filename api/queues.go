package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"reflect"

	"b2bua/queue"
)

// Queues is what the API needs of *queue.Hall.
type Queues interface {
	Entries(ctx context.Context, id string) ([]queue.Entry, error)
	Members(ctx context.Context, id string) ([]queue.Member, error)
	Figures(ctx context.Context, id string) (queue.Figures, error)
	Reset(ctx context.Context, id string) error
	Prioritise(ctx context.Context, id, entryID string, priority int) (queue.Entry, error)
	Remove(ctx context.Context, id, entryID string) error
	Change(ctx context.Context, id, destination string, c queue.Change) (queue.Member, error)
}

// ByEntry names a caller in a queue.
type ByEntry struct {
	ByID
	EntryID string `path:"entry_id" doc:"Id of the entry"`
}

type entryChange struct {
	ByEntry
	WithBody
}

// entryPatch is what can be changed about a caller in line.
type entryPatch struct {
	Priority *int `json:"priority,omitempty" minimum:"-1000" maximum:"1000" doc:"Each step is worth a minute of waiting"`
}

// ByMember names a member of a queue.
type ByMember struct {
	ByID
	Member string `path:"member" doc:"Destination of the member"`
}

type memberCommand struct {
	ByMember
	WithBody
}

type pauseBody struct {
	Reason string `json:"reason,omitempty" maxLength:"200" doc:"Why, to be shown to others"`
}

// All of a queue stands on one page: lines are short.
type entriesReply struct {
	Body struct {
		Data []queue.Entry `json:"data"`
	}
}

type membersReply struct {
	Body struct {
		Data []queue.Member `json:"data"`
	}
}

type figuresReply struct{ Body queue.Figures }

type entryReply struct{ Body queue.Entry }

type memberReply struct{ Body queue.Member }

// queueRoutes are those a queue has besides the six of every resource.
func (s *Server) queueRoutes() {
	if s.Queues == nil {
		return
	}
	row := func(method, path, id, summary string) operation {
		return operation{method: method, path: "/v2/queues/{id}" + path, id: id, summary: summary, tag: "Queues", noun: "Queue"}
	}
	register(s, row(http.MethodGet, "/entries", "listQueueEntries", "List who waits, the first in line first"),
		func(ctx context.Context, in *ByID) (*entriesReply, error) {
			list, err := s.Queues.Entries(ctx, in.ID)
			out := &entriesReply{}
			out.Body.Data = list
			return out, queueProblem(err)
		})
	register(s, row(http.MethodGet, "/members", "listQueueMembers", "List the members and what they do"),
		func(ctx context.Context, in *ByID) (*membersReply, error) {
			list, err := s.Queues.Members(ctx, in.ID)
			out := &membersReply{}
			out.Body.Data = list
			return out, queueProblem(err)
		})
	register(s, row(http.MethodGet, "/statistics", "getQueueStatistics", "How many were answered, and after how long"),
		func(ctx context.Context, in *ByID) (*figuresReply, error) {
			f, err := s.Queues.Figures(ctx, in.ID)
			return &figuresReply{f}, queueProblem(err)
		})
	register(s, row(http.MethodPost, "/statistics/reset", "resetQueueStatistics", "Begin the statistics anew"),
		func(ctx context.Context, in *ByID) (*figuresReply, error) {
			if err := s.Queues.Reset(ctx, in.ID); err != nil {
				return nil, queueProblem(err)
			}
			f, err := s.Queues.Figures(ctx, in.ID)
			return &figuresReply{f}, queueProblem(err)
		})
	s.entryRoutes(row)
	s.memberRoutes(row)
}

func (s *Server) entryRoutes(row func(method, path, id, summary string) operation) {
	patch := row(http.MethodPatch, "/entries/{entry_id}", "updateQueueEntry", "Give a caller in line another priority")
	patch.body, patch.patch = reflect.TypeFor[entryPatch](), true
	register(s, patch, func(ctx context.Context, in *entryChange) (*entryReply, error) {
		var p entryPatch
		if err := decode(in.RawBody, &p, false); err != nil {
			return nil, err
		}
		if p.Priority == nil || *p.Priority < -1000 || *p.Priority > 1000 {
			return nil, invalid("priority", "must be a number from -1000 to 1000")
		}
		e, err := s.Queues.Prioritise(ctx, in.ID, in.EntryID, *p.Priority)
		return &entryReply{e}, queueProblem(err)
	})
	remove := row(http.MethodDelete, "/entries/{entry_id}", "removeQueueEntry", "Send a caller in line on, or forget a call back")
	remove.description = "The caller goes where callers go whom nobody answers: to the overflow of the queue, or the fallback of the rule."
	register(s, remove, func(ctx context.Context, in *ByEntry) (*struct{}, error) {
		return nil, queueProblem(s.Queues.Remove(ctx, in.ID, in.EntryID))
	})
}

func (s *Server) memberRoutes(row func(method, path, id, summary string) operation) {
	yes, no := true, false
	for _, verb := range []struct {
		name, id, summary string
		change            queue.Change
	}{
		{"pause", "pauseQueueMember", "Give a member no callers until unpause", queue.Change{Paused: &yes}},
		{"unpause", "unpauseQueueMember", "End a pause", queue.Change{Paused: &no}},
		{"login", "loginQueueMember", "Log a member in", queue.Change{LoggedIn: &yes}},
		{"logout", "logoutQueueMember", "Log a member out, who then gets no callers and does not count as there", queue.Change{LoggedIn: &no}},
	} {
		o := row(http.MethodPost, "/members/{member}/"+verb.name, verb.id, verb.summary)
		o.body, o.bodyOptional = reflect.TypeFor[nothing](), true
		if verb.name == "pause" {
			o.body = reflect.TypeFor[pauseBody]()
		}
		register(s, o, func(ctx context.Context, in *memberCommand) (*memberReply, error) {
			change := verb.change
			change.By = "api"
			var body pauseBody
			if verb.name == "pause" {
				if err := decode(in.RawBody, &body, true); err != nil {
					return nil, err
				}
			} else if err := decode(in.RawBody, new(nothing), true); err != nil {
				return nil, err
			}
			change.Reason = body.Reason
			to, err := url.PathUnescape(in.Member)
			if err != nil {
				to = in.Member
			}
			m, err := s.Queues.Change(ctx, in.ID, to, change)
			return &memberReply{m}, queueProblem(err)
		})
	}
}

// queueProblem is what an error of a queue is to a client.
func queueProblem(err error) error {
	switch {
	case errors.Is(err, queue.ErrNoQueue):
		return notFound("Queue")
	case errors.Is(err, queue.ErrNoEntry):
		return notFound("Entry")
	case errors.Is(err, queue.ErrNoMember):
		return notFound("Member")
	}
	return err
}
