package api

import (
	"context"
	"net/http"
	"reflect"
	"time"

	"b2bua/store"
)

const keysPath = "/v2/api-keys"

// keyView is an API key as administrators see it. The key itself is shown once.
type keyView struct {
	ID        string      `json:"id"`
	Name      string      `json:"name"`
	Scope     store.Scope `json:"scope" enum:"read,write,admin"`
	Hint      string      `json:"hint" doc:"The first characters, to recognise it by"`
	Key       string      `json:"key,omitempty" doc:"The key itself, in the reply to its creation only"`
	CreatedAt time.Time   `json:"created_at"`
	RevokedAt *time.Time  `json:"revoked_at,omitempty"`
}

func viewKey(k *store.APIKey) keyView {
	return keyView{ID: k.ID, Name: k.Name, Scope: k.Scope, Hint: k.Hint, CreatedAt: k.CreatedAt, RevokedAt: k.RevokedAt}
}

type keyBody struct {
	Name  string      `json:"name" doc:"Who or what uses it"`
	Scope store.Scope `json:"scope,omitempty" enum:"read,write,admin" doc:"Default read"`
}

type keyReply struct {
	Location string `header:"Location"`
	Body     keyView
}

// keyRoutes need the scope admin, by their path (scopeFor).
func (s *Server) keyRoutes() {
	row := func(method, path, id, summary string) operation {
		return operation{method: method, path: keysPath + path, id: id, summary: summary, tag: "API keys", noun: "API key",
			description: "Needs a key with the scope admin."}
	}
	register(s, row(http.MethodGet, "", "listApiKeys", "List API keys, oldest first"),
		func(_ context.Context, in *Paging) (*page[keyView], error) {
			rows, next, err := s.Store.Keys().List(in.Cursor, in.Limit)
			if err != nil {
				return nil, err
			}
			views := make([]keyView, len(rows))
			for i, k := range rows {
				views[i] = viewKey(k)
			}
			return newPage(views, next), nil
		})
	create := row(http.MethodPost, "", "createApiKey", "Create an API key")
	create.status, create.body = http.StatusCreated, reflect.TypeFor[keyBody]()
	create.description += " The reply is the only place where the key is shown, also when the request is repeated with its Idempotency-Key."
	register(s, create, func(ctx context.Context, in *createInput) (*keyReply, error) {
		b := keyBody{Scope: store.ScopeRead}
		if err := decode(in.RawBody, &b, false); err != nil {
			return nil, err
		}
		secret, k, err := s.Store.CreateKey(ctx, b.Name, b.Scope)
		if err != nil {
			return nil, err
		}
		out := &keyReply{Location: keysPath + "/" + k.ID, Body: viewKey(k)}
		out.Body.Key = secret
		return out, nil
	})
	register(s, row(http.MethodGet, "/{id}", "getApiKey", "Get what is known of an API key"),
		func(_ context.Context, in *ByID) (*keyReply, error) {
			k, err := s.Store.Keys().Get(in.ID)
			if err != nil {
				return nil, err
			}
			return &keyReply{Body: viewKey(k)}, nil
		})
	register(s, row(http.MethodDelete, "/{id}", "revokeApiKey", "Revoke an API key for ever"),
		func(ctx context.Context, in *ByID) (*struct{}, error) {
			if trailOf(ctx).key == in.ID {
				return nil, fail(http.StatusConflict, slugConflict, "A key cannot revoke itself: use another admin key")
			}
			return nil, s.Store.RevokeKey(ctx, in.ID)
		})
}
