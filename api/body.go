package api

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"b2bua/internal/strict"
)

// maxBody bounds what a client can make us read.
const maxBody = 1 << 20

// bodyDeadline is how long a client may take to send a body.
const bodyDeadline = 20 * time.Second

// readBody reads the body of a request that changes something, checks that it
// claims to be JSON, and hands it on from memory.
func (s *Server) readBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead || r.Body == nil {
			next.ServeHTTP(w, r)
			return
		}
		most, deadline := int64(maxBody), bodyDeadline
		if s.takesFile(r) {
			if !s.enterUpload() {
				writeProblem(w, r, fail(http.StatusTooManyRequests, slugRateLimited, "Too many files are being sent at this moment: try again soon"))
				return
			}
			defer s.leaveUpload()
			most, deadline = s.Prompts.MaxBytes()+uploadFrame, uploadDeadline
		}
		rc := http.NewResponseController(w)
		_ = rc.SetReadDeadline(time.Now().Add(deadline)) // a recorder in tests has no deadlines
		body, err := readAll(http.MaxBytesReader(w, r.Body, most), r.ContentLength, most)
		_ = rc.SetReadDeadline(time.Time{})
		if err != nil {
			var tooLong *http.MaxBytesError
			if errors.As(err, &tooLong) {
				writeProblem(w, r, problemOf("", err))
				return
			}
			writeProblem(w, r, fail(http.StatusBadRequest, slugInvalidRequest, "The body could not be read"))
			return
		}
		if len(body) > 0 && most == maxBody && !saysJSON(r) {
			writeProblem(w, r, fail(http.StatusUnsupportedMediaType, slugMediaType,
				"The body must be JSON: send Content-Type: application/json"))
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.ContentLength = int64(len(body))
		next.ServeHTTP(w, r)
	})
}

func saysJSON(r *http.Request) bool {
	header := r.Header.Get("Content-Type")
	kind, _, err := mime.ParseMediaType(header)
	return isJSON(header) || err == nil && kind == "application/merge-patch+json" && r.Method == http.MethodPatch
}

// isJSON says whether a Content-Type is that of JSON; none is taken for it.
func isJSON(header string) bool {
	if header == "" {
		return true
	}
	kind, _, err := mime.ParseMediaType(header)
	return err == nil && kind == "application/json"
}

// decode reads a body into dst: nothing unknown, nothing of the wrong type, no
// control characters where a line is wanted. An empty body is an error unless
// optional.
func decode(body []byte, dst any, optional bool) error {
	if optional && len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	doc, err := parseObject(body)
	if err != nil {
		return err
	}
	return decodeValue(doc, dst)
}

func parseObject(body []byte) (*strict.Value, error) {
	doc, err := strict.ParseJSON(body)
	if err != nil {
		return nil, err
	}
	if doc.Kind != strict.Object {
		return nil, fail(http.StatusBadRequest, slugInvalidRequest, "The body must be an object, not %s", doc.Kind)
	}
	return doc, nil
}

func decodeValue(doc *strict.Value, dst any) error {
	problems := strict.Decode(doc, dst)
	problems = append(problems, controls(doc, "", "")...)
	if len(problems) > 0 {
		return strictProblems(problems)
	}
	return nil
}

// spoken are the fields that may hold several lines.
var spoken = []string{"description", "prompt", "greeting", "message", "invalid_prompt", "no_input_prompt", "exit_prompt", "announce"}

// controls finds control characters. A number, name or URI ends up in a SIP
// header, where a line break would begin a header of the attacker's own.
func controls(v *strict.Value, path, name string) (out []strict.Problem) {
	switch v.Kind {
	case strict.String:
		several := slices.Contains(spoken, name)
		bad := func(r rune) bool {
			if several && (r == '\n' || r == '\r' || r == '\t') {
				return false
			}
			return r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029'
		}
		if strings.ContainsFunc(v.Text, bad) {
			out = append(out, strict.Problem{Path: path, Line: v.Line, Message: "must not contain control characters"})
		}
	case strict.List:
		for i, item := range v.Items {
			out = append(out, controls(item, index(path, i), name)...)
		}
	case strict.Object:
		for _, f := range v.Fields {
			out = append(out, controls(f.Value, dot(path, f.Name), f.Name)...)
			if strings.ContainsFunc(f.Name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				out = append(out, strict.Problem{Path: path, Line: f.Line, Message: "names must not contain control characters"})
			}
		}
	}
	return out
}
