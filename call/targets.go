package call

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"b2bua/events"
	"b2bua/flows"
	"b2bua/sip"
)

// target is one way to reach a destination.
type target struct {
	name   string       // of the leg, in logs
	via    string       // the trunk's or device's id
	trunk  *flows.Trunk // whose limits hold; nil for others
	device string       // the device's id; "" for others
	codecs []string
	dial   sip.Dial
}

// targets lists the ways to reach a destination in rounds: the trunks one after
// the other, the contacts of a device together. Without any, the outcome says
// why.
func (c *Call) targets(to flows.DialRequest) ([][]target, flows.Outcome) {
	switch {
	case to.Type == flows.ToDevice, to.Device != nil: // a number of our own goes to its device, not around by a trunk
		return c.deviceTargets(to.Device)
	case to.Type == flows.ToNumber:
		return c.trunkTargets(to.Destination)
	case to.Type == flows.ToSIP:
		return [][]target{{{
			name: to.Destination, via: to.Destination,
			dial: sip.Dial{Target: sip.Target{URI: to.Destination}},
		}}}, flows.Outcome{Result: flows.Unavailable}
	}
	return nil, flows.Outcome{Result: flows.Missing, Detail: fmt.Sprintf("%s %q cannot be dialled", to.Type, to.Destination)}
}

func (c *Call) trunkTargets(number string) (rounds [][]target, none flows.Outcome) {
	for _, t := range c.plan.Trunks() {
		if t.Outbound == nil || t.Outbound.URI == "" {
			continue
		}
		rounds = append(rounds, []target{{
			name: number, via: t.ID, trunk: t, codecs: c.codecOrder(t.Codecs),
			dial: sip.Dial{To: number, Target: sip.Target{
				URI: trunkURI(t.Outbound), Username: t.Outbound.Username, Password: t.Outbound.Password,
				Insecure: t.Outbound.TLSVerify != nil && !*t.Outbound.TLSVerify,
			}},
		}})
	}
	return c.sys.healthyFirst(rounds), flows.Outcome{Result: flows.Unavailable, Detail: "no trunk takes outbound calls"}
}

// trunkURI is where a trunk's calls go; the trunk's transport field wins over
// none in the URI.
func trunkURI(o *flows.TrunkOutbound) string {
	if o.Transport == "" || strings.Contains(o.URI, "transport=") {
		return o.URI
	}
	return o.URI + ";transport=" + o.Transport
}

func (c *Call) deviceTargets(d *flows.Device) ([][]target, flows.Outcome) {
	if d == nil {
		return nil, flows.Outcome{Result: flows.Missing, Detail: "there is no such device"}
	}
	var round []target
	for _, b := range c.sys.SIP.Bindings(d.Username) {
		round = append(round, target{
			name: d.Username, via: d.ID, device: d.ID, codecs: c.codecOrder(nil),
			dial: sip.Dial{To: d.Username, Target: sip.Target{Binding: &b}},
		})
	}
	if len(round) == 0 {
		return nil, flows.Outcome{Result: flows.Unavailable, SIPCode: 480, SIPReason: "Temporarily Unavailable",
			Detail: fmt.Sprintf("device %q is not registered", d.Username)}
	}
	return [][]target{round}, flows.Outcome{Result: flows.Unavailable}
}

// codecOrder puts what the caller speaks first, so that the bridge can relay
// packets instead of transcoding them.
func (c *Call) codecOrder(allowed []string) []string {
	if len(allowed) == 0 {
		allowed = c.sys.Codecs
	}
	own := c.codec()
	order := make([]string, 0, len(allowed))
	for _, name := range allowed {
		if strings.EqualFold(name, own) {
			order = append(order, name)
		}
	}
	for _, name := range allowed {
		if !strings.EqualFold(name, own) {
			order = append(order, name)
		}
	}
	return order
}

// callerParty is how the caller is shown to the far end.
func (c *Call) callerParty(number string) sip.Party {
	if p := c.caller.party; p.User != "" { // whoever began the call has left it to somebody else
		return sip.Party{User: number, Display: p.Display}
	}
	return sip.Party{User: number, Display: c.env.Call.FromDisplay}
}

// worse reports whether b tells the caller more than a: that somebody is busy
// says more than that a trunk was down (RFC 3261 section 16.7 step 6).
func worse(a, b flows.Outcome) bool {
	return rank(b.Result) >= rank(a.Result)
}

func rank(r flows.Result) int {
	return slices.Index([]flows.Result{
		flows.Failed, flows.Unavailable, flows.TrunkAuthFailed, flows.Forbidden, flows.CodecMismatch, flows.Redirected,
		flows.NotFound, flows.InvalidNumber, flows.NoAnswer, flows.Rejected, flows.Busy,
	}, r)
}

func without[T comparable](list []T, x T) []T {
	return slices.DeleteFunc(slices.Clone(list), func(y T) bool { return x == y })
}

func dialText(a *events.Attempt, took time.Duration) string {
	text := fmt.Sprintf("dialled %s by %s: %s after %s", a.Destination, a.Via, a.Result, took)
	if a.SIPCode != 0 {
		text += fmt.Sprintf(" (%d %s)", a.SIPCode, a.SIPReason)
	}
	return text
}

// source is the address that signalling with the target goes to, where that is
// known without asking a resolver: its sound may well come from there, too.
func (t target) source() netip.Addr {
	if b := t.dial.Target.Binding; b != nil {
		return b.Source.Addr()
	}
	_, host, _ := strings.Cut(t.dial.Target.URI, ":")
	if _, after, ok := strings.Cut(host, "@"); ok {
		host = after
	}
	host, _, _ = strings.Cut(host, ";")
	if at, err := netip.ParseAddrPort(host); err == nil {
		return at.Addr()
	}
	at, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return at
}
