package api

import (
	"context"
	"fmt"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"b2bua/store"
)

// messageView is a voicemail message as clients see it.
type messageView struct {
	store.Message
	AudioURL string `json:"audio_url" doc:"Where the audio can be fetched, below the API's address"`
}

func viewMessage(m *store.Message) messageView {
	v := messageView{Message: *m, AudioURL: "/v2/voicemail-boxes/" + m.BoxID + "/messages/" + m.ID + "/audio"}
	v.Path = ""
	return v
}

type messageReply struct {
	ETag string `header:"ETag"`
	Body messageView
}

// messagePatch is what can be changed about a message.
type messagePatch struct {
	Read *bool `json:"read,omitempty" doc:"Whether somebody has listened to it"`
}

type messagesInput struct {
	ByID
	Paging
	Read string `query:"read" enum:"true,false" doc:"Only those that were, or were not, listened to"`
}

// ByMessage is the part of an input that names a message in a box.
type ByMessage struct {
	ByID
	MessageID string `path:"message_id" doc:"Id of the message"`
}

type messageChange struct {
	ByMessage
	WithBody
	IfMatch string `header:"If-Match" doc:"ETag of the version to change"`
}

func (s *Server) messageRoutes() {
	row := func(method, path, id, summary string) operation {
		return operation{method: method, path: "/v2/voicemail-boxes/{id}/messages" + path, id: id, summary: summary, tag: "Voicemail", noun: "Message"}
	}
	list := row(http.MethodGet, "", "listMessages", "List the messages of a voicemail box, oldest first")
	list.noun = "Voicemail box"
	register(s, list, s.listMessages)
	register(s, row(http.MethodGet, "/{message_id}", "getMessage", "Get what is known of a message"),
		func(_ context.Context, in *ByMessage) (*messageReply, error) {
			m, err := s.message(in)
			if err != nil {
				return nil, err
			}
			return s.replyMessage(m), nil
		})
	audio := row(http.MethodGet, "/{message_id}/audio", "getMessageAudio", "Get the audio of a message")
	audio.replyType = "audio/mpeg"
	register(s, audio, func(_ context.Context, in *ByMessage) (*huma.StreamResponse, error) {
		m, err := s.message(in)
		if err != nil {
			return nil, err
		}
		return serveAudio(s.Config.VoicemailDir, m.Path, m.Format, m.ID, m.SHA256)
	})
	patch := row(http.MethodPatch, "/{message_id}", "updateMessage", "Mark a message as read or unread")
	patch.body, patch.patch = reflect.TypeFor[messagePatch](), true
	register(s, patch, s.updateMessage)
	register(s, row(http.MethodDelete, "/{message_id}", "deleteMessage", "Delete a message with its audio"),
		func(ctx context.Context, in *ByMessage) (*struct{}, error) {
			m, err := s.message(in)
			if err != nil {
				return nil, err
			}
			return nil, s.deleteMessage(ctx, m)
		})
}

// message finds a message in the box that the path names, and in no other.
func (s *Server) message(in *ByMessage) (*store.Message, error) {
	m, err := s.Store.Messages().Get(in.MessageID)
	if err == nil && m.BoxID != in.ID {
		return nil, store.ErrNotFound
	}
	return m, err
}

func (s *Server) replyMessage(m *store.Message) *messageReply {
	return &messageReply{ETag: s.Store.Messages().ETag(m), Body: viewMessage(m)}
}

func (s *Server) listMessages(_ context.Context, in *messagesInput) (*page[messageView], error) {
	if _, err := s.Store.Boxes().Get(in.ID); err != nil {
		return nil, err
	}
	q := store.Query[store.Message]{Owner: in.ID}
	if in.Read != "" {
		q.Where = func(m *store.Message) bool { return m.Read == (in.Read == "true") }
	}
	rows, next, err := s.Store.Messages().List(q, in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	views := make([]messageView, len(rows))
	for i, m := range rows {
		views[i] = viewMessage(m)
	}
	return newPage(views, next), nil
}

func (s *Server) updateMessage(ctx context.Context, in *messageChange) (*messageReply, error) {
	var patch messagePatch
	if err := decode(in.RawBody, &patch, false); err != nil {
		return nil, err
	}
	if _, err := s.message(&in.ByMessage); err != nil {
		return nil, err
	}
	m, err := s.Store.Messages().Update(ctx, in.MessageID, in.IfMatch, func(m *store.Message) error {
		if patch.Read != nil {
			m.Read = *patch.Read
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.replyMessage(m), nil
}

func (s *Server) deleteMessage(ctx context.Context, m *store.Message) error {
	if err := removeAudio(s.Config.VoicemailDir, m.Path); err != nil {
		return fmt.Errorf("delete message %s: %w", m.ID, err)
	}
	_, err := s.Store.Messages().Delete(ctx, m.ID, "")
	return err
}

// deleteMessages empties a box that was deleted.
func (s *Server) deleteMessages(ctx context.Context, box string) {
	for {
		rows, _, err := s.Store.Messages().List(store.Query[store.Message]{Owner: box}, "", store.MaxPage)
		if err != nil || len(rows) == 0 {
			return
		}
		for _, m := range rows {
			if err := s.deleteMessage(ctx, m); err != nil {
				s.Log.Error("message of a deleted box not deleted", "message", m.ID, "box", box, "err", err)
				return
			}
		}
	}
}
