package flows

import (
	"fmt"
	"strings"
)

// The slugs a Problem can carry; they are the error slugs of the API.
const (
	SlugInvalidRequest = "invalid_request"
	SlugInvalidNumber  = "invalid_number"
	SlugConflict       = "conflict"
)

// Problem is one thing wrong with a noun: where (a JSON path such as
// routing[0].conditions.time_range.timezone), of which kind, and a sentence
// that says what to do about it.
type Problem struct {
	Path    string `json:"path"`
	Slug    string `json:"-"`
	Message string `json:"message"`
}

// Error is the sentence, with its place before it.
func (p Problem) Error() string {
	if p.Path == "" {
		return p.Message
	}
	return p.Path + ": " + p.Message
}

// Problems are all the things wrong with a noun. An empty list means that the
// noun is good; use Err to get it as an error.
type Problems []Problem

// Error joins the problems into one line.
func (p Problems) Error() string {
	parts := make([]string, len(p))
	for i, one := range p {
		parts[i] = one.Error()
	}
	return strings.Join(parts, "; ")
}

// Err is nil when there are no problems, else the problems.
func (p Problems) Err() error {
	if len(p) == 0 {
		return nil
	}
	return p
}

// Slug is the slug that an answer with all these problems carries: the common
// one, or invalid_request when they differ. A conflict outranks the others.
func (p Problems) Slug() string {
	slug := ""
	for _, one := range p {
		switch {
		case one.Slug == SlugConflict:
			return SlugConflict
		case slug == "":
			slug = one.Slug
		case slug != one.Slug:
			slug = SlugInvalidRequest
		}
	}
	return slug
}

// Under returns the problems with prefix put before every path.
func (p Problems) Under(prefix string) Problems {
	moved := make(Problems, len(p))
	for i, one := range p {
		one.Path = join(prefix, one.Path)
		moved[i] = one
	}
	return moved
}

func (p *Problems) add(path, format string, args ...any) {
	*p = append(*p, Problem{Path: path, Slug: SlugInvalidRequest, Message: fmt.Sprintf(format, args...)})
}

func (p *Problems) addNumber(path, format string, args ...any) {
	*p = append(*p, Problem{Path: path, Slug: SlugInvalidNumber, Message: fmt.Sprintf(format, args...)})
}

func (p *Problems) addConflict(path, format string, args ...any) {
	*p = append(*p, Problem{Path: path, Slug: SlugConflict, Message: fmt.Sprintf(format, args...)})
}

func join(prefix, path string) string {
	switch {
	case prefix == "":
		return path
	case path == "" || path[0] == '[':
		return prefix + path
	}
	return prefix + "." + path
}

// The codes a Warning can carry.
const (
	WarnDestinationMissing = "destination_missing"
	WarnQueueEmpty         = "queue_empty"
	WarnFurtherDefaultFlow = "further_default_flow"
	WarnNoCatchAll         = "no_catch_all"
	WarnNeverReached       = "never_reached"
	WarnFlowMissing        = "call_flow_missing"
	WarnBoxMissing         = "voicemail_box_missing"
	WarnDeviceMissing      = "device_missing"
	WarnCalendarMissing    = "calendar_missing"
	WarnPromptMissing      = "prompt_missing"
	WarnNoSound            = "no_sound"
	WarnKeysInClear        = "srtp_keys_in_clear"
)

// Warning is something accepted at save that will not work as it stands.
type Warning struct {
	Path    string `json:"path"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Fix     string `json:"fix,omitempty"`
}
