package flows

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Timeline tells where the calls to a flow go over a span of time.
type Timeline struct {
	CallFlowID   string     `json:"call_flow_id" doc:"The flow"`
	Revision     int        `json:"flow_revision" doc:"Its revision"`
	Timezone     string     `json:"timezone" doc:"Zone of the local times"`
	From         time.Time  `json:"from" doc:"Begin of the span"`
	To           time.Time  `json:"to" doc:"End of the span"`
	NextChangeAt *time.Time `json:"next_change_at,omitempty" doc:"When calls next go somewhere else, within the span"`
	Stretches    []Stretch  `json:"stretches" doc:"Where calls go, one stretch after the other"`
	Marks        []Mark     `json:"marks" doc:"Changes of clocks, and special dates of calendars"`
	Changes      []Change   `json:"changes,omitempty" doc:"Where calls go elsewhere than in the revision compared with"`
}

// Stretch is a time during which calls go to one place.
type Stretch struct {
	From            time.Time       `json:"from" doc:"Its begin"`
	To              time.Time       `json:"to" doc:"Its end"`
	Local           string          `json:"local" doc:"The same by the wall clock"`
	Rule            *int            `json:"rule,omitempty" doc:"Index in routing of the rule that takes the calls; none when they fail"`
	Destination     string          `json:"destination,omitempty" doc:"Where calls go; behind a hand-over to another flow, where they go there"`
	DestinationType DestinationType `json:"destination_type,omitempty" doc:"What that is"`
	Because         string          `json:"because" doc:"Why, at the begin"`
}

// Mark is something to look at twice.
type Mark struct {
	At   time.Time `json:"at" doc:"When"`
	Kind string    `json:"kind" doc:"What" enum:"clock_change,date"`
	Text string    `json:"text" doc:"In words"`
}

// Change is a time during which two revisions send calls to different places.
type Change struct {
	From time.Time `json:"from" doc:"Its begin"`
	To   time.Time `json:"to" doc:"Its end"`
	Text string    `json:"text" doc:"In words"`
}

// MaxTimeline is the longest span that a timeline is made of.
const MaxTimeline = 400 * 24 * time.Hour

const mostDecisions = 150_000 // edges, marks and conditions looked at for one timeline

// ErrLongTimeline says that a flow changes too often for a span.
var ErrLongTimeline = errors.New("the flow has too many conditions for so long a span; ask for a shorter one")

// Timeline follows the calls of a caller to f from one change to the next. The
// digits that callers press are not known, so it ends at menus; other flows are
// looked into. Of other destinations nobody knows how they turn out, so the first
// one is where a call goes.
func (p *Plan) Timeline(ctx context.Context, f *CallFlow, c Call, from, to, now time.Time) (*Timeline, error) {
	w, root := p.watch(f, c)
	if w.call.From == "" && !w.call.Anonymous {
		w.call.From = stranger(w.screens)
	}
	t := &Timeline{CallFlowID: f.ID, Revision: f.Revision, From: from.UTC(), To: to.UTC(), Stretches: []Stretch{}, Marks: []Mark{}}
	zone := w.local(root)
	t.Timezone = zone.String()
	if w.count(from, to); w.looked > mostDecisions {
		return nil, ErrLongTimeline
	}
	var last whither
	for n, at := range w.edges(from, to) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		w.hops, w.open = 0, map[*calendarPlan]bool{}
		is, why := w.flow(root, at, 0)
		if w.looked > mostDecisions {
			return nil, ErrLongTimeline
		}
		if n > 0 && is == last {
			continue
		}
		last = is
		t.Stretches = append(t.Stretches, is.stretch(at, w.words(why, at)))
	}
	for i := range t.Stretches {
		s := &t.Stretches[i]
		if s.To = t.To; i+1 < len(t.Stretches) {
			s.To = t.Stretches[i+1].From
		}
		s.Local = localSpan(s.From, s.To, zone)
		if t.NextChangeAt == nil && i > 0 && s.From.After(now) {
			t.NextChangeAt = &s.From
		}
	}
	t.Marks = append(t.Marks, w.marks(from, to)...)
	return t, nil
}

// watch begins to look at a flow.
func (p *Plan) watch(f *CallFlow, c Call) (*watch, *flowPlan) {
	w := &watch{plan: p, call: c, zones: map[*time.Location][]int{}, calendars: map[string]*calendarPlan{}, rules: map[*flowPlan][]watched{}}
	root := p.flows[f.ID]
	if root == nil || root.flow != f {
		root = p.compile(f)
	}
	w.collect(root)
	return w, root
}

// local is the zone by whose wall clock people read the hours of a flow.
func (w *watch) local(f *flowPlan) *time.Location {
	if f.flow.Timezone != "" || w.zone == nil {
		return f.zone
	}
	return w.zone
}

// Zone is the zone of a flow's timelines: its own, or that of its first hours.
func (p *Plan) Zone(f *CallFlow) *time.Location {
	w, root := p.watch(f, Call{})
	return w.local(root)
}

func (s Stretch) words() string {
	if s.Rule == nil {
		return "nowhere: no rule takes the call"
	}
	return destinationWords(s.DestinationType, s.Destination)
}

// localSpan is a span by the wall clock: Dec 24 14:00–17:00.
func localSpan(from, to time.Time, zone *time.Location) string {
	a, b := from.In(zone), to.In(zone)
	end := b.Format("15:04")
	if dayOf(a) != dayOf(b) {
		end = b.Format("Mon Jan 2 15:04")
	}
	return a.Format("Mon Jan 2 15:04") + "–" + end
}

// edges are the moments of the span at which something can change, its begin
// first.
func (w *watch) edges(from, to time.Time) []time.Time {
	list := []time.Time{from}
	for zone, minutes := range w.zones {
		slices.Sort(minutes)
		first := dayOf(from.In(zone))
		days := int(to.Sub(from)/(24*time.Hour)) + 2
		list = append(list, edgesBetween(zone, first, days, slices.Compact(minutes), w.moments)...)
	}
	list = slices.DeleteFunc(list, func(t time.Time) bool { return t.Before(from) || !t.Before(to) })
	slices.SortFunc(list, time.Time.Compare)
	return slices.CompactFunc(list, time.Time.Equal)
}

// marks are the changes of clocks and the special dates in a span.
func (w *watch) marks(from, to time.Time) (list []Mark) {
	for zone := range w.zones {
		for _, at := range clockEdges(zone, from, to) {
			_, before := at.Add(-time.Second).In(zone).Zone()
			_, after := at.In(zone).Zone()
			by, way := time.Duration(after-before)*time.Second, "forward"
			if by < 0 {
				by, way = -by, "back"
			}
			if by > 0 && !at.Before(from) {
				list = append(list, Mark{At: at.UTC(), Kind: "clock_change", Text: fmt.Sprintf("the clocks of %s go %s by %s, to %s",
					zone, way, shortDuration(by), at.In(zone).Format("15:04"))})
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(w.calendars)) {
		c := w.calendars[id]
		for day := dayOf(from.In(c.zone)); ; day = day.add(1) {
			begin := time.Date(day.year, day.month, day.day, 0, 0, 0, 0, c.zone)
			if !begin.Before(to) {
				break
			}
			if d := c.date(day); d != nil {
				hours := CalendarClosed
				if len(d.spans) > 0 {
					hours = d.words()
				}
				list = append(list, Mark{At: begin.UTC(), Kind: "date", Text: fmt.Sprintf("%s is %s in calendar %s: %s", day, d.name, id, hours)})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b Mark) int { return a.At.Compare(b.At) })
	return list
}

func shortDuration(d time.Duration) string {
	return strings.TrimSuffix(strings.TrimSuffix(d.String(), "0s"), "0m")
}

// Compare notes where calls go elsewhere than they did by an older timeline of
// the same span.
func (t *Timeline) Compare(old *Timeline) {
	zone, err := loadZone(t.Timezone)
	if err != nil {
		zone = time.UTC
	}
	i, j := 0, 0
	for i < len(t.Stretches) && j < len(old.Stretches) {
		is, was := t.Stretches[i], old.Stretches[j]
		from, to := later(is.From, was.From), is.To
		if was.To.Before(to) {
			to = was.To
		}
		if is.words() != was.words() {
			t.change(from, to, is.words(), was.words(), zone)
		}
		if !is.To.After(to) {
			i++
		}
		if !was.To.After(to) {
			j++
		}
	}
}

func (t *Timeline) change(from, to time.Time, is, was string, zone *time.Location) {
	text := func(from time.Time) string {
		return fmt.Sprintf("%s now goes to %s, not to %s", localSpan(from, to, zone), is, was)
	}
	if n := len(t.Changes); n > 0 && t.Changes[n-1].To.Equal(from) && strings.HasSuffix(t.Changes[n-1].Text, strings.TrimPrefix(text(from), localSpan(from, to, zone))) {
		t.Changes[n-1].To, t.Changes[n-1].Text = to, text(t.Changes[n-1].From)
		return
	}
	t.Changes = append(t.Changes, Change{From: from, To: to, Text: text(from)})
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
