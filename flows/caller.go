package flows

import (
	"context"
	"time"
)

// Caller is what a flow asks for: a real call or a simulation. Every method
// runs on the goroutine that called Run, blocks until the thing asked for is
// over, and returns early (with Gone where it has an Outcome) when ctx ends:
// the caller hung up, or the API took the call over.
type Caller interface {
	// Menu presents one whole menu with all its attempts and prompts.
	Menu(ctx context.Context, r MenuRequest) MenuResult
	// Dial rings and, when answered, bridges. It returns when the conversation
	// is over (Connected) or when nobody could be reached.
	Dial(ctx context.Context, r DialRequest) Outcome
	// Voicemail greets and takes a message. WantsOperator and WantsAccess say
	// that the caller wants that instead.
	Voicemail(ctx context.Context, b *VoicemailBox) Outcome
	// Mailbox lets the owner of a box listen to its messages, once the PIN is
	// given; nil asks which box. Connected when the owner is done.
	Mailbox(ctx context.Context, b *VoicemailBox) Outcome
	// Queue lets the caller wait for a member of a queue, and talk to the one who
	// answers. It returns when the conversation is over (Connected), or with why
	// the caller left the line without one.
	Queue(ctx context.Context, r QueueRequest) Outcome
	// Say speaks a text; Connected when it was spoken.
	Say(ctx context.Context, text, language string) Outcome
	// AskWebhook asks a routing webhook. The outcome is Connected when there is
	// a decision, else WebhookFailed. Run validates the decision.
	AskWebhook(ctx context.Context, url string) (Decision, Outcome)
	// Application rings until API commands take over (Gone) or the time is up
	// (NoAnswer). A timeout of 0 means the configured one, DefaultApplication.
	Application(ctx context.Context, timeout time.Duration) Outcome
	// Apologise ends a call for which everything failed: a short spoken apology
	// when answered, else the final SIP code of last (Result.ToCaller).
	Apologise(ctx context.Context, last Outcome)
	// Hangup ends the call as the flow says.
	Hangup(ctx context.Context, reason string)
	// Reject refuses an unanswered call; cause is one of RejectCauses or a SIP
	// code as text, see RejectCode. On an answered call it hangs up.
	Reject(ctx context.Context, cause string)
	// Tag adds tags to the call.
	Tag(tags map[string]string)
	// Routed tells of every rule, option, fallback and webhook decision chosen.
	Routed(Routing)
	// Note adds one step to the call's trace; it is read by Step.Told.
	Note(Step)
}

// MenuRequest asks for one menu. Menu is a copy of the plan's, fitted to this
// visit: MaxDigits reaches the longest pattern in play, and a key that such a
// pattern needs is not its finish key. Match nil allows any digits up to
// MaxDigits.
type MenuRequest struct {
	Menu  *IVRMenu
	Match Matcher
}

// Matcher tells what digits pressed so far amount to.
type Matcher interface {
	// Match: hit means a full match as it stands; longer means that more digits
	// could still give another one. hit without longer fires at once, hit with
	// longer when the inter-digit timer ends; neither means invalid input.
	Match(digits string) (hit, longer bool)
}

// Why a menu ended.
const (
	MenuMatched           = "matched"
	MenuFinishKey         = "finish_key"
	MenuMaxDigits         = "max_digits"
	MenuInterDigitTimeout = "inter_digit_timeout"
	MenuNoInput           = "no_input"
	MenuInvalid           = "invalid"
	MenuHangup            = "hangup"
	MenuCancelled         = "cancelled"
)

// MenuResult is what came of a menu.
type MenuResult struct {
	Digits     string `json:"digits"`
	Terminator string `json:"terminator"`
	Reason     string `json:"reason"`
	Attempts   int    `json:"attempts"`
	BargedIn   bool   `json:"barged_in"`
	DurationMS int64  `json:"duration_ms"`
}

// DialRequest asks to ring somebody. Device is set when the destination is a
// device of this switch, by its id, its username or its number.
type DialRequest struct {
	Type        DestinationType // phone_number, device or sip
	Destination string
	Timeout     time.Duration // 0 means DefaultRing
	Device      *Device
}

// QueueRequest asks for a member of a queue.
type QueueRequest struct {
	Queue    *Queue
	Group    bool          // a ring group: the caller is not answered before a member is, and hears ringing
	MaxWait  time.Duration // the longest the caller waits
	Language string        // of what is said to the caller
}

// Decision is a routing webhook's reply.
type Decision struct {
	Destination     string            `json:"destination"`
	DestinationType DestinationType   `json:"destination_type"`
	Tags            map[string]string `json:"tags,omitempty"`
}

// What chose a destination, in Routing.By.
const (
	ByRule     = "rule"
	ByOption   = "option"
	ByFallback = "fallback"
	ByWebhook  = "webhook"
	ByRequest  = "request" // RunDestination: the API or another call asked
)

// Routing tells which destination was chosen and why.
type Routing struct {
	FlowID          string
	FlowRevision    int
	RuleIndex       *int   // of the flow's routing; nil when no rule is behind it
	Pattern         string // of the rule or option; hidden for sensitive menus
	Destination     string
	DestinationType DestinationType
	By              string
	Because         string // in words
	Branch          Branch // for coverage: told of no single call
}

// Step is one step of a call's trace.
type Step struct {
	At     time.Time      `json:"at"`
	Kind   string         `json:"kind"`
	Text   string         `json:"text"`
	Rule   *int           `json:"rule,omitempty"`
	Detail map[string]any `json:"detail,omitempty"`

	later func() (text string, detail map[string]any)
}

// Told is the step in words. Most steps about rules are put into words only when
// somebody reads them.
func (s Step) Told() Step {
	if s.later != nil {
		s.Text, s.Detail = s.later()
		s.later = nil
	}
	return s
}

// Told are steps in words.
func Told(steps []Step) []Step {
	list := make([]Step, len(steps))
	for i, s := range steps {
		list[i] = s.Told()
	}
	return list
}

// The kinds of steps.
const (
	StepFlow     = "flow"
	StepRule     = "rule"
	StepMenu     = "menu"
	StepOption   = "option"
	StepGo       = "destination"
	StepOutcome  = "outcome"
	StepFallback = "fallback"
	StepWebhook  = "webhook"
	StepEnd      = "end"
)

// Call is what a flow knows about the call it runs.
type Call struct {
	ID          string
	From        string // E.164 where known, else as received
	FromDisplay string
	To          string // the number dialled
	Anonymous   bool   // the caller withheld the number
	Verstat     string // whether the caller's number is vouched for (RFC 8224): passed, failed, or none, also as ""
	Attestation string // how far, when it is: A, B or C (RFC 8588)
	At          time.Time
}

// Env is everything a run needs. Flow nil means that the number has no flow.
type Env struct {
	Plan   *Plan
	Flow   *CallFlow
	Call   Call
	Now    func() time.Time
	Caller Caller
}

// Why a run ended, in Ending.Reason. A hangup destination ends with its own
// reason instead.
const (
	EndCompleted     = "completed"
	EndHangup        = "hangup"
	EndRejected      = "rejected"
	EndGone          = "gone"
	EndRoutingFailed = "routing_failed"
)

// Ending is how a run ended. Failed means that all routing attempts failed.
type Ending struct {
	Reason string
	Last   Outcome
	Failed bool
}

// Outcome is what came of a destination. The SIP code and reason are those of
// the far end, word for word.
type Outcome struct {
	Result    Result `json:"result"`
	SIPCode   int    `json:"sip_code,omitempty"`
	SIPReason string `json:"sip_reason,omitempty"`
	Detail    string `json:"detail,omitempty"`
}
