package simulate

import (
	"fmt"
	"strconv"
	"time"

	"b2bua/flows"
	"b2bua/internal/strict"
)

// Bundle is what a file holds: one call flow, or lists of everything that flows
// need, each under the name that it has in the API's paths.
type Bundle struct {
	nouns flows.Nouns
	flows []*flows.CallFlow // in the order of the files
}

// Flows are the call flows of the files, in their order.
func (b *Bundle) Flows() []*flows.CallFlow { return b.flows }

// Read adds a file to the bundle. Every word must be known, as in the API.
func (b *Bundle) Read(data []byte) error {
	doc, err := strict.ParseJSON(data)
	if err != nil {
		return err
	}
	if doc.Kind != strict.Object {
		return fmt.Errorf("the file must hold an object, not %s", doc.Kind)
	}
	if _, one := doc.Get("routing"); one {
		doc = &strict.Value{Kind: strict.Object, Fields: []strict.Field{{Name: "call_flows", Value: &strict.Value{
			Kind: strict.List, Line: doc.Line, Items: []*strict.Value{doc}}}}}
	}
	var problems []strict.Problem
	for _, f := range doc.Fields {
		problems = append(problems, b.list(f)...)
	}
	if len(problems) > 0 {
		return joined(problems)
	}
	return nil
}

// joined is all problems as one error, one a line.
type joined []strict.Problem

func (j joined) Error() string {
	text := ""
	for i, p := range j {
		if i > 0 {
			text += "\n"
		}
		text += p.Error()
	}
	return text
}

func (b *Bundle) list(f strict.Field) (problems []strict.Problem) {
	n := &b.nouns
	switch f.Name {
	case "call_flows":
		return read(f, &b.flows, flows.NewCallFlow)
	case "ivr_menus":
		return read(f, &n.Menus, func() *flows.IVRMenu { return new(flows.IVRMenu) })
	case "calendars":
		return read(f, &n.Calendars, func() *flows.Calendar { return new(flows.Calendar) })
	case "voicemail_boxes":
		return read(f, &n.Boxes, func() *flows.VoicemailBox { return new(flows.VoicemailBox) })
	case "queues":
		return read(f, &n.Queues, func() *flows.Queue { return new(flows.Queue) })
	case "prompts":
		return read(f, &n.Prompts, func() *flows.Prompt { return new(flows.Prompt) })
	case "devices":
		return read(f, &n.Devices, func() *flows.Device { return &flows.Device{Password: "not in the file"} })
	case "trunks":
		return read(f, &n.Trunks, func() *flows.Trunk { return new(flows.Trunk) })
	case "phone_numbers":
		return read(f, &n.Numbers, func() *flows.PhoneNumber { return new(flows.PhoneNumber) })
	}
	return []strict.Problem{{Path: f.Name, Line: f.Line, Unknown: true,
		Message: "unknown; a file holds one call flow, or lists call_flows, ivr_menus, calendars, voicemail_boxes, queues, prompts, devices, trunks, phone_numbers"}}
}

// read decodes a list of one sort. What only replies of the API have is left
// out, so that a reply can be kept as a file.
func read[T any](f strict.Field, to *[]*T, fresh func() *T) (problems []strict.Problem) {
	if f.Value.Kind != strict.List {
		return []strict.Problem{{Path: f.Name, Line: f.Line, Message: "must be a list, not " + f.Value.Kind.String()}}
	}
	for i, item := range f.Value.Items {
		item.Remove("warnings")
		item.Remove("status")
		x := fresh()
		for _, p := range strict.Decode(item, x) {
			p.Path = f.Name + "[" + strconv.Itoa(i) + "]." + p.Path
			problems = append(problems, p)
		}
		*to = append(*to, x)
	}
	return problems
}

// Plan compiles what was read. The voicemail box and the queue that exist from
// the first start are there, too, and a flow without an id gets one.
func (b *Bundle) Plan() (*flows.Plan, error) {
	n := b.nouns
	n.Flows = b.flows
	for i, f := range n.Flows {
		if f.ID == "" {
			f.ID = "cf_" + strconv.Itoa(i+1)
		}
		f.ApplyDefaults()
	}
	has := false
	for _, x := range n.Boxes {
		x.ApplyDefaults()
		has = has || x.ID == flows.DefaultBoxID
	}
	if !has {
		n.Boxes = append(n.Boxes, flows.DefaultBox(time.Time{}))
	}
	hasQueue := false
	for _, x := range n.Queues {
		hasQueue = hasQueue || x.ID == flows.DefaultQueueID
	}
	if !hasQueue {
		n.Queues = append(n.Queues, flows.DefaultQueue())
	}
	defaults(n.Queues)
	defaults(n.Menus)
	defaults(n.Calendars)
	defaults(n.Prompts)
	defaults(n.Devices)
	defaults(n.Trunks)
	defaults(n.Numbers)
	plan, problems := flows.NewPlan(n)
	return plan, problems.Err()
}

func defaults[T interface{ ApplyDefaults() }](list []T) {
	for _, x := range list {
		x.ApplyDefaults()
	}
}
