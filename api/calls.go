package api

import (
	"context"

	"b2bua/call"
	"b2bua/events"
	"b2bua/flows"
)

// Calls finds the calls that are going on.
type Calls interface {
	Live(id string) (LiveCall, bool)
	LiveRecords() []events.CallRecord
}

// LiveCall is what the API can ask of one call. A command returns
// call.ErrEnded when the call is over and a *call.StateError when it does not
// fit the call's state.
type LiveCall interface {
	Record() events.CallRecord
	Answer(ctx context.Context, g call.Greeting) error
	Decline(ctx context.Context, code int, reason string) error
	Transfer(ctx context.Context, r call.TransferRequest) (call.TransferResult, error)
	StartRecording(ctx context.Context, r flows.Recording) (id string, err error)
	StopRecording(ctx context.Context, id string) error
	PauseRecording(ctx context.Context, id string) error
	ResumeRecording(ctx context.Context, id string) error
	Play(ctx context.Context, r call.PlayRequest) (id string, err error)
	StopPlay(ctx context.Context) error
	Hold(ctx context.Context) error
	Resume(ctx context.Context) error
	Mute(ctx context.Context, on bool) error
	Gather(ctx context.Context, m *flows.IVRMenu) (flows.MenuResult, error)
	SendDigits(ctx context.Context, r call.DigitsRequest) error
	Hangup(ctx context.Context, reason string) error
	SetTags(ctx context.Context, tags map[string]string) error
}
