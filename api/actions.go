package api

import (
	"context"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"b2bua/call"
	"b2bua/flows"
)

// Speech is what can be said or played to a caller.
type Speech struct {
	Message  string `json:"message,omitempty" doc:"Text to speak"`
	Language string `json:"language,omitempty" doc:"Of the text" example:"en-US"`
	Voice    string `json:"voice,omitempty" doc:"Name of the voice"`
	AudioURL string `json:"audio_url,omitempty" doc:"WAV or MP3 to play instead of a text"`
}

func (p *Speech) check() error {
	if p.AudioURL == "" {
		return nil
	}
	u, err := url.Parse(p.AudioURL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return invalid("audio_url", "must be an address such as https://example.com/hello.mp3")
	}
	if p.Message != "" {
		return invalid("audio_url", "cannot be given together with message")
	}
	return nil
}

type answerBody struct {
	Action string `json:"action,omitempty" enum:"play_audio" doc:"What to do once answered"`
	Speech
}

type declineBody struct {
	Reason  string `json:"reason,omitempty" enum:"busy,rejected,not_found,unavailable" doc:"Default rejected"`
	SIPCode int    `json:"sip_code,omitempty" minimum:"400" maximum:"699" doc:"The exact code instead of a reason; not 401 or 407"`
}

type playBody struct {
	Speech
	PromptID string `json:"prompt_id,omitempty" doc:"A stored prompt to play instead of a text"`
	Loop     bool   `json:"loop,omitempty" doc:"Play again and again until stopped"`
}

type digitsBody struct {
	Digits     string `json:"digits" minLength:"1" maxLength:"64" doc:"0-9, *, #, A-D" example:"1234#"`
	To         string `json:"to,omitempty" enum:"caller,callee" doc:"Default: whom the caller talks to, else the caller"`
	DurationMS int    `json:"duration_ms,omitempty" minimum:"40" maximum:"10000" doc:"Of each digit; default 100"`
	GapMS      int    `json:"gap_ms,omitempty" minimum:"40" maximum:"10000" doc:"After each digit; default 60"`
}

type hangupBody struct {
	Reason string `json:"reason,omitempty" doc:"Kept as the call's completion_reason"`
}

type recordingBody struct {
	RecordingID string `json:"recording_id,omitempty" doc:"Which one, where several go on; all when left out"`
}

// nothing is the body of a command that needs none.
type nothing struct{}

type tagsBody struct {
	Tags map[string]string `json:"tags" doc:"Added to the call's tags; an empty value removes one"`
}

// CommandInput is what every command to a call takes.
type CommandInput struct {
	ByID
	WithBody
	IdempotencyKey string `header:"Idempotency-Key" doc:"The same key and body within 24 hours gives the same reply and does nothing again"`
}

// action registers a command that a body of type B asks for and that is
// answered with the call as it is afterwards.
func action[B any](s *Server, verb, id, summary string, optional bool, do func(context.Context, LiveCall, *B) error) {
	o := operation{method: http.MethodPost, path: callsPath + "/{id}/" + verb, id: id, summary: summary,
		tag: "Call actions", noun: "Call", body: reflect.TypeFor[B](), bodyOptional: optional}
	register(s, o, func(ctx context.Context, in *CommandInput) (*callReply, error) {
		body := new(B)
		if err := decode(in.RawBody, body, optional); err != nil {
			return nil, err
		}
		c, err := s.live(in.ID)
		if err != nil {
			return nil, err
		}
		if err := do(ctx, c, body); err != nil {
			return nil, err
		}
		return &callReply{Body: c.Record()}, nil
	})
}

func (s *Server) actionRoutes() {
	action(s, "answer", "answerCall", "Answer an incoming call", true, answer)
	action(s, "decline", "declineCall", "Decline an incoming call", true, decline)
	action(s, "hangup", "hangupCall", "End a call", true, func(ctx context.Context, c LiveCall, b *hangupBody) error {
		return c.Hangup(ctx, b.Reason)
	})
	action(s, "tags", "tagCall", "Add tags to a call", false, func(ctx context.Context, c LiveCall, b *tagsBody) error {
		if b.Tags == nil {
			return invalid("tags", "is missing")
		}
		return c.SetTags(ctx, b.Tags)
	})
	action(s, "send-dtmf", "sendDTMF", "Send digits to a party", false, sendDigits)
	for verb, do := range map[string]func(LiveCall, context.Context) error{
		"play-audio/stop": LiveCall.StopPlay,
		"hold":            LiveCall.Hold,
		"resume":          LiveCall.Resume,
		"mute":            func(c LiveCall, ctx context.Context) error { return c.Mute(ctx, true) },
		"unmute":          func(c LiveCall, ctx context.Context) error { return c.Mute(ctx, false) },
	} {
		id, summary := plainActions[verb][0], plainActions[verb][1]
		action(s, verb, id, summary, true, func(ctx context.Context, c LiveCall, _ *nothing) error { return do(c, ctx) })
	}
	for verb, do := range map[string]func(LiveCall, context.Context, string) error{
		"record/stop":   LiveCall.StopRecording,
		"record/pause":  LiveCall.PauseRecording,
		"record/resume": LiveCall.ResumeRecording,
	} {
		id, summary := plainActions[verb][0], plainActions[verb][1]
		action(s, verb, id, summary, true, func(ctx context.Context, c LiveCall, b *recordingBody) error { return do(c, ctx, b.RecordingID) })
	}
	s.startRoutes()
	s.waitRoutes()
}

var plainActions = map[string][2]string{
	"record/stop":     {"stopRecording", "Stop recording a call"},
	"record/pause":    {"pauseRecording", "Pause recording a call"},
	"record/resume":   {"resumeRecording", "Go on recording a call"},
	"play-audio/stop": {"stopAudio", "Stop playing audio to a call"},
	"hold":            {"holdCall", "Put a call on hold: the caller, and whoever the caller talks to, hear music"},
	"resume":          {"resumeCall", "Take a call off hold: the parties hear each other again"},
	"mute":            {"muteCaller", "Keep what the caller says from the other party"},
	"unmute":          {"unmuteCaller", "Let the other party hear the caller again"},
}

// sendDigits never shows the digits in what it says: they may be a secret.
func sendDigits(ctx context.Context, c LiveCall, b *digitsBody) error {
	const shortest, longest = 40, 10_000
	outside := func(ms int) bool { return ms != 0 && (ms < shortest || ms > longest) }
	switch {
	case b.Digits == "":
		return invalid("digits", "is missing")
	case len(b.Digits) > 64:
		return invalid("digits", "has at most 64 digits; this one has %d", len(b.Digits))
	case strings.Trim(b.Digits, "0123456789*#ABCDabcd") != "":
		return invalid("digits", "must be made of 0-9, *, # and A-D")
	case b.To != "" && b.To != "caller" && b.To != "callee":
		return invalid("to", "must be caller, callee or left out, not %q", b.To)
	case outside(b.DurationMS):
		return invalid("duration_ms", "must be %d to %d, not %d", shortest, longest, b.DurationMS)
	case outside(b.GapMS):
		return invalid("gap_ms", "must be %d to %d, not %d", shortest, longest, b.GapMS)
	}
	return c.SendDigits(ctx, call.DigitsRequest{
		Digits: strings.ToUpper(b.Digits), To: b.To,
		Duration: time.Duration(b.DurationMS) * time.Millisecond, Gap: time.Duration(b.GapMS) * time.Millisecond,
	})
}

func answer(ctx context.Context, c LiveCall, b *answerBody) error {
	switch {
	case b.Action != "" && b.Action != "play_audio":
		return invalid("action", "must be play_audio or left out, not %q", b.Action)
	case b.Action == "play_audio" && b.Message == "" && b.AudioURL == "":
		return invalid("message", "or audio_url is needed for play_audio")
	}
	if err := b.check(); err != nil {
		return err
	}
	return c.Answer(ctx, call.Greeting{Message: b.Message, Language: b.Language, Voice: b.Voice, AudioURL: b.AudioURL})
}

func decline(ctx context.Context, c LiveCall, b *declineBody) error {
	if b.Reason != "" && !slices.Contains(flows.RejectCauses, b.Reason) {
		return invalid("reason", "must be one of busy, rejected, not_found, unavailable, not %q", b.Reason)
	}
	if b.SIPCode != 0 {
		if b.SIPCode < 400 || b.SIPCode > 699 {
			return invalid("sip_code", "must lie between 400 and 699")
		}
		code, text := flows.RejectCode(strconv.Itoa(b.SIPCode))
		if code != b.SIPCode {
			return invalid("sip_code", "cannot be %d, which asks the caller for a password", b.SIPCode)
		}
		return c.Decline(ctx, code, text)
	}
	if b.Reason == "" {
		b.Reason = "rejected"
	}
	code, text := flows.RejectCode(b.Reason)
	if b.Reason == "rejected" {
		// The caller's API asked for it in so many words, so it is said as
		// RFC 3261 §21.6.2 says it, not softened as for a far end's 603.
		code, text = declineCode, "Decline"
	}
	return c.Decline(ctx, code, text)
}

// declineCode is 603 Decline of SIP.
const declineCode = 603

type startedRecording struct {
	Body struct {
		CallID      string `json:"call_id"`
		RecordingID string `json:"recording_id"`
		Status      string `json:"status" example:"recording"`
	}
}

type startedPlayback struct {
	Body struct {
		CallID     string `json:"call_id"`
		PlaybackID string `json:"playback_id"`
	}
}

// startRoutes are the commands that begin something with an id of its own.
func (s *Server) startRoutes() {
	record := func(ctx context.Context, in *CommandInput) (*startedRecording, error) {
		settings := flows.Recording{Enabled: true}
		if err := decode(in.RawBody, &settings, true); err != nil {
			return nil, err
		}
		settings.Enabled = true
		probe := flows.CallFlow{Name: "record", Active: true, Recording: &settings,
			Routing: []flows.Rule{{Pattern: "*", Destination: flows.DefaultBoxID, DestinationType: flows.ToVoicemail}}}
		probe.ApplyDefaults()
		if err := bare(probe.Validate(), "recording.").Err(); err != nil {
			return nil, err
		}
		c, err := s.live(in.ID)
		if err != nil {
			return nil, err
		}
		out := &startedRecording{}
		out.Body.CallID, out.Body.Status = in.ID, "recording"
		out.Body.RecordingID, err = c.StartRecording(ctx, settings)
		return out, err
	}
	o := operation{method: http.MethodPost, path: callsPath + "/{id}/record", id: "recordCall", summary: "Start recording a call",
		tag: "Call actions", noun: "Call", body: reflect.TypeFor[flows.Recording](), bodyOptional: true}
	register(s, o, record)
	o.path, o.id = o.path+"/start", "startRecording"
	o.description = "The same as record."
	register(s, o, record)

	play := operation{method: http.MethodPost, path: callsPath + "/{id}/play-audio", id: "playAudio", summary: "Play audio to the caller",
		description: "Exactly one of message, audio_url and prompt_id.",
		tag:         "Call actions", noun: "Call", body: reflect.TypeFor[playBody]()}
	register(s, play, func(ctx context.Context, in *CommandInput) (*startedPlayback, error) {
		var b playBody
		if err := decode(in.RawBody, &b, false); err != nil {
			return nil, err
		}
		if err := b.check(); err != nil {
			return nil, err
		}
		if (b.Message == "" && b.AudioURL == "") == (b.PromptID == "") {
			return nil, invalid("message", "or audio_url or prompt_id is needed, and only one of them")
		}
		c, err := s.live(in.ID)
		if err != nil {
			return nil, err
		}
		out := &startedPlayback{}
		out.Body.CallID = in.ID
		out.Body.PlaybackID, err = c.Play(ctx, call.PlayRequest{Message: b.Message, Language: b.Language, Voice: b.Voice,
			AudioURL: b.AudioURL, PromptID: b.PromptID, Loop: b.Loop})
		return out, err
	})
}
