package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"b2bua/flows"
	"b2bua/internal/strict"
	"b2bua/store"
)

// noun is a row of the table of resources: everything the generic handlers
// below need to know about one sort.
type noun[T any] struct {
	path    string // /v2/call-flows
	name    string // Call flow, as it stands in "Call flow not found"
	tag     string // section of the documentation
	about   string // what it is, in a sentence
	kind    string // of its warnings; empty when it has none
	idField string // as in the body
	rows    *store.Collection[T]
	fresh   func() *T                             // what a body is decoded onto
	id      func(*T) string                       //
	hide    func(*T)                              // blanks secrets in replies; nil when there are none
	keep    func(old, now *T)                     // brings secrets that a PUT left out along
	check   func(ctx context.Context, x *T) error // before it is kept; nil when its own validation says it all
	gone    func(ctx context.Context, id string)  // after a DELETE; nil when nothing hangs on it
	reveal  bool                                  // the reply to a create shows the secrets
	aside   string                                // a field that only replies have
	more    func(id string) any                   // an object with that field, or nil
}

// ByID is the part of an input that names a resource. Parts that are embedded
// are exported because the library looks into exported fields only.
type ByID struct {
	ID string `path:"id" doc:"Its id"`
}

type createInput struct {
	WithBody
	IdempotencyKey string `header:"Idempotency-Key" doc:"The same key and body within 24 hours gives the same reply instead of a second resource"`
}

type changeInput struct {
	ByID
	WithBody
	IfMatch string `header:"If-Match" doc:"ETag of the version to change; 412 when it is no longer that one"`
}

type deleteInput struct {
	ByID
	IfMatch string `header:"If-Match" doc:"ETag of the version to delete"`
}

// listOf documents a list of raw resources.
type listOf[T any] struct {
	Data       []T     `json:"data"`
	NextCursor *string `json:"next_cursor"`
}

// serve registers the six routes of a resource.
func serve[T any](s *Server, n noun[T]) {
	one, body := n.path+"/{id}", reflect.TypeFor[T]()
	lower := strings.ToLower(n.name[:1]) + n.name[1:]
	single := "a " + lower
	if strings.HasPrefix(n.name, "IVR") {
		lower, single = n.name, "an "+n.name
	}
	word := camel(n.name)
	row := func(verb, method, path, summary string) operation {
		return operation{method: method, path: path, id: verb + strings.ToUpper(word[:1]) + word[1:], summary: summary,
			tag: n.tag, noun: n.name, body: body, reply: body}
	}
	list := row("list", http.MethodGet, n.path, "List "+plural(lower)+", oldest first")
	list.reply = reflect.TypeFor[listOf[T]]()
	register(s, list, func(_ context.Context, in *Paging) (*page[json.RawMessage], error) { return n.list(s, in) })

	create := row("create", http.MethodPost, n.path, "Create "+single)
	create.status, create.description = http.StatusCreated, n.about
	register(s, create, func(ctx context.Context, in *createInput) (*raw, error) { return n.create(ctx, s, in.RawBody) })

	get := row("get", http.MethodGet, one, "Get "+single)
	register(s, get, func(_ context.Context, in *ByID) (*raw, error) {
		x, err := n.rows.Get(in.ID)
		if err != nil {
			return nil, err
		}
		return n.reply(s, x)
	})

	replace := row("replace", http.MethodPut, one, "Replace "+single)
	replace.description = "Fields that are left out get their defaults; secrets that are left out stay."
	register(s, replace, func(ctx context.Context, in *changeInput) (*raw, error) { return n.replace(ctx, s, in) })

	update := row("update", http.MethodPatch, one, "Change "+single)
	update.patch = true
	register(s, update, func(ctx context.Context, in *changeInput) (*raw, error) { return n.update(ctx, s, in) })

	remove := row("delete", http.MethodDelete, one, "Delete "+single)
	remove.body, remove.reply = nil, nil
	register(s, remove, func(ctx context.Context, in *deleteInput) (*struct{}, error) {
		if err := n.rows.Delete(ctx, in.ID, in.IfMatch); err != nil {
			return nil, err
		}
		if n.gone != nil {
			n.gone(context.WithoutCancel(ctx), in.ID)
		}
		return nil, nil
	})
}

func (n noun[T]) list(s *Server, in *Paging) (*page[json.RawMessage], error) {
	rows, next, err := n.rows.List(in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	data := make([]json.RawMessage, len(rows))
	for i, x := range rows {
		if data[i], err = n.render(s, x); err != nil {
			return nil, err
		}
	}
	return newPage(data, next), nil
}

func (n noun[T]) create(ctx context.Context, s *Server, body []byte) (*raw, error) {
	x, err := n.read(body)
	if err != nil {
		return nil, err
	}
	if n.check != nil {
		if err := n.check(ctx, x); err != nil {
			return nil, err
		}
	}
	if err := n.rows.Create(ctx, x); err != nil {
		return nil, err
	}
	if n.reveal {
		n.hide = nil
	}
	out, err := n.reply(s, x)
	if err == nil {
		out.Location = n.path + "/" + n.id(x)
	}
	return out, err
}

// read decodes a whole resource.
func (n noun[T]) read(body []byte) (*T, error) {
	doc, err := parseObject(body)
	if err != nil {
		return nil, err
	}
	return n.decode(doc)
}

// decode fills a fresh resource. Warnings are ours to say: a reply may come
// back as a request as it is.
func (n noun[T]) decode(doc *strict.Value) (*T, error) {
	if n.kind != "" {
		doc.Remove("warnings")
	}
	if n.aside != "" {
		doc.Remove(n.aside)
	}
	x := n.fresh()
	return x, decodeValue(doc, x)
}

func (n noun[T]) replace(ctx context.Context, s *Server, in *changeInput) (*raw, error) {
	now, err := n.read(in.RawBody)
	if err != nil {
		return nil, err
	}
	return n.change(ctx, s, in, func(*T) (*T, error) { return now, nil })
}

// update merges a patch into what is stored and then treats the result like
// any other body, so that a patch cannot bring in what a PUT could not.
func (n noun[T]) update(ctx context.Context, s *Server, in *changeInput) (*raw, error) {
	patch, err := parseObject(in.RawBody)
	if err != nil {
		return nil, err
	}
	return n.change(ctx, s, in, func(old *T) (*T, error) {
		doc, err := merged(old, patch)
		if err != nil {
			return nil, fmt.Errorf("patch %s: %w", n.name, err)
		}
		return n.decode(doc)
	})
}

// merged is what a merge patch makes of a resource (RFC 7396).
func merged(old any, patch *strict.Value) (*strict.Value, error) {
	kept, err := json.Marshal(old)
	if err != nil {
		return nil, err
	}
	doc, err := strict.ParseJSON(kept)
	if err != nil {
		return nil, err
	}
	return strict.Merge(doc, patch), nil
}

func (n noun[T]) change(ctx context.Context, s *Server, in *changeInput, to func(old *T) (*T, error)) (*raw, error) {
	x, err := n.rows.Update(ctx, in.ID, in.IfMatch, func(x *T) error {
		now, err := to(x)
		if err != nil {
			return err
		}
		if id := n.id(now); id != "" && id != in.ID {
			return invalid(n.idField, "cannot be changed: it is %q", in.ID)
		}
		if n.keep != nil {
			n.keep(x, now)
		}
		if n.check != nil {
			if err := n.check(ctx, now); err != nil {
				return err
			}
		}
		*x = *now
		return nil
	})
	if err != nil {
		return nil, err
	}
	return n.reply(s, x)
}

func (n noun[T]) reply(s *Server, x *T) (*raw, error) {
	etag := n.rows.ETag(x)
	body, err := n.render(s, x)
	if err != nil {
		return nil, err
	}
	return &raw{ETag: etag, Body: body}, nil
}

// render is a resource as clients see it: without secrets, with what the plan
// warns of.
func (n noun[T]) render(s *Server, x *T) (json.RawMessage, error) {
	shown := *x
	if n.hide != nil {
		n.hide(&shown)
	}
	body, err := json.Marshal(&shown)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", n.name, err)
	}
	if n.more != nil {
		if more := n.more(n.id(x)); more != nil {
			if body, err = join(body, more); err != nil {
				return nil, err
			}
		}
	}
	if n.kind == "" {
		return body, nil
	}
	plan := s.Store.Plan()
	warnings := plan.Warnings(n.kind, n.id(x))
	if s.Spoken != nil {
		warnings = append(slices.Clip(warnings), s.Spoken(plan.SpokenBy(n.kind, n.id(x)))...)
	}
	if len(warnings) == 0 {
		return body, nil
	}
	return join(body, struct {
		Warnings []flows.Warning `json:"warnings"`
	}{warnings})
}
