package api

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"time"

	"b2bua/flows"
	"b2bua/flows/simulate"
	"b2bua/store"
)

const flowsPath = "/v2/call-flows"

// simulateBody is a call to be simulated, and perhaps a flow that is not saved.
type simulateBody struct {
	flows.Given
	Draft *flows.CallFlow `json:"draft,omitempty" doc:"Flow to try instead of the saved one, which need not exist"`
}

// draftBody is a flow that is not saved.
type draftBody struct {
	Draft *flows.CallFlow `json:"draft,omitempty" doc:"Flow to look at instead of the saved one, which need not exist"`
}

type (
	bodyInput struct {
		ByID
		WithBody
	}
	simulateReply struct{ Body simulate.Result }
	testsReply    struct{ Body simulate.Report }
	timelineInput struct {
		ByID
		From     time.Time `query:"from" doc:"Begin of the span; now when left out"`
		To       time.Time `query:"to" doc:"Its end, at most 400 days later; a week when left out"`
		Caller   string    `query:"caller" doc:"Number of the caller; one that is in no list when left out"`
		Revision int       `query:"revision" doc:"Revision to look at; the newest when left out" minimum:"0"`
		Compare  int       `query:"compare" doc:"Revision to compare it with" minimum:"0"`
	}
	timelineReply struct{ Body flows.Timeline }
	coverageReply struct{ Body simulate.Coverage }
	lintReply     struct {
		Body struct {
			CallFlowID string          `json:"call_flow_id" doc:"The flow"`
			Findings   []flows.Warning `json:"findings" doc:"What is wrong with it and with the menus it presents; those of menus begin with ivr_menus[id]"`
			Proof      flows.Proof     `json:"proof" doc:"What can become of callers, whatever they press and whoever does not answer"`
		}
	}
)

// flowRoutes are those a call flow has besides the six of every resource.
func (s *Server) flowRoutes() {
	row := func(method, path, id, summary string) operation {
		return operation{method: method, path: flowsPath + "/{id}" + path, id: id, summary: summary, tag: "Call flows", noun: "Call flow"}
	}
	try := row(http.MethodPost, "/simulate", "simulateCallFlow", "Simulate a call")
	try.description = "Walks a call through the flow as a real one would go, on a clock of its own: the same trace, and the events that would be told. Nobody is rung, and nothing is kept."
	try.body, try.bodyOptional = reflect.TypeFor[simulateBody](), true
	register(s, try, s.simulate)

	lint := row(http.MethodGet, "/lint", "lintCallFlow", "Look for faults in a call flow")
	lint.description = "Rules that no call comes to, times that no rule takes, circles, keys that wait or lead nowhere, destinations that are missing or have nothing behind them: each with its place and a way to mend it. Replies to saves carry the same as warnings. The proof follows every way that a call can go, and tells whether each ends with a person, a message or a goodbye, and the longest and the worst of them as calls to be simulated."
	register(s, lint, s.lint)

	taken := row(http.MethodGet, "/coverage", "getCallFlowCoverage", "Get which rules have been taken")
	taken.description = "Every rule, menu option, fallback and overflow that calls to the flow can take, with the tests that take it and how many calls have, and when last. A rule that is moved keeps its count; one that is changed begins anew. Counts are written every ten seconds and outlive a restart."
	register(s, taken, s.taken)

	span := row(http.MethodGet, "/calendar", "getCallFlowCalendar", "Get where calls go over a span of time")
	span.description = "Up to the first menu, for one caller: one stretch after the other by the wall clock, with holidays and changes of clocks marked. With compare it also says what goes elsewhere than in another revision."
	register(s, span, s.timeline)

	test := row(http.MethodPost, "/test", "testCallFlow", "Run the tests of a call flow")
	test.description = "Each test is a simulated call. With tests_required the same happens at every save, and a flow whose tests fail is refused."
	test.body, test.bodyOptional = reflect.TypeFor[draftBody](), true
	register(s, test, func(ctx context.Context, in *bodyInput) (*testsReply, error) {
		var body draftBody
		if err := decode(in.RawBody, &body, true); err != nil {
			return nil, err
		}
		plan, f, err := s.draft(in.ID, body.Draft)
		if err != nil {
			return nil, err
		}
		return &testsReply{Body: simulate.Test(ctx, plan, f, s.now())}, nil
	})
}

// lint is everything that can be found wrong with a flow.
func (s *Server) lint(ctx context.Context, in *ByID) (*lintReply, error) {
	plan := s.Store.Plan()
	f := plan.Flow(in.ID)
	if f == nil {
		return nil, notFound("Call flow")
	}
	release, err := s.think(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	out := &lintReply{}
	out.Body.CallFlowID, out.Body.Findings = in.ID, append([]flows.Warning{}, plan.Lint(in.ID)...)
	out.Body.Proof = plan.Prove(f)
	return out, nil
}

// taken is which rules of a flow calls and tests have taken.
func (s *Server) taken(ctx context.Context, in *ByID) (*coverageReply, error) {
	plan := s.Store.Plan()
	f := plan.Flow(in.ID)
	if f == nil {
		return nil, notFound("Call flow")
	}
	counted, err := s.Store.Coverage(in.ID)
	if err != nil {
		return nil, err
	}
	calls := make(map[string]simulate.Calls, len(counted))
	for key, t := range counted {
		calls[key] = simulate.Calls(t)
	}
	return &coverageReply{Body: simulate.Cover(ctx, plan, f, s.now(), calls)}, nil
}

// think waits until nobody else has something thought about: one at a time, as it
// is work, and calls go first.
func (s *Server) think(ctx context.Context) (release func(), err error) {
	select {
	case s.thinking <- struct{}{}:
		return func() { <-s.thinking }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// timeline is where the calls to a flow go.
func (s *Server) timeline(ctx context.Context, in *timelineInput) (*timelineReply, error) {
	now := s.now()
	if in.From.IsZero() {
		in.From = now
	}
	if in.To.IsZero() {
		in.To = in.From.AddDate(0, 0, 7)
	}
	if !in.To.After(in.From) || in.To.Sub(in.From) > flows.MaxTimeline {
		return nil, invalid("to", "must be later than from, by at most 400 days")
	}
	release, err := s.think(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	follow := func(revision int) (*flows.Timeline, error) {
		plan := s.Store.Plan()
		f := plan.Flow(in.ID)
		if f == nil {
			return nil, notFound("Call flow")
		}
		if revision != 0 && revision != f.Revision {
			old, err := s.Store.Flows().Revision(in.ID, revision)
			if err != nil {
				return nil, err
			}
			f, plan = old, plan.With(old)
		}
		t, err := plan.Timeline(ctx, f, flows.Call{From: in.Caller, To: f.PhoneNumber}, in.From, in.To, now)
		if errors.Is(err, flows.ErrLongTimeline) {
			return nil, invalid("to", "%s", err)
		}
		return t, err
	}
	t, err := follow(in.Revision)
	if err != nil {
		return nil, err
	}
	if in.Compare != 0 {
		old, err := follow(in.Compare)
		if err != nil {
			return nil, err
		}
		t.Compare(old)
	}
	return &timelineReply{Body: *t}, nil
}

// draft is the flow that a request is about: the draft it brings, or the saved
// one; and the plan as it would be with it.
func (s *Server) draft(id string, d *flows.CallFlow) (*flows.Plan, *flows.CallFlow, error) {
	plan := s.Store.Plan()
	if d == nil {
		if f := plan.Flow(id); f != nil {
			return plan, f, nil
		}
		return nil, nil, notFound("Call flow")
	}
	if d.ID != "" && d.ID != id {
		return nil, nil, invalid("draft.call_flow_id", "is not that of the path, %q", id)
	}
	d.ID, d.Active = id, true
	d.ApplyDefaults()
	if problems := d.Validate(); len(problems) > 0 {
		return nil, nil, &store.Invalid{Problems: problems.Under("draft")}
	}
	return plan.With(d), d, nil
}

func (s *Server) simulate(ctx context.Context, in *bodyInput) (*simulateReply, error) {
	var body simulateBody
	if err := decode(in.RawBody, &body, true); err != nil {
		return nil, err
	}
	plan, f, err := s.draft(in.ID, body.Draft)
	if err != nil {
		return nil, err
	}
	if problems := body.Validate(); len(problems) > 0 {
		return nil, &store.Invalid{Problems: problems}
	}
	if body.Webhook == flows.WebhookLive && s.Asks == nil {
		return nil, invalid("webhook", "cannot be live: webhooks are not asked here")
	}
	return &simulateReply{Body: simulate.Run(ctx, plan, f, body.Given, s.now(), s.Asks)}, nil
}

// checkTests refuses a flow that requires its tests and does not pass them. What
// is wrong with the flow itself is told by whoever saves it.
func (s *Server) checkTests(ctx context.Context, f *flows.CallFlow) error {
	if !f.TestsRequired {
		return nil
	}
	tried := *f
	tried.ApplyDefaults()
	if len(tried.Validate()) > 0 {
		return nil
	}
	report := simulate.Test(ctx, s.Store.Plan().With(&tried), &tried, s.now())
	if problems := report.Problems(); len(problems) > 0 {
		return &store.Invalid{Problems: problems}
	}
	return ctx.Err()
}
