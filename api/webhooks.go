package api

import (
	"context"
	"net/http"
	"reflect"

	"b2bua/store"
)

const webhooksPath = "/v2/webhooks"

type deliveriesInput struct {
	ByID
	Paging
}

// webhookRoutes are those a webhook has besides the six of every resource.
func (s *Server) webhookRoutes() {
	row := func(method, path, id, summary string) operation {
		return operation{method: method, path: webhooksPath + "/{id}" + path, id: id, summary: summary, tag: "Webhooks", noun: "Webhook"}
	}
	register(s, row(http.MethodGet, "/deliveries", "listWebhookDeliveries", "List the attempts to deliver to a webhook, newest first"),
		func(_ context.Context, in *deliveriesInput) (*page[*store.Delivery], error) {
			if _, err := s.Store.Webhooks().Get(in.ID); err != nil {
				return nil, err
			}
			rows, next, err := s.Store.Deliveries().List(store.Query[store.Delivery]{Owner: in.ID, Newest: true}, in.Cursor, in.Limit)
			if err != nil {
				return nil, err
			}
			return newPage(rows, next), nil
		})

	test := row(http.MethodPost, "/test", "testWebhook", "Send a test event and tell how it went")
	register(s, test, func(ctx context.Context, in *ByID) (*testReply, error) {
		if _, err := s.Store.Webhooks().Get(in.ID); err != nil {
			return nil, err
		}
		if s.Webhooks == nil {
			return nil, fail(http.StatusServiceUnavailable, slugInternal, "Events are not delivered at the moment")
		}
		d, err := s.Webhooks.Test(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		return &testReply{Body: d}, nil
	})

	rotate := row(http.MethodPost, "/rotate-secret", "rotateWebhookSecret", "Make a new signing secret")
	rotate.description = "The new secret is in this reply and is not shown again. Deliveries are signed with it from now on."
	rotate.reply = reflect.TypeFor[store.Webhook]()
	register(s, rotate, func(ctx context.Context, in *ByID) (*webhookReply, error) {
		w, err := s.Store.Webhooks().Update(ctx, in.ID, "", func(w *store.Webhook) error {
			w.SigningSecret = store.NewSigningSecret()
			return nil
		})
		if err != nil {
			return nil, err
		}
		return &webhookReply{ETag: s.Store.Webhooks().ETag(w), Body: *w}, nil
	})
}

type testReply struct {
	Body store.Delivery
}

type webhookReply struct {
	ETag string `header:"ETag"`
	Body store.Webhook
}
