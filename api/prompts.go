package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"b2bua/flows"
	"b2bua/internal/strict"
)

const promptsPath = "/v2/prompts"

// promptFields is what a client may say of a prompt; the rest follows from its
// sound.
type promptFields struct {
	ID          string `json:"prompt_id,omitempty" doc:"Id; chosen by the client when given. It begins with prompt_"`
	Name        string `json:"name" doc:"Name for this prompt"`
	Description string `json:"description,omitempty" doc:"Detailed description"`
	Text        string `json:"text,omitempty" doc:"Text to speak, once, when the prompt is saved"`
	Language    string `json:"language,omitempty" doc:"Language of the text (BCP 47)"`
	Voice       string `json:"voice,omitempty" doc:"Voice, by its name with the speech provider"`
	URL         string `json:"url,omitempty" doc:"Where the sound is fetched, once, when the prompt is saved"`
	Loop        bool   `json:"loop,omitempty" doc:"Whether it is played again and again, as music on hold is"`
}

func (f *promptFields) prompt() flows.Prompt {
	return flows.Prompt{ID: f.ID, Name: f.Name, Description: f.Description, Text: f.Text, Language: f.Language, Voice: f.Voice, URL: f.URL, Loop: f.Loop}
}

// onlyReplies are the fields of a prompt that follow from its sound; a reply may
// come back as a request as it is.
var onlyReplies = []string{"source", "duration", "sample_rate", "size", "sha256", "problem", "file", "created_at", "updated_at", "revision", "warnings"}

func readPrompt(doc *strict.Value) (*flows.Prompt, error) {
	for _, name := range onlyReplies {
		doc.Remove(name)
	}
	var f promptFields
	if err := decodeValue(doc, &f); err != nil {
		return nil, err
	}
	p := f.prompt()
	return &p, nil
}

type newPromptInput struct {
	WithBody
	ContentType    string `header:"Content-Type" doc:"application/json for a text or URL; audio/wav, audio/mpeg, audio/ogg for a file; or multipart/form-data with the file as the part \"file\" and the fields as others"`
	IdempotencyKey string `header:"Idempotency-Key" doc:"The same key and body within 24 hours gives the same reply instead of a second resource"`
	ID             string `query:"prompt_id" doc:"Of a file that is the whole body: its id"`
	Name           string `query:"name" doc:"Of a file that is the whole body: its name"`
	Loop           bool   `query:"loop" doc:"Of a file that is the whole body: whether it is played again and again"`
}

type promptSoundInput struct {
	ByID
	WithBody
	ContentType string `header:"Content-Type" doc:"audio/wav, audio/mpeg, audio/ogg or multipart/form-data"`
	IfMatch     string `header:"If-Match" doc:"ETag of the version to change"`
}

func (s *Server) promptNoun() noun[flows.Prompt] {
	return noun[flows.Prompt]{
		path: promptsPath, name: "Prompt", kind: flows.KindPrompt, idField: "prompt_id", rows: s.Store.Prompts(),
		id:   func(x *flows.Prompt) string { return x.ID },
		hide: func(x *flows.Prompt) { x.File = "" },
	}
}

// promptRoutes are those of a resource, but that a prompt can be made of a file,
// and has one.
func (s *Server) promptRoutes() {
	if s.Prompts == nil {
		return
	}
	n := s.promptNoun()
	shown, given := reflect.TypeFor[flows.Prompt](), reflect.TypeFor[promptFields]()
	row := func(method, path, id, summary string) operation {
		return operation{method: method, path: promptsPath + path, id: id, summary: summary, tag: "Prompts", noun: n.name, reply: shown}
	}
	list := row(http.MethodGet, "", "listPrompts", "List prompts, oldest first")
	list.reply = reflect.TypeFor[listOf[flows.Prompt]]()
	register(s, list, func(_ context.Context, in *Paging) (*page[json.RawMessage], error) { return n.list(s, in) })
	register(s, row(http.MethodGet, "/{id}", "getPrompt", "Get what is known of a prompt"), func(_ context.Context, in *ByID) (*raw, error) {
		p, err := n.rows.Get(in.ID)
		if err != nil {
			return nil, err
		}
		return n.reply(s, p)
	})
	create := row(http.MethodPost, "", "createPrompt", "Create a prompt: of a file, a text, or a URL")
	create.status, create.body, create.file = http.StatusCreated, given, true
	create.description = "A prompt is a sound that menus, voicemail boxes, queues and play-audio play by its id. What is sent is decoded and kept as a WAV file of 8 or 16 kHz, mono; never as it came. " +
		"A text that no speech program can speak at the moment, and a URL that does not answer, are kept with a warning and tried again when a caller is to hear them."
	register(s, create, s.createPrompt)
	sound := row(http.MethodPut, "/{id}/audio", "replacePromptAudio", "Give a prompt the sound of another file")
	sound.file = true
	register(s, sound, func(ctx context.Context, in *promptSoundInput) (*raw, error) {
		u, err := readUpload(in.ContentType, in.RawBody)
		if err != nil {
			return nil, err
		}
		p, err := s.Prompts.ReplaceSound(ctx, in.ID, in.IfMatch, bytes.NewReader(u.sound))
		if err != nil {
			return nil, err
		}
		return n.reply(s, p)
	})
	patch := row(http.MethodPatch, "/{id}", "updatePrompt", "Change a prompt")
	patch.body, patch.patch = given, true
	patch.description = "A text, language, voice or URL that changes is spoken or fetched anew."
	register(s, patch, s.updatePrompt)
	audio := row(http.MethodGet, "/{id}/audio", "getPromptAudio", "Get the sound of a prompt")
	audio.reply, audio.replyType = nil, "audio/wav"
	audio.description = "Ranges can be asked for."
	register(s, audio, s.promptAudio)
	remove := row(http.MethodDelete, "/{id}", "deletePrompt", "Delete a prompt with its sound")
	remove.reply = nil
	register(s, remove, func(ctx context.Context, in *deleteInput) (*struct{}, error) {
		return nil, s.Prompts.Delete(ctx, in.ID, in.IfMatch)
	})
}

func (s *Server) createPrompt(ctx context.Context, in *newPromptInput) (*raw, error) {
	p, err := s.makePrompt(ctx, in)
	if err != nil {
		return nil, err
	}
	out, err := s.promptNoun().reply(s, p)
	if err == nil {
		out.Location = promptsPath + "/" + p.ID
	}
	return out, err
}

func (s *Server) makePrompt(ctx context.Context, in *newPromptInput) (*flows.Prompt, error) {
	if isJSON(in.ContentType) {
		doc, err := parseObject(in.RawBody)
		if err != nil {
			return nil, err
		}
		p, err := readPrompt(doc)
		if err != nil {
			return nil, err
		}
		return p, s.Prompts.Make(ctx, p)
	}
	u, err := readUpload(in.ContentType, in.RawBody)
	if err != nil {
		return nil, err
	}
	p := &u.prompt
	if in.ID != "" {
		p.ID = in.ID
	}
	if in.Name != "" {
		p.Name = in.Name
	}
	if p.Name == "" {
		p.Name = "Prompt of " + s.now().UTC().Format("2006-01-02 15:04")
	}
	p.Loop = p.Loop || in.Loop
	if p.Text != "" || p.URL != "" {
		return nil, invalid("text", "does not go with a file: a prompt is made of a file, a text or a URL")
	}
	return p, s.Prompts.Upload(ctx, p, bytes.NewReader(u.sound))
}

func (s *Server) updatePrompt(ctx context.Context, in *changeInput) (*raw, error) {
	patch, err := parseObject(in.RawBody)
	if err != nil {
		return nil, err
	}
	p, err := s.Prompts.Change(ctx, in.ID, in.IfMatch, func(x *flows.Prompt) error {
		doc, err := merged(x, patch)
		if err != nil {
			return err
		}
		now, err := readPrompt(doc)
		if err != nil {
			return err
		}
		if now.ID != x.ID {
			return invalid("prompt_id", "cannot be changed: it is %q", x.ID)
		}
		x.Name, x.Description, x.Text, x.Language, x.Voice, x.URL, x.Loop = now.Name, now.Description, now.Text, now.Language, now.Voice, now.URL, now.Loop
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.promptNoun().reply(s, p)
}

func (s *Server) promptAudio(_ context.Context, in *ByID) (*huma.StreamResponse, error) {
	p, err := s.Store.Prompts().Get(in.ID)
	if err != nil {
		return nil, err
	}
	f, err := s.Prompts.Open(p)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, notFound("Audio")
	}
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		defer f.Close()
		r, w := humago.Unwrap(ctx)
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(audioDeadline)) // a recorder in tests has no deadlines
		w.Header().Set("Content-Type", "audio/wav")
		w.Header().Set("Content-Disposition", `inline; filename="`+p.ID+`.wav"`)
		w.Header().Set("ETag", `"`+p.SHA256+`"`)
		http.ServeContent(w, r, "", p.UpdatedAt, f)
	}}, nil
}
