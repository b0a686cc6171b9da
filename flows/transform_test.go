package flows_test

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"b2bua/flows"
)

// german is a trunk whose carrier writes numbers as they are dialled in Germany.
func german(t flows.Transforms) *flows.Trunk {
	return &flows.Trunk{ID: "trunk_de", Name: "de", Hosts: []string{"192.0.2.1"}, Transforms: &t}
}

func planWith(t interface{ Fatal(...any) }, trunks ...*flows.Trunk) *flows.Plan {
	plan, problems := flows.NewPlan(flows.Nouns{Trunks: trunks})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return plan
}

func TestTransformsRewriteWholeNumbers(t *testing.T) {
	plan := planWith(t, german(flows.Transforms{
		InboundFrom:  []flows.Transform{{Match: `0([1-9]\d+)`, Replace: "+49$1"}, {Match: `00(\d+)`, Replace: "+$1"}},
		InboundTo:    []flows.Transform{{Match: `\d{3}`, Replace: "+4930123${0}"}},
		OutboundFrom: []flows.Transform{{Match: `\+49(?P<rest>\d+)`, Replace: "0${rest}"}},
		OutboundTo:   []flows.Transform{{Match: `\+49(\d+)`, Replace: "0$1"}, {Match: `\+(\d+)`, Replace: "00$1"}, {Match: `1|12`, Replace: "9"}},
	}))
	for _, c := range []struct {
		way      flows.Way
		from, to string
	}{
		{flows.InboundFrom, "030901820", "+4930901820"},
		{flows.InboundFrom, "0014155552671", "+14155552671"},
		{flows.InboundFrom, "+14155552671", "+14155552671"},
		{flows.InboundFrom, "anonymous", "anonymous"},
		{flows.InboundTo, "456", "+4930123456"},
		{flows.InboundTo, "4567", "4567"},
		{flows.OutboundFrom, "+4930901820", "030901820"},
		{flows.OutboundTo, "+4930901820", "030901820"},
		{flows.OutboundTo, "+14155552671", "0014155552671"},
		{flows.OutboundTo, "12", "9"},
		{flows.OutboundTo, "123", "123"},
		{flows.OutboundTo, "", ""},
		{flows.OutboundTo, "+" + strings.Repeat("1", 64), "+" + strings.Repeat("1", 64)}, // longer than any number
	} {
		if got := plan.Rewrite("trunk_de", c.way, c.from); got != c.to {
			t.Errorf("%d %q: %q, want %q", c.way, c.from, got, c.to)
		}
	}
	if got := plan.Rewrite("another", flows.OutboundTo, "+14155552671"); got != "+14155552671" {
		t.Errorf("a trunk without transforms made %q", got)
	}
}

func TestBadTransformsAreToldWithTheirPlace(t *testing.T) {
	for _, c := range []struct {
		match, replace, path, says string
	}{
		{"", "1", "match", "missing"},
		{"(", "1", "match", "RE2"},
		{"a)(b", "1", "match", "RE2"},
		{`(\d)\1`, "1", "match", "RE2"}, // no back references in RE2
		{strings.Repeat("1", 201), "1", "match", "at most"},
		{"1", strings.Repeat("1", 201), "replace", "at most"},
		{"1", "", "replace", "makes no number"},
		{`(\d+)`, "$2", "replace", "does not have"},
		{`(\d+)`, "$1x", "replace", "${1}"},
		{`(\d+)`, "${x}", "replace", "does not have"},
		{`(\d+)`, "$", "replace", "refers to nothing"},
		{`(\d+)`, "$1@evil.example", "replace", "makes no number"},
		{`(\d+)`, "$1;x=y", "replace", "makes no number"},
		{`(\d+)`, "$1\r\nVia: x", "replace", "makes no number"},
	} {
		problems := (&flows.Transforms{OutboundTo: []flows.Transform{{Match: "1", Replace: "2"}, {Match: c.match, Replace: c.replace}}}).Validate()
		if len(problems) != 1 || problems[0].Path != "outbound_to[1]."+c.path || !strings.Contains(problems[0].Message, c.says) {
			t.Errorf("%q → %q: %v", c.match, c.replace, problems)
		}
	}
	if problems := (&flows.Transforms{InboundTo: make([]flows.Transform, 51)}).Validate(); len(problems) != 1 || problems[0].Path != "inbound_to" {
		t.Error(problems)
	}
}

// Whatever a carrier sends and whatever transforms say, what comes out can stand
// in a SIP URI, or is what came in.
func TestARewrittenNumberIsPlausible(t *testing.T) {
	plausible := regexp.MustCompile(`^[+*#0-9A-Za-z][*#0-9A-Za-z._-]{0,63}$`)
	rapid.Check(t, func(t *rapid.T) {
		x := flows.Transforms{InboundTo: []flows.Transform{{
			Match:   rapid.SampledFrom([]string{`(.*)`, `\+?(\d*)`, `(.)(.*)`, `0(\d{0,5}).*`}).Draw(t, "match"),
			Replace: rapid.SampledFrom([]string{"$1", "+$1", "$1$1$1", "*${0}#"}).Draw(t, "replace"),
		}}}
		if x.Validate().Err() != nil {
			return
		}
		in := rapid.String().Draw(t, "number")
		if out := planWith(t, german(x)).Rewrite("trunk_de", flows.InboundTo, in); out != in && !plausible.MatchString(out) {
			t.Fatalf("%q became %q", in, out)
		}
	})
}

func FuzzTransform(f *testing.F) {
	f.Add(`0([1-9]\d+)`, "+49$1", "030901820")
	f.Add(`(?i)a{1,1000}`, "${1}", "aaa")
	f.Add(`((((.*)*)*)*)*`, "$1", "a b")
	f.Fuzz(func(t *testing.T, match, replace, number string) {
		x := flows.Transforms{OutboundTo: []flows.Transform{{Match: match, Replace: replace}}}
		if x.Validate().Err() != nil {
			return
		}
		out := planWith(t, german(x)).Rewrite("trunk_de", flows.OutboundTo, number)
		if out != number && strings.ContainsAny(out, " \r\n<>@;:\"") {
			t.Errorf("%q became %q", number, out)
		}
	})
}

func TestWhomADeviceMayDial(t *testing.T) {
	for _, c := range []struct {
		allow  []string
		number string
		may    bool
	}{
		{nil, "+14155552671", false},
		{[]string{"*"}, "+14155552671", true},
		{[]string{"*"}, "14155552671", false}, // no number in E.164
		{[]string{"*"}, "sip:x@y", false},
		{[]string{"+1415*"}, "+14155552671", true},
		{[]string{"+1415*"}, "+14165552671", false},
		{[]string{"+14155552671"}, "+14155552671", true},
		{[]string{"+14155552671"}, "+141555526712", false},
		{[]string{"+49*", "+44*"}, "+442071838750", true},
		{[]string{"+49*", "+44*"}, "+882161234567", false},
	} {
		d := flows.Device{ID: "d", Username: "u", Password: "p", AllowOutbound: c.allow}
		if problems := d.Validate(); len(problems) > 0 {
			t.Fatal(problems)
		}
		if got := d.MayDial(c.number); got != c.may {
			t.Errorf("%v dials %s: %v", c.allow, c.number, got)
		}
	}
	for _, bad := range []string{"", "1415*", "+1 415*", "+*", "**", "+14*5", "900", "+1234567890123456*", "sip:*"} {
		d := flows.Device{ID: "d", Username: "u", Password: "p", AllowOutbound: []string{"*", bad}}
		if problems := d.Validate(); len(problems) != 1 || problems[0].Path != "allow_outbound[1]" || problems.Slug() != flows.SlugInvalidNumber {
			t.Errorf("%q: %v", bad, problems)
		}
	}
	if d := (flows.Device{}); d.MostCalls() != flows.DefaultDeviceCalls {
		t.Errorf("%d calls at once by default", d.MostCalls())
	}
}
