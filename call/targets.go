package call

import (
	"cmp"
	"fmt"
	"math/rand/v2"
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
	codecs []string
	dial   sip.Dial

	device     *flows.Device // whose phone it is; nil for others
	outward    *flows.Device // on whose permission it leads outside; nil when no device asked
	forwarder  *flows.Device // whose phone sent the call there by a 3xx
	redirected string        // what the 3xx named
	plain      bool          // it has refused sound that is encrypted
}

// targets lists the ways to reach a destination in rounds: the trunks one after
// the other, the contacts of a device together. Without any, the outcome says
// why.
func (c *Call) targets(a *act, to flows.DialRequest) ([][]target, flows.Outcome) {
	switch {
	case to.Type == flows.ToDevice, to.Device != nil: // a number of our own goes to its device, not around by a trunk
		return c.deviceTargets(to.Device)
	case to.Type == flows.ToNumber:
		return c.trunkTargets(to.Destination, a, nil)
	case to.Type == flows.ToSIP:
		return [][]target{{{
			name: to.Destination, via: to.Destination,
			dial: sip.Dial{Target: sip.Target{URI: to.Destination}},
		}}}, flows.Outcome{Result: flows.Unavailable}
	}
	return nil, flows.Outcome{Result: flows.Missing, Detail: fmt.Sprintf("%s %q cannot be dialled", to.Type, to.Destination)}
}

// trunkTargets are the trunks by which a number outside can be reached, in the
// order in which they are tried. forwarder is the device whose phone sent the
// call there, on whose account it then goes; nil for others.
func (c *Call) trunkTargets(number string, a *act, forwarder *flows.Device) (rounds [][]target, none flows.Outcome) {
	if c.diverted+len(c.ownStations(a, forwarder)) > maxDiversions {
		return nil, flows.Outcome{Result: flows.Failed, SIPCode: 482, SIPReason: "Loop Detected",
			Detail: fmt.Sprintf("the call had been sent on %d times before it came here", c.diverted)}
	}
	none = flows.Outcome{Result: flows.Unavailable, Detail: "no trunk takes outbound calls"}
	outward := forwarder
	if outward == nil && a != nil {
		outward = a.outward
	}
	for _, t := range c.sys.order(c.plan.Trunks()) {
		if outward != nil && forwarder == nil && !c.presentable(a, t) {
			none.Detail = "the device has no number that a trunk could be shown"
			continue
		}
		next := c.trunkTarget(t, t.Outbound.Address(), c.plan.Rewrite(t.ID, flows.OutboundTo, number))
		next.name, next.outward, next.forwarder = number, outward, forwarder
		rounds = append(rounds, []target{next})
	}
	return rounds, none
}

// trunkTarget dials what a trunk writes as number at an address of the trunk's.
func (c *Call) trunkTarget(t *flows.Trunk, uri, number string) target {
	var routes []string
	if c.sys.ServiceRoute != nil {
		routes = c.sys.ServiceRoute(t.ID)
	}
	return target{
		name: number, via: t.ID, trunk: t, codecs: c.codecOrder(t.Codecs),
		dial: sip.Dial{To: number, Routes: routes, Target: sip.Target{
			URI: uri, Username: t.Outbound.Username, Password: t.Outbound.Password,
			Insecure: t.Outbound.TLSVerify != nil && !*t.Outbound.TLSVerify,
		}},
	}
}

// order is the order in which one call tries the trunks that take calls out: by
// priority and weight, those that are known to be down, or have asked to be left
// alone, after all others.
func (s *System) order(trunks []*flows.Trunk) []*flows.Trunk {
	pick := s.Pick
	if pick == nil {
		pick = rand.IntN
	}
	list := slices.DeleteFunc(flows.Order(trunks, pick), func(t *flows.Trunk) bool {
		return t.Outbound == nil || t.Outbound.URI == ""
	})
	now := time.Now()
	down := func(t *flows.Trunk) int {
		if s.trunks.resting(t.ID, now) || s.Healthy != nil && !s.Healthy(t.ID) {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(list, func(a, b *flows.Trunk) int { return cmp.Compare(down(a), down(b)) })
	return list
}

func (c *Call) deviceTargets(d *flows.Device) ([][]target, flows.Outcome) {
	if d == nil {
		return nil, flows.Outcome{Result: flows.Missing, Detail: "there is no such device"}
	}
	var round []target
	for _, b := range c.sys.SIP.Bindings(d.Username) {
		round = append(round, target{
			name: d.Username, via: d.ID, device: d, codecs: c.codecOrder(nil),
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
