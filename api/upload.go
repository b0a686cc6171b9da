package api

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"b2bua/flows"
	"b2bua/internal/strict"
)

const (
	// mostUploads bounds the memory that files take on their way in.
	mostUploads = 4
	// uploadDeadline is how long a client may take to send a file.
	uploadDeadline = 2 * time.Minute
	// uploadFrame is what multipart may add to the file.
	uploadFrame = 64 << 10
	// mostParts bounds the parts of a multipart body.
	mostParts = 16
)

// takesFile says whether a request may bring a file: it goes to prompts and does
// not say that it is JSON.
func (s *Server) takesFile(r *http.Request) bool {
	pattern := trailOf(r.Context()).pattern
	if s.Prompts == nil || pattern != "POST "+promptsPath && pattern != "PUT "+promptsPath+"/{id}/audio" {
		return false
	}
	return !saysJSON(r)
}

func (s *Server) enterUpload() bool {
	select {
	case s.uploads <- struct{}{}:
		return true
	default:
		return false
	}
}

func (s *Server) leaveUpload() { <-s.uploads }

// readAll is io.ReadAll that believes a length within bounds, to take no more
// memory than it needs.
func readAll(r io.Reader, length, most int64) ([]byte, error) {
	var b bytes.Buffer
	if length > 0 && length <= most {
		b.Grow(int(length) + bytes.MinRead)
	}
	_, err := b.ReadFrom(r)
	return b.Bytes(), err
}

// upload is a file with what was said of it.
type upload struct {
	sound  []byte
	prompt flows.Prompt
}

// readUpload takes a file out of a body: as it is, or as the part "file" or
// "audio" of multipart/form-data, whose other parts are fields of the prompt.
func readUpload(contentType string, body []byte) (*upload, error) {
	kind, params, err := mime.ParseMediaType(contentType)
	switch {
	case contentType == "" || err != nil:
		return nil, fail(http.StatusUnsupportedMediaType, slugMediaType, "Content-Type must say what is sent: audio/wav, audio/mpeg, audio/ogg, multipart/form-data, or application/json")
	case kind == "multipart/form-data":
		return readForm(multipart.NewReader(bytes.NewReader(body), params["boundary"]), body)
	case strings.HasPrefix(kind, "audio/"), kind == "application/octet-stream", kind == "application/ogg":
		return &upload{sound: body}, nil
	}
	return nil, fail(http.StatusUnsupportedMediaType, slugMediaType,
		"%q is no sound: send audio/wav, audio/mpeg or audio/ogg, multipart/form-data with a part \"file\", or application/json", kind)
}

// readForm reads the parts. The file is not copied: a part's content is a piece
// of the body, but the library hands it out in small pieces only, so one copy of
// the size of the rest is made.
func readForm(form *multipart.Reader, body []byte) (*upload, error) {
	u := &upload{}
	fields := &strict.Value{Kind: strict.Object}
	for n := 0; ; n++ {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || n >= mostParts {
			return nil, invalid("body", "is no multipart/form-data of at most %d parts", mostParts)
		}
		name := part.FormName()
		if name == "file" || name == "audio" {
			if u.sound != nil {
				return nil, invalid(name, "is there twice: one prompt is one file")
			}
			if u.sound, err = readAll(part, int64(len(body)), int64(len(body))); err != nil {
				return nil, invalid(name, "ends too early")
			}
			if file := part.FileName(); file != "" && u.prompt.Name == "" {
				u.prompt.Name = titled(file)
			}
			continue
		}
		text, err := io.ReadAll(io.LimitReader(part, uploadFrame))
		if err != nil {
			return nil, invalid(name, "ends too early")
		}
		value := &strict.Value{Kind: strict.String, Text: string(text)}
		if name == "loop" {
			value.Kind = strict.Bool
			if t := string(text); t != "true" && t != "false" {
				return nil, invalid(name, "must be true or false")
			}
		}
		fields.Fields = append(fields.Fields, strict.Field{Name: name, Value: value})
	}
	if u.sound == nil {
		return nil, invalid("file", "is missing: send the sound as the part \"file\"")
	}
	named := u.prompt.Name
	var given promptFields
	if err := decodeValue(fields, &given); err != nil {
		return nil, err
	}
	u.prompt = given.prompt()
	if u.prompt.Name == "" {
		u.prompt.Name = named
	}
	return u, nil
}

// titled makes a name of a file's.
func titled(file string) string {
	file = path.Base(strings.ReplaceAll(file, "\\", "/"))
	file = strings.TrimSuffix(file, path.Ext(file))
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(file, ""))
	return strings.TrimSpace(clean[:min(len(clean), 80)])
}

// documentFile says in the OpenAPI document how a file is sent.
func documentFile(content map[string]*huma.MediaType) {
	sound := &huma.Schema{Type: huma.TypeString, Format: "binary", Description: "A WAV (16 bits, A-law or µ-law), MP3 or Ogg Opus file"}
	for _, kind := range []string{"audio/wav", "audio/mpeg", "audio/ogg"} {
		content[kind] = &huma.MediaType{Schema: sound}
	}
	content["multipart/form-data"] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeObject, Required: []string{"file"},
		Properties: map[string]*huma.Schema{"file": sound, "name": {Type: huma.TypeString}, "prompt_id": {Type: huma.TypeString}, "loop": {Type: huma.TypeBoolean}}}}
}
