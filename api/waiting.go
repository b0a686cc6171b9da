package api

import (
	"context"
	"net/http"
	"reflect"
	"runtime/debug"
	"strings"

	"b2bua/call"
	"b2bua/flows"
)

// transferBody asks for the caller to be connected somewhere else.
type transferBody struct {
	Destination     string                `json:"destination" doc:"A number, device, SIP URI, menu, box, queue or flow" example:"+14155552673"`
	DestinationType flows.DestinationType `json:"destination_type,omitempty" doc:"Default phone_number"`
	TransferType    string                `json:"transfer_type,omitempty" enum:"blind,attended" doc:"Default blind. With attended whoever the caller talks to is connected to the new party first, while the caller hears music, and leaves the caller there by hanging up; a caller who talks to nobody hears music until the new party answers"`
	CallerID        string                `json:"caller_id,omitempty" doc:"Number shown to the new party"`
	Fallback        *flows.Fallback       `json:"fallback,omitempty" doc:"Where the caller goes when nobody answers"`
}

type transferReply struct {
	Status int
	Body   struct {
		CallID    string `json:"call_id"`
		Result    string `json:"result" doc:"connected, no_answer, busy, …; pending when async. Of an attended transfer: what came of calling the new party" example:"connected"`
		SIPCode   int    `json:"sip_code,omitempty" doc:"As the far end sent it"`
		SIPReason string `json:"sip_reason,omitempty"`
	}
}

// gatherBody is a menu without a name and, when the caller was asked already,
// without a prompt.
type gatherBody struct {
	flows.IVRMenu
}

const gatherPath = "/gather-dtmf"

type gatherReply struct {
	Status int
	Body   struct {
		CallID string `json:"call_id"`
		flows.MenuResult
	}
}

type waitInput struct {
	CommandInput
	Async bool `query:"async" doc:"Answer 202 at once; the outcome comes as an event"`
}

// waitRoutes are the commands whose outcome takes time: somebody has to pick
// up, or press keys.
func (s *Server) waitRoutes() {
	register(s, operation{method: http.MethodPost, path: callsPath + "/{id}/transfer", id: "transferCall", summary: "Transfer a call",
		description: "Waits until the new party answered or could not be reached, and tells which. What becomes of an attended transfer is told by call.transferred: connected, or returned when the caller is back.",
		tag:         "Call actions", noun: "Call", body: reflect.TypeFor[transferBody](), async: true}, s.transfer)
	register(s, operation{method: http.MethodPost, path: callsPath + "/{id}" + gatherPath, id: "gatherDTMF", summary: "Collect digits from the caller",
		description: "Takes the fields of an IVR menu and waits until the caller is done. A reply with sensitive digits is not kept for its Idempotency-Key.",
		tag:         "Call actions", noun: "Call", body: reflect.TypeFor[gatherBody](), bodyOptional: true, async: true}, s.gather)
}

func (s *Server) transfer(ctx context.Context, in *waitInput) (*transferReply, error) {
	var b transferBody
	if err := decode(in.RawBody, &b, false); err != nil {
		return nil, err
	}
	if err := b.check(); err != nil {
		return nil, err
	}
	c, err := s.live(in.ID)
	if err != nil {
		return nil, err
	}
	request := call.TransferRequest{Destination: b.Destination, DestinationType: b.DestinationType,
		TransferType: b.TransferType, CallerID: b.CallerID, Fallback: b.Fallback}
	out := &transferReply{Status: http.StatusOK}
	out.Body.CallID = in.ID
	if in.Async {
		out.Status, out.Body.Result = http.StatusAccepted, "pending"
		return out, s.later(ctx, "transfer", func(ctx context.Context) error {
			_, err := c.Transfer(ctx, request)
			return err
		})
	}
	result, err := c.Transfer(ctx, request)
	out.Body.Result, out.Body.SIPCode, out.Body.SIPReason = result.Result, result.SIPCode, result.SIPReason
	return out, err
}

// check fills in defaults and finds what is wrong, in the words of a rule.
func (b *transferBody) check() error {
	if b.DestinationType == "" {
		b.DestinationType = flows.ToNumber
	}
	if b.TransferType == "" {
		b.TransferType = "blind"
	}
	switch b.TransferType {
	case "blind":
	case "attended":
		switch b.DestinationType {
		case flows.ToNumber, flows.ToDevice, flows.ToSIP:
		default:
			return invalid("destination_type", "must be phone_number, device or sip for an attended transfer, not %q: somebody is to be talked to", b.DestinationType)
		}
	default:
		return invalid("transfer_type", "must be blind or attended, not %q", b.TransferType)
	}
	if b.CallerID != "" {
		number, err := flows.ParseNumber(b.CallerID)
		if err != nil {
			return invalidNoun(flows.Problems{{Path: "caller_id", Slug: flows.SlugInvalidNumber, Message: err.Error()}})
		}
		b.CallerID = number
	}
	probe := flows.CallFlow{Name: "transfer", Active: true, Routing: []flows.Rule{{
		Pattern: "*", Destination: b.Destination, DestinationType: b.DestinationType, Fallback: b.Fallback,
	}}}
	return bare(probe.Validate(), "routing[0].").Err()
}

// bare makes paths into a probe paths into the body that it was made of.
func bare(problems flows.Problems, prefix string) flows.Problems {
	for i := range problems {
		problems[i].Path = strings.TrimPrefix(problems[i].Path, prefix)
	}
	return problems
}

func (s *Server) gather(ctx context.Context, in *waitInput) (*gatherReply, error) {
	b := gatherBody{flows.IVRMenu{Name: "gather-dtmf"}}
	if err := decode(in.RawBody, &b, true); err != nil {
		return nil, err
	}
	menu := &b.IVRMenu
	menu.ApplyDefaults()
	probe := *menu
	if probe.Prompt == "" {
		probe.Prompt = "asked already" // only what is said again is needed
	}
	if err := probe.Validate().Err(); err != nil {
		return nil, err
	}
	c, err := s.live(in.ID)
	if err != nil {
		return nil, err
	}
	out := &gatherReply{Status: http.StatusOK}
	out.Body.CallID = in.ID
	if in.Async {
		out.Status, out.Body.Reason = http.StatusAccepted, "pending"
		return out, s.later(ctx, "gather-dtmf", func(ctx context.Context) error {
			_, err := c.Gather(ctx, menu)
			return err
		})
	}
	out.Body.MenuResult, err = c.Gather(ctx, menu)
	return out, err
}

// later runs a command after its request was answered. It ends with the call,
// or when the API stops.
func (s *Server) later(ctx context.Context, what string, do func(context.Context) error) error {
	id := trailOf(ctx).id
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	started := s.background(func() {
		select {
		case <-s.stopping:
			cancel()
		case <-ctx.Done():
		}
	}, func() {
		defer cancel()
		defer func() {
			if v := recover(); v != nil { // it costs this command, not every call of the switch
				s.Log.Error("panic in a command", "request", id, "did", what, "panic", v, "stack", string(debug.Stack()))
			}
		}()
		if err := do(ctx); err != nil {
			s.Log.Info("command failed after its request was answered", "request", id, "did", what, "err", err)
		}
	})
	if !started {
		cancel()
		return fail(http.StatusServiceUnavailable, slugInternal, "The switch is shutting down")
	}
	return nil
}

// background starts all of fs, and nothing once Run has ended: a request that
// outlived the time for shutting down must not add to what Run waits for.
func (s *Server) background(fs ...func()) bool {
	s.async.Lock()
	defer s.async.Unlock()
	if s.async.over {
		return false
	}
	for _, f := range fs {
		s.async.wg.Go(f)
	}
	return true
}

// endBackground waits for what background started; from now on it starts nothing.
func (s *Server) endBackground() {
	s.async.Lock()
	s.async.over = true
	s.async.Unlock()
	s.async.wg.Wait()
}
