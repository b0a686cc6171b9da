package flows

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Proof says where callers can end up in a flow, whatever they press, whoever
// does not answer, and whenever they call. It follows every way that the runner
// could take (walk), but ways that come to the same state are followed once; so
// it is a statement about all calls as long as nothing was cut.
type Proof struct {
	Always     bool       `json:"always" doc:"Whether it is shown that every caller comes to a person, a voicemail box or a goodbye, or is handed to your program"`
	Exact      bool       `json:"exact" doc:"Whether every way was followed; else cut says what was not"`
	Cut        string     `json:"cut,omitempty" doc:"What was not followed, and why"`
	Situations int        `json:"situations" doc:"How many combinations of hours and callers were looked at: one moment and one caller of each kind that the conditions tell apart"`
	States     int        `json:"states" doc:"How many states of a call were looked at"`
	Ends       []CallPath `json:"ends" doc:"Everything that can become of a caller, with the longest way there"`
	Longest    *CallPath  `json:"longest,omitempty" doc:"The way that takes longest until the caller is served"`
	Worst      *CallPath  `json:"worst,omitempty" doc:"A way on which the caller is lost; when there is none, the one with the most destinations in vain"`
	Circle     []string   `json:"circle,omitempty" doc:"How a caller can come back to a menu by pressing keys, and so go round until the call is ended after 100 steps"`
}

// CallPath is what happens to one caller.
type CallPath struct {
	End         string   `json:"end" doc:"What the caller comes to" enum:"person,voicemail,goodbye,application,webhook,lost"`
	Destination string   `json:"destination,omitempty" doc:"Which one"`
	Seconds     float64  `json:"seconds" doc:"How long it takes, about: speech, ringing and waiting for keys"`
	Tried       int      `json:"tried" doc:"Destinations on the way"`
	Steps       []string `json:"steps" doc:"What happens, in order"`
	Given       Given    `json:"given" doc:"The call, to be simulated"`
}

// What a caller can come to.
const (
	EndPerson      = "person"
	EndVoicemail   = "voicemail"
	EndGoodbye     = "goodbye"
	EndApplication = "application"
	EndWebhook     = "webhook"
	EndLost        = "lost"
)

// The bounds of the exploration.
const (
	mostStates  = 50_000
	mostWork    = 3_000_000 // patterns and ways looked at, all together
	mostClasses = 5000      // kinds of input to one menu
	mostDepth   = 150       // destinations inside one another
)

// Prove explores a flow.
func (p *Plan) Prove(f *CallFlow) Proof {
	root := p.flows[f.ID]
	if root == nil || root.flow != f {
		root = p.compile(f)
	}
	x := &explorer{plan: p, ends: map[string]*reach{}}
	x.collect(root)
	all := &flowPlan{flow: f}
	for _, f := range x.flows {
		all.rules = append(all.rules, f.rules...)
	}
	worlds, zone, whole := p.allWorlds(all)
	if !whole {
		x.cut = "the conditions tell apart more times and callers than can be looked at"
	}
	for i := range worlds {
		if !x.may(1) {
			break
		}
		x.explore(root, &worlds[i])
	}
	return x.report(f, worlds, zone)
}

// collect finds the flows that calls can come to, in an order that stays.
func (x *explorer) collect(f *flowPlan) {
	x.flows = append(x.flows, f)
	seen := map[place]bool{}
	list := f.places(false)
	for n := 0; n < len(list); n++ {
		d := place{kind: list[n].kind, to: list[n].to}
		if seen[d] {
			continue
		}
		seen[d] = true
		if m := x.plan.menus[d.to]; d.kind == ToMenu && m != nil {
			list = append(list, m.places()...)
		}
		if q := x.plan.queueAt(d.kind, d.to); q != nil && q.Overflow != nil {
			list = append(list, place{kind: q.Overflow.Action, to: q.Overflow.ActionID})
		}
		if next := x.plan.flows[d.to]; d.kind == ToFlow && next != nil && next.flow.Active && !slices.Contains(x.flows, next) {
			x.flows = append(x.flows, next)
			list = append(list, next.places(false)...)
		}
	}
}

// explore follows the calls of one world.
func (x *explorer) explore(root *flowPlan, w *world) {
	x.known, x.open = map[string][]reach{}, map[string]int{}
	x.held = map[*flowPlan][]bool{}
	for held := w.held; len(held) > 0; {
		f := x.flows[len(x.held)]
		x.held[f], held = held[:len(f.rules)], held[len(f.rules):]
	}
	for _, r := range x.flow(root, spot{f: root}) {
		if r.kind == reachFailed {
			r.end = EndLost
		}
		r.world = w
		key := r.end + " " + r.to
		if best := x.ends[key]; best == nil || r.seconds > best.seconds {
			x.ends[key] = &r
		}
		if r.tried > maxHops {
			x.cut = cmp.Or(x.cut, fmt.Sprintf("there are ways of more than %d destinations, where a call is given up", maxHops))
		}
	}
}

func (x *explorer) report(f *CallFlow, worlds []world, zone *time.Location) Proof {
	p := Proof{Always: x.cut == "", Exact: x.cut == "", Cut: x.cut, Situations: len(worlds), States: x.states, Ends: []CallPath{}}
	var worst *CallPath
	for _, key := range slices.Sorted(maps.Keys(x.ends)) {
		r := x.ends[key]
		way := r.way(zone, f)
		p.Ends = append(p.Ends, way)
		if r.end == EndLost {
			p.Always = false
			p.Worst = &way
		} else if p.Longest == nil || way.Seconds > p.Longest.Seconds {
			p.Longest = &way
		}
		if worst == nil || way.Tried > worst.Tried {
			worst = &way
		}
	}
	if p.Worst == nil {
		p.Worst = worst
	}
	if x.circle != nil {
		p.Circle = x.circle.steps()
	}
	return p
}

// way is a reach as people read it, and as a call to be simulated.
func (r *reach) way(zone *time.Location, f *CallFlow) CallPath {
	w := CallPath{End: r.end, Destination: r.to, Seconds: r.seconds, Tried: r.tried}
	from := r.world.call.From
	local := r.world.at.In(zone)
	w.Given = Given{From: from, Anonymous: r.world.call.Anonymous, Verstat: r.world.call.Verstat, At: r.world.at, To: f.PhoneNumber}
	if w.Given.Anonymous {
		from = "a withheld number"
	}
	w.Steps = []string{fmt.Sprintf("a call from %s on %s (%s)", from, local.Format("Mon 2006-01-02 15:04"), zone)}
	for _, l := range r.trail.leaves(nil) {
		w.Steps = append(w.Steps, l.text)
		w.Given.Script = append(w.Given.Script, l.script...)
		if l.result != "" {
			if w.Given.Outcomes == nil {
				w.Given.Outcomes = map[string]Results{}
			}
			w.Given.Outcomes[l.to] = append(w.Given.Outcomes[l.to], string(l.result))
		}
	}
	return w
}
