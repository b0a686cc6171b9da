package flows

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"
)

// NewPlan checks the nouns, one by one and against each other, and compiles
// them. When there are problems the plan is nil.
func NewPlan(n Nouns) (*Plan, Problems) { return new(Plan).Next(n) }

// Next is NewPlan for what has become of the nouns of p. Nouns never change, so
// those that p has, too, are neither checked nor compiled again: replacing one of
// ten thousand flows costs copies of some tables.
func (p *Plan) Next(n Nouns) (*Plan, Problems) {
	b := &builder{Plan: *p, was: p.nouns}
	b.nouns = n
	b.warned, b.presenters = new(sync.Map), new(presenters)
	b.addCalendars()
	b.addFlows()
	b.addMenus()
	b.addBoxes()
	b.addQueues()
	b.addPrompts()
	b.addDevices()
	b.addNumbers()
	b.addTrunks()
	if len(b.problems) > 0 {
		return nil, b.problems
	}
	next := b.Plan
	next.secrets = sync.OnceValue(next.asksForSecrets)
	return &next, nil
}

// builder is a plan being made from the one before. A table is copied before it
// is changed.
type builder struct {
	Plan
	was      Nouns
	problems Problems
	moved    map[string]bool // ids of calendars that are not what they were
}

// differ is what one list has and the other does not, both in the order of their
// creation: nearly always one noun.
func differ[T any](was, is []*T) (gone, come []*T) {
	for len(was) > 0 && len(is) > 0 && was[0] == is[0] {
		was, is = was[1:], is[1:]
	}
	for len(was) > 0 && len(is) > 0 && was[len(was)-1] == is[len(is)-1] {
		was, is = was[:len(was)-1], is[:len(is)-1]
	}
	return was, is
}

// fresh is a table that may be changed, large enough for size entries.
func fresh[T any](table map[string]T, size int) map[string]T {
	if len(table) == 0 {
		return make(map[string]T, size)
	}
	return maps.Clone(table)
}

// addCalendars comes before the flows, whose conditions ask them.
func (b *builder) addCalendars() {
	gone, come := differ(b.was.Calendars, b.nouns.Calendars)
	if len(gone)+len(come) == 0 && b.calendars != nil {
		return
	}
	b.calendars, b.moved = fresh(b.calendars, len(come)), map[string]bool{}
	for _, c := range gone {
		delete(b.calendars, c.ID)
		b.moved[c.ID] = true
	}
	for _, c := range come {
		b.problems = append(b.problems, c.Validate().Under("calendars["+c.ID+"]")...)
		if b.calendars[c.ID] != nil {
			b.problems.addConflict("calendar_id", "there is already a calendar with the id %q; choose another", c.ID)
		}
		b.calendars[c.ID], _ = compileCalendar(c)
		b.moved[c.ID] = true
	}
}

func (b *builder) addFlows() {
	gone, come := differ(b.was.Flows, b.nouns.Flows)
	b.recompile()
	if len(gone)+len(come) == 0 && b.flows != nil {
		return
	}
	b.flows, b.dids, b.defaultFlow = fresh(b.flows, len(come)), fresh(b.dids, len(come)), slices.Clone(b.defaultFlow)
	for _, f := range gone {
		delete(b.flows, f.ID)
		if b.dids[f.PhoneNumber] == f {
			delete(b.dids, f.PhoneNumber)
		}
		if i := slices.Index(b.defaultFlow, f); i >= 0 {
			b.defaultFlow = slices.Delete(b.defaultFlow, i, i+1)
		}
	}
	for _, f := range come {
		b.addFlow(f)
	}
	older := func(x, y *CallFlow) int { return cmp.Or(x.CreatedAt.Compare(y.CreatedAt), cmp.Compare(x.ID, y.ID)) }
	if !slices.IsSortedFunc(b.defaultFlow, older) {
		slices.SortStableFunc(b.defaultFlow, older)
	}
	if b.fallback = nil; len(b.defaultFlow) > 0 {
		b.fallback = b.defaultFlow[0]
	}
}

// recompile gives flows that ask a calendar which has changed the new one.
func (b *builder) recompile() {
	if len(b.moved) == 0 {
		return
	}
	copied := false
	for id, f := range b.flows {
		if !slices.ContainsFunc(f.asks, func(c string) bool { return b.moved[c] }) {
			continue
		}
		if !copied {
			b.flows, copied = maps.Clone(b.flows), true
		}
		b.flows[id] = b.compile(f.flow)
	}
}

func (b *builder) addFlow(f *CallFlow) {
	found := f.Validate()
	b.problems = append(b.problems, found.Under("call_flows["+f.ID+"]")...)
	if b.flows[f.ID] != nil {
		b.problems.addConflict("call_flow_id", "there is already a call flow with the id %q; choose another", f.ID)
	}
	if len(found) > 0 {
		return
	}
	b.flows[f.ID] = b.compile(f)
	switch {
	case !f.Active:
	case f.PhoneNumber == "":
		b.defaultFlow = append(b.defaultFlow, f)
	case b.dids[f.PhoneNumber] != nil:
		b.problems.addConflict("phone_number",
			"the active call flows %q and %q both have the number %s; deactivate one, or give it another number",
			b.dids[f.PhoneNumber].ID, f.ID, f.PhoneNumber)
	default:
		b.dids[f.PhoneNumber] = f
	}
}

func (p *Plan) compile(f *CallFlow) *flowPlan {
	compiled := &flowPlan{flow: f, rules: make([]rulePlan, len(f.Routing)), zone: time.UTC}
	if zone, err := loadZone(f.Timezone); err == nil {
		compiled.zone = zone
	}
	list := make([]pattern, len(f.Routing))
	for i, r := range f.Routing {
		// Validate has compiled both before: there is no error to come.
		list[i], _ = compileRule(r.Pattern)
		if c := r.Conditions; c != nil && c.Calendar != "" {
			compiled.asks = append(compiled.asks, c.Calendar)
		}
		compiled.rules[i] = rulePlan{catchAll: list[i].catchAll, conditions: compileConditions(r.Conditions, p.calendars)}
	}
	compiled.patterns = newPatterns(list)
	return compiled
}

func (b *builder) addMenus() {
	gone, come := differ(b.was.Menus, b.nouns.Menus)
	if len(gone)+len(come) == 0 && b.menus != nil {
		return
	}
	b.menus = fresh(b.menus, len(come))
	for _, m := range gone {
		delete(b.menus, m.ID)
	}
	for _, m := range come {
		found := m.Validate()
		b.problems = append(b.problems, found.Under("ivr_menus["+m.ID+"]")...)
		if b.menus[m.ID] != nil {
			b.problems.addConflict("menu_id", "there is already an IVR menu with the id %q; choose another", m.ID)
		}
		if len(found) > 0 {
			continue
		}
		options := make([]pattern, len(m.Options))
		for i, o := range m.Options {
			options[i], _ = compileOption(o.Digit)
		}
		b.menus[m.ID] = &menuPlan{menu: m, patterns: newPatterns(options)}
	}
}

func (b *builder) addBoxes() {
	gone, come := differ(b.was.Boxes, b.nouns.Boxes)
	if len(gone)+len(come) == 0 && b.boxes != nil {
		return
	}
	b.boxes, b.boxByNumber = fresh(b.boxes, len(come)), fresh(b.boxByNumber, len(come))
	for _, x := range gone {
		delete(b.boxes, x.ID)
		if b.boxByNumber[x.Number] == x {
			delete(b.boxByNumber, x.Number)
		}
	}
	for _, x := range come {
		b.problems = append(b.problems, x.Validate().Under("voicemail_boxes["+x.ID+"]")...)
		if b.boxes[x.ID] != nil {
			b.problems.addConflict("voicemail_box_id", "there is already a voicemail box with the id %q; choose another", x.ID)
		}
		b.boxes[x.ID] = x
		if x.Number == "" {
			continue
		}
		if other := b.boxByNumber[x.Number]; other != nil {
			b.problems.addConflict("number", "the voicemail box %q already has the number %s; choose another", other.ID, x.Number)
		}
		b.boxByNumber[x.Number] = x
	}
}

func (b *builder) addNumbers() {
	gone, come := differ(b.was.Numbers, b.nouns.Numbers)
	if len(gone)+len(come) == 0 && b.numbers != nil {
		return
	}
	b.numbers = fresh(b.numbers, len(come))
	for _, n := range gone {
		delete(b.numbers, n.Number)
	}
	for _, n := range come {
		b.problems = append(b.problems, n.Validate().Under("phone_numbers["+n.Number+"]")...)
		if b.numbers[n.Number] != nil {
			b.problems.addConflict("phone_number", "the number %s is already listed; change that entry instead", n.Number)
		}
		b.numbers[n.Number] = n
	}
}
