package api

import (
	_ "embed"
	"encoding/json"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"b2bua/flows"
	"b2bua/store"
)

// sections are the parts of the documentation, in the order of reading.
var sections = []*huma.Tag{
	{Name: "Call flows", Description: "What happens to a call: rules that lead to menus, phones, voicemail, webhooks. A change holds from the next call on; calls that are going on keep what they began with."},
	{Name: "IVR menus", Description: "Questions that callers answer with keys."},
	{Name: "Prompts", Description: "Sounds that callers hear: uploaded, spoken from a text, fetched from a URL, or recorded on a call. A menu, a voicemail box, a queue or play-audio plays one by its prompt_id."},
	{Name: "Calendars", Description: "Opening hours, holidays, and overrides for today. Everything follows the wall clock of the calendar's zone."},
	{Name: "Voicemail", Description: "Boxes and the messages in them."},
	{Name: "Queues", Description: "Lines of callers, the members who answer them, who waits at the moment, and how it went."},
	{Name: "Calls", Description: "Calls that are going on and calls that ended, and why each went where it did."},
	{Name: "Call actions", Description: "Commands to a call that is going on. An unknown call is 404, one that is over 409 call_ended, and one in the wrong state 409 invalid_call_state."},
	{Name: "Recordings", Description: "What was recorded, and its audio."},
	{Name: "Webhooks", Description: "Receivers of events. Each delivery is signed, repeated until it is received, and kept in a log."},
	{Name: "Events", Description: "The same events, live."},
	{Name: "Devices, trunks and numbers", Description: "Phones that register here, carriers, and the phone numbers that the switch owns."},
	{Name: "API keys", Description: "Who may use this API, and for what."},
}

// examplesFile has a body for each type that a client sends.
//
//go:embed examples.json
var examplesFile []byte

var examples = func() map[string]json.RawMessage {
	all := map[string]json.RawMessage{}
	if err := json.Unmarshal(examplesFile, &all); err != nil {
		panic("api: examples.json: " + err.Error()) // part of the program, so every test sees it
	}
	return all
}()

// sameFields are types that share the descriptions of another.
var sameFields = map[string]string{"IVRMenu": "menu", "GatherDTMF": "menu"}

// describe gives a type its example, and its fields their descriptions, values
// and defaults.
func describe(name string, schema *huma.Schema) {
	if body, ok := examples[name]; ok {
		schema.Examples = []any{body}
	}
	defaults := defaultsOf(name)
	for field, p := range schema.Properties {
		if p.Description == "" {
			p.Description = description(name, field)
		}
		if values, ok := choices[name+"."+field]; ok {
			p.Enum = values
		}
		if value, ok := defaults[field]; ok && p.Ref == "" {
			p.Default = value
		}
		if most, ok := flows.Limits[name+"."+field]; ok {
			limit(p, most)
		}
		if p.Type == huma.TypeArray {
			p.Nullable = false // an empty list is [], or left out
		}
	}
}

// limit writes how much of a field is accepted, in the words of its type.
func limit(p *huma.Schema, l flows.Limit) {
	switch p.Type {
	case huma.TypeArray:
		p.MaxItems = &l.Most
		if l.Least > 0 {
			p.MinItems = &l.Least
		}
	case huma.TypeObject:
		p.MaxProperties = &l.Most
	case huma.TypeString:
		p.MaxLength = &l.Most
	case huma.TypeInteger:
		least, most := float64(l.Least), float64(l.Most)
		p.Minimum, p.Maximum = &least, &most
	}
}

func description(name, field string) string {
	if same, ok := sameFields[name]; ok {
		name = same
	}
	for _, table := range []map[string]string{planFields, queueFields, reportFields} {
		if text, ok := table[name+"."+field]; ok {
			return text
		}
	}
	return commonFields[field]
}

// defaultsOf asks the types themselves, so that the document cannot be wrong.
func defaultsOf(name string) map[string]any {
	var x interface{ ApplyDefaults() }
	switch name {
	case "CallFlow":
		x = flows.NewCallFlow()
	case "IVRMenu", "GatherDTMF":
		x = new(flows.IVRMenu)
	case "VoicemailBox":
		x = new(flows.VoicemailBox)
	case "Queue":
		x = new(flows.Queue)
	case "RecordingSettings":
		x = new(flows.Recording)
	case "Trunk":
		x = new(flows.Trunk)
	case "Device":
		x = new(flows.Device)
	case "Webhook":
		return valuesOf(store.NewWebhook())
	case "CallerID":
		t := flows.Trunk{CallerID: new(flows.CallerID)}
		t.ApplyDefaults()
		return valuesOf(t.CallerID)
	default:
		return nil
	}
	x.ApplyDefaults()
	return valuesOf(x)
}

// valuesOf are the fields of x, by their names in JSON, that are not empty.
func valuesOf(x any) map[string]any {
	all := map[string]any{}
	body, err := json.Marshal(x)
	if err == nil {
		err = json.Unmarshal(body, &all)
	}
	if err != nil {
		panic("api: defaults: " + err.Error()) // our own types always encode
	}
	for field, value := range all {
		if value == nil || reflect.ValueOf(value).IsZero() {
			delete(all, field)
		}
	}
	return all
}
