package picture_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"b2bua/flows"
	"b2bua/flows/picture"
)

var keep = flag.String("keep", "", "directory to keep the drawings in, to be looked at")

// shop is a flow with a bit of everything, whose names try to be more than text.
func shop(t *testing.T) (*flows.Plan, *flows.CallFlow) {
	t.Helper()
	hours := &flows.TimeRange{Start: "09:00", End: "17:30", Timezone: "America/New_York", Days: []string{"MON", "TUE", "WED", "THU", "FRI"}}
	f := &flows.CallFlow{ID: "cf_shop", Name: "Acme Bikes", PhoneNumber: "+14155552671", Active: true, Routing: []flows.Rule{
		{Pattern: "*", Destination: "busy", DestinationType: flows.ToReject, Conditions: &flows.Conditions{BlockedNumbers: []string{"+14155552699", "+1900*"}}},
		{Pattern: "*", Destination: "ivr_main", DestinationType: flows.ToMenu, Conditions: &flows.Conditions{TimeRange: hours, Calendar: "us-office"}},
		{Pattern: "*", Destination: "+14155552680", DestinationType: flows.ToNumber, Conditions: &flows.Conditions{TimeRange: &flows.TimeRange{Start: "10:00", End: "14:00", Timezone: "America/New_York", Days: []string{"SAT"}}},
			Fallback: &flows.Fallback{Timeout: 20, Action: flows.ToVoicemail, ActionID: "box_night"}},
		{Pattern: "1[0-9]", Destination: "https://example.com/extension", DestinationType: flows.ToWebhook},
		{Pattern: "*", Destination: "box_night", DestinationType: flows.ToVoicemail},
	}}
	menu := func(id, name, prompt string, options ...flows.Option) *flows.IVRMenu {
		m := &flows.IVRMenu{ID: id, Name: name, Prompt: prompt, Options: options, Fallback: &flows.Fallback{Action: flows.ToVoicemail, ActionID: "box_night"}}
		m.ApplyDefaults()
		return m
	}
	box := flows.DefaultBox(time.Time{})
	box.ID = "box_night"
	q := &flows.Queue{ID: "sales", Name: "Sales", Members: []flows.QueueMember{{Destination: "+14155552673", DestinationType: flows.ToNumber}}, Overflow: &flows.Fallback{Timeout: 20, Action: flows.ToVoicemail, ActionID: "box_night"}}
	q.ApplyDefaults()
	plan, problems := flows.NewPlan(flows.Nouns{
		Flows: []*flows.CallFlow{f}, Boxes: []*flows.VoicemailBox{box}, Queues: []*flows.Queue{q},
		Menus: []*flows.IVRMenu{
			menu("ivr_main", "Main menu", "Thank you for calling Acme Bikes. For sales press one, for repairs press two.",
				flows.Option{Digit: "1", Destination: "sales", DestinationType: flows.ToQueue}, flows.Option{Digit: "2", Destination: "ivr_repairs", DestinationType: flows.ToMenu},
				flows.Option{Digit: "3", Destination: "It is {time}.", DestinationType: flows.ToSay}, flows.Option{Digit: "9", Destination: "desk", DestinationType: flows.ToDevice}),
			menu("ivr_repairs", `<script>alert("x")</script> & 'Repairs'`, `"><script>alert(1)</script>`,
				flows.Option{Digit: "1", Destination: "+14155552674", DestinationType: flows.ToNumber}, flows.Option{Digit: "*", Destination: "ivr_main", DestinationType: flows.ToMenu}),
		},
		Calendars: []*flows.Calendar{{ID: "us-office", Name: "US", Timezone: "America/New_York", Dates: []flows.CalendarDate{
			{Name: "Thanksgiving", Nth: 4, Weekday: "THU", Month: 11, Closed: true}, {Name: "the day after", Nth: 4, Weekday: "THU", Month: 11, Offset: 1, Closed: true},
			{Name: "Christmas", Date: "12-25", Closed: true}, {Name: "Christmas Eve", Date: "12-24", Hours: []flows.DayHours{{Start: "09:00", End: "12:00"}}},
			{Name: "New Year", Date: "01-01", Closed: true}, {Name: "Independence Day", Date: "07-04", Closed: true}, {Name: "Labor Day", Nth: 1, Weekday: "MON", Month: 9, Closed: true},
			{Name: `</style><script>alert(2)</script>`, Date: "11-27", Closed: true},
		}}},
	})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return plan, f
}

// Whatever names hold, a drawing is well-formed, and nothing in it runs.
func TestDrawingsAreTextAndShapes(t *testing.T) {
	plan, f := shop(t)
	zone := plan.Zone(f)
	monday := time.Date(2026, 11, 23, 0, 0, 0, 0, zone)
	week, err := plan.Timeline(t.Context(), f, flows.Call{}, monday, monday.AddDate(0, 0, 7), monday)
	if err != nil {
		t.Fatal(err)
	}
	january := time.Date(2026, 1, 1, 0, 0, 0, 0, zone)
	year, err := plan.Timeline(t.Context(), f, flows.Call{}, january, january.AddDate(1, 0, 0), january)
	if err != nil {
		t.Fatal(err)
	}
	for name, drawn := range map[string]struct {
		svg  []byte
		says []string
	}{
		"graph": {picture.Graph(plan, f), []string{"Acme Bikes", "menu ivr_main", "✕ ☎ desk", "queue sales", "us-office open"}},
		"week":  {picture.Week(f.Name, week, zone), []string{"Thu Nov 26", "Thanksgiving", "09:00–17:30"}},
		"year":  {picture.Year(f.Name, year, zone), []string{"Jan 2026 – Dec 2026", "the clocks of America/New_York go forward"}},
	} {
		if *keep != "" {
			if err := os.WriteFile(filepath.Join(*keep, name+".svg"), drawn.svg, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, text := range drawn.says {
			if !bytes.Contains(drawn.svg, []byte(text)) {
				t.Errorf("%s does not say %q", name, text)
			}
		}
		harmless(t, name, drawn.svg)
	}
}

// harmless reads a drawing as a browser would.
func harmless(t *testing.T, name string, svg []byte) {
	t.Helper()
	allowed := " svg title style defs marker path pattern rect text line "
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if e, ok := token.(xml.StartElement); ok {
			if !strings.Contains(allowed, " "+e.Name.Local+" ") {
				t.Errorf("%s has a %s", name, e.Name.Local)
			}
			for _, a := range e.Attr {
				if strings.HasPrefix(a.Name.Local, "on") || strings.Contains(a.Name.Local, "href") {
					t.Errorf("%s has %s=%q", name, a.Name.Local, a.Value)
				}
			}
		}
	}
}
