package call

import (
	"context"
	"log/slog"
	"time"

	"b2bua/events"
	"b2bua/flows"
	"b2bua/ivr"
	"b2bua/media"
	"b2bua/queue"
	"b2bua/recorder"
	"b2bua/sip"
	"b2bua/store"
	"b2bua/webhook"
)

// System is what calls need of the rest of the switch. It is filled in once, by
// exchange, before the first call.
type System struct {
	SIP     Signalling
	Media   *media.Engine
	Prompts ivr.Prompts
	Router  Router
	Store   *store.Store
	Bus     *events.Bus
	Calls   *Registry
	Queues  *queue.Hall
	Now     func() time.Time
	Log     *slog.Logger

	// Destination is what a party may transfer the other one to, by what it could
	// dial itself; code refuses it. d is nil for a trunk.
	Destination func(p *flows.Plan, d *flows.Device, user string) (rule flows.Rule, code int)

	Codecs          []string            // offered to far legs, in order of preference
	Ringback        func() media.Source // the tone an answered caller hears while the other side rings
	HoldMusic       func() media.Source // what a party on hold hears
	Recorders       *recorder.Pool      // encode and write
	RecordingsDir   string
	VoicemailDir    string
	Greetings       Greetings
	ApplicationWait time.Duration // how long a call rings for API control
	MaxDuration     time.Duration // 0: no limit

	// Receive puts a message into its box, with the event and the notices that tell
	// of it.
	Receive func(ctx context.Context, b *flows.VoicemailBox, m *store.Message, told events.Event) error
	// Later tries something until it works: what could not be written now.
	Later func(f func() error)

	// Healthy says whether a trunk is known to be up; nil: all are. Those that are
	// not are tried last.
	Healthy func(trunkID string) bool
	// ServiceRoute is the way for the calls of a trunk that its registrar has named
	// (RFC 3608); nil: none has.
	ServiceRoute func(trunkID string) []string
	// Pick gives a random number from 0 to n-1, for the weights of trunks; nil:
	// the runtime's.
	Pick func(n int) int
	// DeclinedCode is what a caller not yet answered is told when the far end
	// declines: 486, or 603. 0: 486.
	DeclinedCode int

	trunks  trunkLimits
	permits permits
}

// Signalling dials, and knows where devices are registered.
type Signalling interface {
	Dial(d sip.Dial, post func(func()) bool, on func(sip.Event)) *sip.Leg
	Bindings(username string) []sip.Binding
	Dialog(r sip.Replaces) (legID string, ok bool)
}

// Router asks routing webhooks.
type Router interface {
	Ask(ctx context.Context, url string, r webhook.RouteRequest) (webhook.RouteReply, webhook.Exchange, error)
}
