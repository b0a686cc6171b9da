package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
)

// operation is a row of the route table.
type operation struct {
	method, path string
	id, summary  string
	description  string
	tag          string
	noun         string       // for "… not found"
	status       int          // of success; 0 means 200, or 204 without a reply
	body         reflect.Type // of the request, for the document
	bodyOptional bool
	file         bool         // the body may be a sound
	patch        bool         // the body is a merge patch of body
	async        bool         // can be answered with 202
	reply        reflect.Type // of the reply, where the handler's own type does not say
	replyType    string       // content type of a reply that is not JSON
}

// WithBody is the part of an input that holds the body; handlers
// decode it themselves, strictly.
type WithBody struct {
	RawBody []byte `contentType:"application/json"`
}

// register adds a route. Errors of the handler become answers here, for all
// routes alike, and the document is told about the body's type.
func register[I, O any](s *Server, o operation, handler func(context.Context, *I) (*O, error)) {
	op := huma.Operation{
		Method: o.method, Path: o.path, OperationID: o.id, Summary: o.summary, Description: o.description,
		Tags: []string{o.tag}, DefaultStatus: o.status, SkipValidateBody: true, MaxBodyBytes: maxBody + 1,
		BodyReadTimeout: -1, RejectUnknownQueryParameters: true,
		Errors: []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusTooManyRequests},
	}
	if o.method != http.MethodGet {
		op.Errors = append(op.Errors, http.StatusConflict, http.StatusPreconditionFailed,
			http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	if o.file {
		op.MaxBodyBytes = s.Prompts.MaxBytes() + uploadFrame + 1
	}
	if o.bodyOptional {
		op.RequestBody = &huma.RequestBody{}
	}
	huma.Register(s.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, in)
		if err != nil {
			return nil, s.problem(ctx, o.noun, err)
		}
		return out, nil
	})
	s.document(o)
}

// problem makes the answer for an error and keeps what is ours for the log.
func (s *Server) problem(ctx context.Context, noun string, err error) *Problem {
	p := problemOf(noun, err)
	if p.Status >= http.StatusInternalServerError && !errors.Is(err, context.Canceled) {
		trailOf(ctx).err = err
	}
	return p
}

// document writes into the OpenAPI document what the library cannot know: the
// type of a body that is decoded by the handler, and of a reply that is raw.
func (s *Server) document(o operation) {
	doc := s.huma.OpenAPI()
	item := doc.Paths[o.path]
	op := map[string]*huma.Operation{
		http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put,
		http.MethodPatch: item.Patch, http.MethodDelete: item.Delete,
	}[o.method]
	delete(op.Responses, "422") // everything wrong with a request is 400
	schema := func(t reflect.Type) *huma.Schema { return doc.Components.Schemas.Schema(t, true, "") }
	if op.RequestBody != nil {
		op.RequestBody.Required = !o.bodyOptional
		op.RequestBody.Content = map[string]*huma.MediaType{}
		if o.body != nil {
			op.RequestBody.Content["application/json"] = &huma.MediaType{Schema: schema(o.body)}
		}
		if o.file {
			documentFile(op.RequestBody.Content)
		}
		if o.patch {
			op.RequestBody.Description = "A JSON merge patch (RFC 7396): only what changes; null takes a field away."
			loose := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeObject, Description: "Any of the fields of the resource."}}
			if body, ok := examples[schemaName(o.body, "")+".patch"]; ok {
				loose.Schema.Examples = []any{body}
			}
			op.RequestBody.Content = map[string]*huma.MediaType{"application/merge-patch+json": loose, "application/json": loose}
		}
	}
	if o.async {
		op.Responses["202"] = &huma.Response{Description: "Begun; the outcome comes as an event", Content: op.Responses["200"].Content}
	}
	if o.reply != nil || o.replyType != "" {
		status := "200"
		if o.status != 0 {
			status = strconv.Itoa(o.status)
		}
		if op.Responses[status] == nil {
			op.Responses[status] = &huma.Response{Description: http.StatusText(max(o.status, http.StatusOK))}
		}
		media := &huma.MediaType{}
		kind := o.replyType
		if kind == "" {
			kind = "application/json"
		}
		if o.reply != nil {
			media.Schema = schema(o.reply)
		}
		op.Responses[status].Content = map[string]*huma.MediaType{kind: media}
	}
}

// raw is a reply made by the handler, with the headers of stored resources.
type raw struct {
	Location string `header:"Location"`
	ETag     string `header:"ETag"`
	Body     json.RawMessage
}

// page is a list: what stands on this page, and where the next begins.
type page[T any] struct {
	Body struct {
		Data       []T     `json:"data"`
		NextCursor *string `json:"next_cursor" doc:"Of the next page; null on the last"`
	}
}

func newPage[T any](data []T, next string) *page[T] {
	p := &page[T]{}
	p.Body.Data = data
	if data == nil {
		p.Body.Data = []T{}
	}
	if next != "" {
		p.Body.NextCursor = &next
	}
	return p
}

// Paging is the part of an input that every list has.
type Paging struct {
	Limit  int    `query:"limit" default:"20" minimum:"1" maximum:"100" doc:"How many to give at most"`
	Cursor string `query:"cursor" doc:"next_cursor of the page before"`
}
