package call

import (
	"errors"
	"fmt"

	"b2bua/flows"
)

// ErrEnded says that the call is over, so nothing can be asked of it.
var ErrEnded = errors.New("the call has ended")

// ErrNoPlayback says that there is nothing to stop.
var ErrNoPlayback = errors.New("nothing is being played")

// StateError says that a command does not fit the state the call is in.
type StateError struct {
	State string // the state the call is in, as its record shows it
	Verb  string // what was asked
	Need  string // what the command needs, in words
}

// Error names the state and what the command needs.
func (e *StateError) Error() string {
	return fmt.Sprintf("%s: the call is %s, %s", e.Verb, e.State, e.Need)
}

// Greeting is what an answered caller hears first; empty means nothing.
type Greeting struct {
	Message  string
	Language string // BCP 47, default en-US
	Voice    string
	AudioURL string
}

// TransferRequest asks for the caller to be connected somewhere else.
type TransferRequest struct {
	Destination     string
	DestinationType flows.DestinationType // default phone_number
	TransferType    string                // "blind", the default, or "attended"
	CallerID        string                // shown to the new party; default the caller's own
	Fallback        *flows.Fallback
}

// TransferResult tells how a transfer came out. SIPCode is the far end's.
type TransferResult struct {
	Result    string // connected | no_answer | busy | …
	SIPCode   int
	SIPReason string
}

// PlayRequest asks for audio: exactly one of Message, AudioURL and PromptID.
type PlayRequest struct {
	Message  string
	Language string
	Voice    string
	AudioURL string
	PromptID string
	Loop     bool
}
