package flows_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"b2bua/flows"
)

// pageFlows are the call flow bodies of the API's page, as they stand there.
var pageFlows = map[string]string{
	"Support Line": `{
"name": "Support Line",
"phone_number": "+14155552671",
"routing": [
{
"pattern": "*",
"destination": "ivr_main",
"destination_type": "ivr_menu"
}
]
}`,
	"Direct Line": `{
"name": "Direct Line",
"routing": [
{
"pattern": "*",
"destination": "+14155552673",
"destination_type": "phone_number"
}
]
}`,
	"Business Hours Routing": `{
"name": "Business Hours Routing",
"routing": [
{
"pattern": "*",
"destination": "+14155552673",
"destination_type": "phone_number",
"conditions": {
"time_range": {
"start": "09:00",
"end": "17:00",
"timezone": "America/New_York",
"days": ["MON", "TUE", "WED", "THU", "FRI"]
}
}
},
{
"pattern": "*",
"destination": "voicemail_default",
"destination_type": "voicemail"
}
]
}`,
	"Support Menu": `{
"name": "Support Menu",
"routing": [
{
"pattern": "*",
"destination": "ivr_support_menu",
"destination_type": "ivr_menu"
},
{
"pattern": "1",
"destination": "+14155552673",
"destination_type": "phone_number"
},
{
"pattern": "2",
"destination": "+14155552674",
"destination_type": "phone_number"
},
{
"pattern": "3",
"destination": "voicemail_default",
"destination_type": "voicemail"
}
]
}`,
	"Smart Routing": `{
"name": "Smart Routing",
"routing": [
{
"pattern": "*",
"destination": "https://your-api.example.com/route-call",
"destination_type": "webhook"
}
]
}`,
	"Fallback Routing": `{
"name": "Fallback Routing",
"routing": [
{
"pattern": "*",
"destination": "+14155552673",
"destination_type": "phone_number",
"fallback": {
"timeout": 30,
"action": "voicemail",
"action_id": "voicemail_default"
}
}
]
}`,
	"Screened Routing": `{
"name": "Screened Routing",
"routing": [
{
"pattern": "*",
"destination": "voicemail_default",
"destination_type": "voicemail",
"conditions": {
"blocked_numbers": ["+14155552699", "+14155552698"]
}
},
{
"pattern": "*",
"destination": "+14155552673",
"destination_type": "phone_number"
}
]
}`,
}

// strict decodes with unknown fields refused, as the API does.
func strict(t testing.TB, body string, into any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Fatalf("decode %s: %v", body, err)
	}
}

func readFlow(t testing.TB, id, body string) *flows.CallFlow {
	t.Helper()
	f := flows.NewCallFlow()
	strict(t, body, f)
	f.ID = id
	f.ApplyDefaults()
	if problems := f.Validate(); len(problems) > 0 {
		t.Fatalf("%s: %v", f.Name, problems)
	}
	return f
}

func TestEveryCallFlowOfThePageIsGood(t *testing.T) {
	for name, body := range pageFlows {
		f := readFlow(t, "cf_abc123", body)
		if !f.Active {
			t.Errorf("%s: a flow is active unless it says otherwise", name)
		}
		encoded, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		var sent, back map[string]any
		_ = json.Unmarshal([]byte(body), &sent)
		_ = json.Unmarshal(encoded, &back)
		for field, value := range sent {
			want, _ := json.Marshal(value)
			got, _ := json.Marshal(back[field])
			if !bytes.Equal(got, want) {
				t.Errorf("%s: %s came back as %s, was %s", name, field, got, want)
			}
		}
	}
}

func TestThePagesFlowsLiveTogether(t *testing.T) {
	var n flows.Nouns
	for name, body := range pageFlows {
		n.Flows = append(n.Flows, readFlow(t, strings.ReplaceAll(strings.ToLower(name), " ", "_"), body))
	}
	if _, problems := flows.NewPlan(n); len(problems) > 0 {
		t.Fatal(problems)
	}
}

func TestOtherBodiesOfThePageAreGood(t *testing.T) {
	var patch struct {
		Recording *flows.Recording `json:"recording"`
	}
	strict(t, `{
"recording": {
"enabled": true,
"format": "mp3",
"participant": "all"
}
}`, &patch)
	if problems := patch.Recording.Validate(); len(problems) > 0 || !patch.Recording.Enabled {
		t.Errorf("recording: %v", problems)
	}

	var box flows.VoicemailBox
	strict(t, `{
"name": "Default Voicemail",
"greeting": "Thank you for calling. Please leave a message.",
"max_duration": 120,
"prompt": "Please record your message after the beep."
}`, &box)
	box.ApplyDefaults()
	if problems := box.Validate(); len(problems) > 0 || box.MinDuration != 2 || box.MaxSilence != 10 || box.MaxMessages != 100 {
		t.Errorf("box: %v, %+v", problems, box)
	}

	var decision flows.Decision
	strict(t, `{
"destination": "+14155552673",
"destination_type": "phone_number",
"tags": {
"routed_by": "webhook",
"queue": "support"
}
}`, &decision)
	rule := flows.Rule{Destination: decision.Destination, DestinationType: decision.DestinationType}
	if problems := rule.ValidateDestination(); len(problems) > 0 {
		t.Errorf("decision: %v", problems)
	}
}

func TestAnEmptyListOfNumbersSurvivesStorage(t *testing.T) {
	f := readFlow(t, "cf", `{"name":"n","routing":[{"pattern":"*","destination":"b","destination_type":"voicemail","conditions":{"blocked_numbers":[]}}]}`)
	stored, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	again := readFlow(t, "cf", string(stored))
	if list := again.Routing[0].Conditions.BlockedNumbers; list == nil {
		t.Errorf("a rule for nobody became a rule for everybody: %s", stored)
	}
}

func FuzzCallFlow(f *testing.F) {
	for _, body := range pageFlows {
		f.Add(body)
	}
	f.Add(`{"name":"x","routing":[{"pattern":"[","destination":"","destination_type":"say","conditions":{"time_range":{}},"fallback":{}}],"tags":{"":""}}`)
	f.Fuzz(func(t *testing.T, body string) {
		flow := flows.NewCallFlow()
		if json.Unmarshal([]byte(body), flow) != nil {
			return
		}
		flow.ApplyDefaults()
		problems := flow.Validate()
		for _, p := range problems {
			if p.Message == "" || p.Slug == "" {
				t.Fatalf("a problem without words: %+v", p)
			}
		}
		plan, found := flows.NewPlan(flows.Nouns{Flows: []*flows.CallFlow{flow}})
		if (len(problems) == 0) != (len(found) == 0) || (plan == nil) != (len(found) > 0) {
			t.Fatalf("Validate says %v, NewPlan says %v", problems, found)
		}
		if plan == nil {
			return
		}
		plan.Warnings(flows.KindFlow, flow.ID)
		flows.Run(t.Context(), newStory(t, plan, flow).env())
	})
}
