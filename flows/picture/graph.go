package picture

import (
	"fmt"
	"strings"

	"b2bua/flows"
)

// The measures of a graph.
const (
	cardWidth = 520
	gapX      = 110
	gapY      = 34
	head      = 54
	rowHeight = 34
	pillWidth = 210
	edgeX     = 28
	edgeY     = 28
	mostCards = 300
)

// card is a flow, a menu or a queue, with a row for everything that leads on.
type card struct {
	name, title, about string
	colour             string
	rows               []row
	depth              int
	x, y               float64
}

func (c *card) height() float64 { return head + rowHeight*float64(len(c.rows)) + 8 }

// row is one way on.
type row struct {
	key, text string // what is pressed, and under which conditions
	kind      flows.DestinationType
	to        string
	other     bool // taken when the row before has failed
}

// drawing collects the cards of a flow.
type drawing struct {
	plan  *flows.Plan
	cards []*card
	known map[string]*card
}

// Graph draws a flow: its rules, and the menus, queues and other flows that they
// lead to.
func Graph(plan *flows.Plan, f *flows.CallFlow) []byte {
	d := &drawing{plan: plan, known: map[string]*card{}}
	d.add(string(flows.ToFlow)+" "+f.ID, 0, flowCard(f))
	for n := 0; n < len(d.cards) && n < mostCards; n++ {
		c := d.cards[n]
		for _, r := range c.rows {
			d.reach(r, c.depth+1)
		}
	}
	d.place()
	var c canvas
	for _, one := range d.cards {
		d.draw(&c, one)
	}
	return c.document("Call flow " + f.Name)
}

func (d *drawing) add(name string, depth int, c *card) {
	c.name, c.depth = name, depth
	d.known[name] = c
	d.cards = append(d.cards, c)
}

func (d *drawing) reach(r row, depth int) {
	name := name(r)
	if d.known[name] != nil {
		return
	}
	switch r.kind {
	case flows.ToMenu:
		if m := d.plan.Menu(r.to); m != nil {
			d.add(name, depth, menuCard(m))
		}
	case flows.ToQueue, flows.ToRingGroup:
		if q := d.plan.Queue(r.to); q != nil && q.Overflow != nil {
			d.add(name, depth, queueCard(q))
		}
	case flows.ToFlow:
		if f := d.plan.Flow(r.to); f != nil {
			d.add(name, depth, flowCard(f))
		}
	}
}

func name(r row) string {
	if r.kind == flows.ToRingGroup {
		return string(flows.ToQueue) + " " + r.to
	}
	return string(r.kind) + " " + r.to
}

func flowCard(f *flows.CallFlow) *card {
	c := &card{title: f.Name, about: "call flow " + f.ID, colour: "c0"}
	if f.PhoneNumber != "" {
		c.about = f.PhoneNumber + " · " + c.about
	}
	if !f.Active {
		c.about += " · not active"
	}
	for _, r := range f.Routing {
		c.rows = append(c.rows, row{key: r.Pattern, text: conditions(r.Conditions), kind: r.DestinationType, to: r.Destination})
		if b := r.Fallback; b != nil {
			c.rows = append(c.rows, row{text: fmt.Sprintf("failed, or no answer in %d s", b.Timeout), kind: b.Action, to: b.ActionID, other: true})
		}
	}
	return c
}

func menuCard(m *flows.IVRMenu) *card {
	c := &card{title: m.Name, about: "IVR menu " + m.ID + " · “" + m.Prompt + "”", colour: "c3"}
	for _, o := range m.Options {
		c.rows = append(c.rows, row{key: o.Digit, kind: o.DestinationType, to: o.Destination})
	}
	if b := m.Fallback; b != nil {
		c.rows = append(c.rows, row{text: fmt.Sprintf("nothing valid in %d attempts", max(m.MaxAttempts, 1)), kind: b.Action, to: b.ActionID, other: true})
	}
	return c
}

func queueCard(q *flows.Queue) *card {
	c := &card{title: q.Name, about: fmt.Sprintf("queue %s · %s · %d members", q.ID, strings.ReplaceAll(q.Strategy, "_", " "), len(q.Members)), colour: "c4"}
	c.rows = append(c.rows, row{text: fmt.Sprintf("nobody answers within %d s", q.MaxWait), kind: q.Overflow.Action, to: q.Overflow.ActionID, other: true})
	return c
}

// conditions in a few words.
func conditions(c *flows.Conditions) string {
	if c == nil {
		return ""
	}
	var parts []string
	if t := c.TimeRange; t != nil {
		days := ""
		if len(t.Days) > 0 {
			days = strings.ToUpper(strings.Join(t.Days, " ")) + " "
			if len(t.Days) > 2 {
				days = strings.ToUpper(t.Days[0]+" … "+t.Days[len(t.Days)-1]) + " "
			}
		}
		parts = append(parts, days+t.Start+"–"+t.End)
	}
	if c.Calendar != "" {
		state := "open"
		if c.CalendarState == flows.CalendarClosed {
			state = "closed"
		}
		parts = append(parts, c.Calendar+" "+state)
	}
	for _, list := range [][]string{c.BlockedNumbers, c.AllowedNumbers} {
		switch {
		case len(list) == 1:
			parts = append(parts, "from "+list[0])
		case list != nil:
			parts = append(parts, fmt.Sprintf("from %d numbers", len(list)))
		}
	}
	if c.Anonymous != nil {
		parts = append(parts, map[bool]string{true: "number withheld", false: "number shown"}[*c.Anonymous])
	}
	if c.Verstat != nil {
		parts = append(parts, "verification "+strings.Join(c.Verstat, "/"))
	}
	return strings.Join(parts, ", ")
}

// place puts each card beside what leads to it first, below those before it.
func (d *drawing) place() {
	bottom := map[int]float64{}
	for _, c := range d.cards {
		c.x = edgeX + float64(c.depth)*(cardWidth+gapX)
		if _, begun := bottom[c.depth]; !begun {
			bottom[c.depth] = edgeY
		}
		c.y = max(bottom[c.depth], c.y)
		bottom[c.depth] = c.y + c.height() + gapY
		for i, r := range c.rows {
			if next := d.known[name(r)]; next != nil && next.depth == c.depth+1 && next.y == 0 {
				next.y = max(edgeY, c.y+head+rowHeight*(float64(i)+0.5)-head/2)
			}
		}
	}
}

// below is a height below all cards of some columns.
func (d *drawing) below(from, to int) (low float64) {
	for _, c := range d.cards {
		if c.depth >= from && c.depth <= to {
			low = max(low, c.y+c.height()+gapY/2)
		}
	}
	return low
}

func (d *drawing) draw(c *canvas, k *card) {
	c.box(k.x, k.y, cardWidth, k.height(), 10, "card", "")
	c.box(k.x, k.y, 6, k.height(), 3, k.colour, "")
	c.text(k.x+20, k.y+23, "title", k.title, cardWidth-40, 8.6)
	c.text(k.x+20, k.y+41, "soft", k.about, cardWidth-40, 6.4)
	for i, r := range k.rows {
		y := k.y + head + rowHeight*float64(i)
		if !r.other {
			c.line(k.x+14, y, k.x+cardWidth-8, y, "rule")
		}
		d.drawRow(c, k, r, y)
	}
}

func (d *drawing) drawRow(c *canvas, k *card, r row, y float64) {
	base := y + rowHeight/2 + 4.5
	if r.other {
		c.text(k.x+30, base, "soft", "↳ "+r.text, cardWidth-pillWidth-60, 6.6)
	} else {
		key := "any call"
		if r.key != "*" || !strings.HasPrefix(k.name, string(flows.ToFlow)) {
			key = r.key
		}
		width := min(130, 18+8.2*float64(len([]rune(key))))
		c.box(k.x+18, y+6, width, rowHeight-12, 6, "chip", "")
		c.text(k.x+27, base, "key", key, 120, 8.2)
		c.text(k.x+28+width, base, "soft", r.text, cardWidth-pillWidth-width-52, 6.6)
	}
	x := k.x + cardWidth - pillWidth - 10
	label, colour := describe(r)
	if d.missing(r) {
		c.box(x, y+5, pillWidth, rowHeight-10, 12, "bad", label+": is not there")
		c.text(x+12, base, "", "✕ "+label, pillWidth-20, 7.2)
		return
	}
	c.box(x, y+5, pillWidth, rowHeight-10, 12, colour, "")
	c.text(x+12, base, "on", label, pillWidth-20, 7.6)
	if next := d.known[name(r)]; next != nil {
		class := ""
		if r.other {
			class = "else"
		}
		c.edge(k.x+cardWidth-10, y+rowHeight/2, next.x, next.y+head/2, d.below(next.depth, k.depth), class)
	}
}

func (d *drawing) missing(r row) bool {
	switch r.kind {
	case flows.ToMenu:
		return d.plan.Menu(r.to) == nil
	case flows.ToVoicemail:
		return d.plan.Box(r.to) == nil
	case flows.ToQueue, flows.ToRingGroup:
		return d.plan.Queue(r.to) == nil
	case flows.ToFlow:
		return d.plan.Flow(r.to) == nil
	case flows.ToDevice:
		return d.plan.Device(r.to) == nil && d.plan.DeviceByUsername(r.to) == nil
	}
	return false
}

// describe is a destination in a few words, and its colour.
func describe(r row) (label, colour string) {
	switch r.kind {
	case flows.ToMenu:
		return "menu " + r.to, "c3"
	case flows.ToNumber:
		return "☎ " + r.to, "c1"
	case flows.ToDevice, flows.ToSIP:
		return "☎ " + r.to, "c1"
	case flows.ToVoicemail:
		return "✉ " + r.to, "c2"
	case flows.ToQueue, flows.ToRingGroup:
		return strings.ReplaceAll(string(r.kind), "_", " ") + " " + r.to, "c4"
	case flows.ToFlow:
		return "flow " + r.to, "c0"
	case flows.ToWebhook:
		return "webhook " + strings.TrimPrefix(strings.TrimPrefix(r.to, "https://"), "http://"), "c8"
	case flows.ToApplication:
		return "application", "c5"
	case flows.ToSay:
		return "say “" + r.to + "”", "c7"
	}
	return strings.TrimSpace(string(r.kind) + " " + r.to), "c6"
}
