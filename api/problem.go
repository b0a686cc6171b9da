package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"syscall"

	"github.com/danielgtaylor/huma/v2"

	"b2bua/call"
	"b2bua/flows"
	"b2bua/internal/strict"
	"b2bua/media/audio"
	"b2bua/prompts"
	"b2bua/speech"
	"b2bua/store"
)

// Problem is the body of every error answer.
type Problem struct {
	Slug      string   `json:"error" doc:"What kind of error, for programs" example:"invalid_request"`
	Message   string   `json:"message" doc:"What is wrong, for people"`
	Status    int      `json:"code" doc:"The HTTP status" example:"400"`
	Param     string   `json:"param,omitempty" doc:"The field or parameter at fault"`
	Details   []Detail `json:"details,omitempty" doc:"Everything that is wrong"`
	RequestID string   `json:"request_id,omitempty" doc:"As in X-Request-Id"`
}

// Detail is one of several things wrong.
type Detail struct {
	Path    string `json:"path" doc:"Where in the body" example:"routing[0].pattern"`
	Message string `json:"message" doc:"What is wrong there"`
}

// Error implements error.
func (p *Problem) Error() string { return p.Slug + ": " + p.Message }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// The slugs of errors.
const (
	slugInvalidRequest   = "invalid_request"
	slugInvalidJSON      = "invalid_json"
	slugInvalidNumber    = "invalid_number"
	slugUnauthorized     = "unauthorized"
	slugForbidden        = "forbidden"
	slugNotFound         = "not_found"
	slugMethodNotAllowed = "method_not_allowed"
	slugConflict         = "conflict"
	slugCallState        = "invalid_call_state"
	slugCallEnded        = "call_ended"
	slugPrecondition     = "precondition_failed"
	slugTooLarge         = "payload_too_large"
	slugMediaType        = "unsupported_media_type"
	slugRateLimited      = "rate_limited"
	slugInternal         = "internal_error"
)

// slugOf names a status for which nobody said anything more precise.
var slugOf = map[int]string{
	http.StatusBadRequest:            slugInvalidRequest,
	http.StatusUnauthorized:          slugUnauthorized,
	http.StatusForbidden:             slugForbidden,
	http.StatusNotFound:              slugNotFound,
	http.StatusMethodNotAllowed:      slugMethodNotAllowed,
	http.StatusConflict:              slugConflict,
	http.StatusPreconditionFailed:    slugPrecondition,
	http.StatusRequestEntityTooLarge: slugTooLarge,
	http.StatusUnsupportedMediaType:  slugMediaType,
	http.StatusTooManyRequests:       slugRateLimited,
	http.StatusInternalServerError:   slugInternal,
}

// fail makes a problem.
func fail(status int, slug, format string, args ...any) *Problem {
	return &Problem{Status: status, Slug: slug, Message: fmt.Sprintf(format, args...)}
}

// invalid makes a 400 about one field.
func invalid(param, format string, args ...any) *Problem {
	p := fail(http.StatusBadRequest, slugInvalidRequest, "%s %s", param, fmt.Sprintf(format, args...))
	p.Param = param
	return p
}

func init() {
	// The library asks for this hook by a variable of its own; it is the only
	// way to give the errors it finds itself (parameters) the same body.
	huma.NewError = libraryProblem
}

// libraryProblem turns what huma found into a Problem. A parameter of the
// wrong form is 400 here, as everything wrong with a request is.
func libraryProblem(status int, message string, errs ...error) huma.StatusError {
	if status == http.StatusUnprocessableEntity {
		status = http.StatusBadRequest
	}
	slug, ok := slugOf[status]
	if !ok {
		slug = slugInvalidRequest
		if status >= http.StatusInternalServerError {
			slug = slugInternal
		}
	}
	p := fail(status, slug, "%s", message)
	for _, err := range errs {
		var d huma.ErrorDetailer
		if errors.As(err, &d) {
			path := d.ErrorDetail().Location
			if _, name, found := strings.Cut(path, "."); found {
				path = name
			}
			p.Details = append(p.Details, Detail{Path: path, Message: d.ErrorDetail().Message})
		}
	}
	if len(p.Details) > 0 {
		p.Param, p.Message = p.Details[0].Path, p.Details[0].Path+": "+p.Details[0].Message
	}
	return p
}

// notFound says "Call flow not found".
func notFound(noun string) *Problem {
	return fail(http.StatusNotFound, slugNotFound, "%s not found", noun)
}

// problemOf is the one table from the errors of the rooms below to answers.
// What is not in it is ours to mend: 500, and the chain goes to the log.
func problemOf(noun string, err error) *Problem {
	var (
		p       *Problem
		bad     flows.Problems
		stored  *store.Invalid
		state   *call.StateError
		syntax  *strict.SyntaxError
		tooLong *http.MaxBytesError
	)
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, store.ErrNotFound):
		return notFound(noun)
	case errors.Is(err, store.ErrPrecondition):
		return fail(http.StatusPreconditionFailed, slugPrecondition,
			"%s was changed by somebody else: get it again and use its new ETag", noun)
	case errors.Is(err, store.ErrConfigOwned):
		return fail(http.StatusConflict, slugConflict, "%s comes from the configuration file: change it there and restart", noun)
	case errors.Is(err, store.ErrBusy):
		return fail(http.StatusConflict, slugConflict, "A request with this Idempotency-Key is still being worked on")
	case errors.As(err, &stored):
		return invalidNoun(stored.Problems)
	case errors.As(err, &bad):
		return invalidNoun(bad)
	case errors.Is(err, store.ErrConflict):
		return fail(http.StatusConflict, slugConflict, "%s exists already", noun)
	case errors.Is(err, call.ErrEnded):
		return fail(http.StatusConflict, slugCallEnded, "The call has ended")
	case errors.As(err, &state):
		return fail(http.StatusConflict, slugCallState, "%s", state.Error())
	case errors.Is(err, call.ErrNoPlayback):
		return fail(http.StatusConflict, slugCallState, "Nothing is being played on this call")
	case errors.As(err, &syntax):
		return fail(http.StatusBadRequest, slugInvalidJSON, "The body is not valid JSON: %s", syntax.Error())
	case errors.As(err, &tooLong):
		return fail(http.StatusRequestEntityTooLarge, slugTooLarge, "The body is larger than %d bytes", tooLong.Limit)
	case errors.Is(err, audio.ErrTooLarge), errors.Is(err, prompts.ErrFull):
		return fail(http.StatusRequestEntityTooLarge, slugTooLarge, "The sound is too large: %s", err)
	case errors.Is(err, audio.ErrFormat):
		return fail(http.StatusUnsupportedMediaType, slugMediaType,
			"The file is none that can be read (%s): send WAV (16 bits, A-law or µ-law), MP3 or Ogg Opus", err)
	case errors.Is(err, prompts.ErrSilent), errors.Is(err, prompts.ErrSlow), errors.Is(err, speech.ErrText):
		return fail(http.StatusBadRequest, slugInvalidRequest, "%s", err)
	case errors.Is(err, syscall.ENOSPC):
		return fail(http.StatusInsufficientStorage, slugInternal, "The disk is full")
	case errors.Is(err, store.ErrClosed):
		return fail(http.StatusServiceUnavailable, slugInternal, "The switch is shutting down")
	}
	return fail(http.StatusInternalServerError, slugInternal, "Something went wrong on our side")
}

// invalidNoun tells everything wrong with a noun at once. A number gets the
// sentence that the API's page documents.
func invalidNoun(ps flows.Problems) *Problem {
	if len(ps) == 0 {
		return fail(http.StatusBadRequest, slugInvalidRequest, "The request is not valid")
	}
	first := ps[0]
	p := fail(http.StatusBadRequest, ps.Slug(), "%s", first.Error())
	p.Param = first.Path
	for _, one := range ps {
		p.Details = append(p.Details, Detail{Path: one.Path, Message: one.Message})
	}
	switch p.Slug {
	case slugConflict:
		p.Status = http.StatusConflict
	case slugInvalidNumber:
		p.Message = "The phone number format is invalid"
		if strings.HasSuffix(first.Path, "destination") || strings.HasSuffix(first.Path, "action_id") {
			p.Message = "The destination number format is invalid"
		}
	}
	return p
}

// strictProblems turns what the strict reader found into an answer.
func strictProblems(ps []strict.Problem) *Problem {
	p := fail(http.StatusBadRequest, slugInvalidRequest, "%s", sentence(ps[0]))
	p.Param = ps[0].Path
	for _, one := range ps {
		p.Details = append(p.Details, Detail{Path: one.Path, Message: one.Message})
	}
	return p
}

func sentence(p strict.Problem) string {
	if p.Path == "" || p.Unknown && !strings.ContainsAny(p.Path, ".[") {
		return p.Message
	}
	return p.Path + ": " + p.Message
}

// writeProblem answers with p from outside the library.
func writeProblem(w http.ResponseWriter, r *http.Request, p *Problem) {
	q := *p
	q.RequestID = trailOf(r.Context()).id
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(q.Status)
	if r.Method == http.MethodHead {
		return
	}
	body, err := json.Marshal(q)
	if err != nil {
		return
	}
	_, _ = w.Write(append(body, '\n')) // the client may be gone; there is nobody to tell
}

// withRequestID gives problems that pass through the library their request id.
func withRequestID(ctx huma.Context, _ string, v any) (any, error) {
	p, ok := v.(*Problem)
	if !ok {
		return v, nil
	}
	q := *p
	q.RequestID = trailOf(ctx.Context()).id
	return &q, nil
}
