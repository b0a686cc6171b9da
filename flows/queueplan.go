package flows

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Queue is the queue with this id, or nil.
func (p *Plan) Queue(id string) *Queue { return p.queues[id] }

// Queues are all queues, by id.
func (p *Plan) Queues() []*Queue {
	list := make([]*Queue, 0, len(p.queues))
	for _, q := range p.queues {
		list = append(list, q)
	}
	slices.SortFunc(list, func(a, b *Queue) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

func (b *builder) addQueues() {
	gone, come := differ(b.was.Queues, b.nouns.Queues)
	if len(gone)+len(come) == 0 && b.queues != nil {
		return
	}
	b.queues = fresh(b.queues, len(come))
	for _, q := range gone {
		delete(b.queues, q.ID)
	}
	for _, q := range come {
		b.problems = append(b.problems, q.Validate().Under("queues["+q.ID+"]")...)
		if b.queues[q.ID] != nil {
			b.problems.addConflict("queue_id", "there is already a queue with the id %q; choose another", q.ID)
		}
		b.queues[q.ID] = q
	}
}

// queueAt is the queue that a destination names, or nil.
func (p *Plan) queueAt(kind DestinationType, to string) *Queue {
	if kind != ToQueue && kind != ToRingGroup {
		return nil
	}
	return p.queues[to]
}

// queuesOf are the queues that a flow and its menus lead to.
func (p *Plan) queuesOf(f *flowPlan) (found []*Queue) {
	places := f.places(false)
	for _, m := range p.presents(f) {
		places = append(places, m.places()...)
	}
	for _, d := range places {
		if q := p.queueAt(d.kind, d.to); q != nil && !slices.Contains(found, q) {
			found = append(found, q)
		}
	}
	return found
}

// queueWarnings tells of members who cannot be rung, and of where callers go who
// find none.
func (p *Plan) queueWarnings(q *Queue) []Warning {
	l := newLint(p)
	l.missingPrompts(q.Spoken())
	if len(q.Members) == 0 {
		what := "callers are sent on at once, with the result empty"
		if q.JoinWhenEmpty {
			what = "callers wait until max_wait is over, for nobody"
		}
		l.add("members", WarnQueueEmpty, "add members", "the queue has no members, so %s", what)
	}
	var list []place
	for i, m := range q.Members {
		d := place{at("members", i, "destination"), m.DestinationType, m.Destination}
		if m.DestinationType == ToDevice && !l.exists(ToDevice, m.Destination) {
			l.add(d.path, WarnDeviceMissing, "create it, or choose another", "there is no device %q yet; until there is, this member is not rung", m.Destination)
		}
		list = append(list, d)
	}
	if o := q.Overflow; o != nil {
		d := place{"overflow.action_id", o.Action, o.ActionID}
		l.missing(d)
		list = append(list, d)
		if way := l.queueWay(d, q, map[any]bool{}); way != "" {
			l.add(d.path, "loop", "send the last of them to voicemail or hangup", "a caller whom nobody answers goes round in circles: %s", way)
		}
	}
	l.reachable(list)
	return l.list
}

// queueWay is how an overflow leads back to its queue by overflows alone, "" when
// it does not.
func (l *lint) queueWay(d place, q *Queue, seen map[any]bool) string {
	next := l.plan.queueAt(d.kind, d.to)
	switch {
	case next == nil || seen[next]:
		return ""
	case next == q:
		return destinationWords(d.kind, d.to)
	case next.Overflow == nil:
		return ""
	}
	seen[next] = true
	way := l.queueWay(place{"", next.Overflow.Action, next.Overflow.ActionID}, q, seen)
	if way == "" {
		return ""
	}
	return fmt.Sprintf("%s, then %s", destinationWords(d.kind, d.to), way)
}

// queue lets the caller wait for a member. Whoever leaves the line without one
// goes where its overflow leads, before the fallback of the rule.
func (w *walk) queue(t target, why Routing) Outcome {
	q := w.env.Plan.Queue(t.to)
	if q == nil {
		return missing("there is no queue %s", t.to)
	}
	r := QueueRequest{Queue: q, Group: t.kind == ToRingGroup, Language: cmp.Or(q.Language, w.language())}
	r.MaxWait = time.Duration(q.MaxWait) * time.Second
	if r.Group { // once, and then on: nobody listens to ringing for minutes
		r.MaxWait = time.Duration(q.RingTimeout*rounds(q)) * time.Second
	}
	if ring := time.Duration(t.ring) * time.Second; ring > 0 && (ring < r.MaxWait || r.Group) {
		r.MaxWait = ring
	}
	out := w.env.Caller.Queue(w.ctx, r)
	if q.Overflow == nil || !out.Result.FallsBack() {
		return out
	}
	w.note(StepFallback, why.RuleIndex, fmt.Sprintf("queue %s: %s, so its overflow is taken: %s", q.ID, outcomeWords(out), destinationWords(q.Overflow.Action, q.Overflow.ActionID)),
		map[string]any{"queue_id": q.ID, "result": out.Result, "action": q.Overflow.Action, "action_id": q.Overflow.ActionID})
	why.Branch = Branch{queue: q, fallback: true}
	why.By, why.Because = ByFallback, "overflow of queue "+strconv.Quote(q.ID)+": "+outcomeWords(out)
	return w.pursue(target{kind: q.Overflow.Action, to: q.Overflow.ActionID, ring: q.Overflow.Timeout}, why)
}

// rounds is how many ring timeouts it takes until each member was rung once.
func rounds(q *Queue) int {
	if q.Strategy == RingAll {
		return 1
	}
	return max(1, len(q.Members))
}

// language is what the caller has been spoken to in.
func (w *walk) language() string {
	if n := len(w.visits); n > 0 && w.visits[n-1].menu.Language != "" {
		return w.visits[n-1].menu.Language
	}
	return DefaultLanguage
}
