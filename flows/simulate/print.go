package simulate

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"b2bua/events"
	"b2bua/flows"
)

// Print writes a simulated call for people: its trace, by the time since the
// call came in, the events, and the end.
func Print(w io.Writer, f *flows.CallFlow, g flows.Given, r Result) error {
	var b strings.Builder
	begin := g.At
	if len(r.Steps) > 0 {
		begin = r.Steps[0].At
	}
	fmt.Fprintf(&b, "%s (%s): call from %s at %s\n\n", f.Name, f.ID, orElse(g.From, "a withheld number"), begin.UTC().Format(time.RFC3339))
	for _, s := range r.Steps {
		fmt.Fprintf(&b, "%8s  %-12s %s\n", since(begin, s.At), s.Kind, s.Text)
	}
	b.WriteString("\nevents\n")
	for _, e := range r.Events {
		fmt.Fprintf(&b, "%8s  %-22s %s\n", since(begin, e.Timestamp), e.Name, about(e.Data))
	}
	fmt.Fprintf(&b, "\n%s: %s", r.Outcome.Status, r.Outcome.Reason)
	if r.Outcome.SIPCode != 0 {
		fmt.Fprintf(&b, " (the caller gets %d)", r.Outcome.SIPCode)
	}
	if r.Outcome.Unused != "" {
		fmt.Fprintf(&b, "\nnobody asked for %q", r.Outcome.Unused)
	}
	b.WriteByte('\n')
	_, err := io.WriteString(w, b.String())
	return err
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func since(begin, at time.Time) string {
	d := at.Sub(begin)
	return fmt.Sprintf("%d:%04.1f", int(d.Minutes()), (d - d.Truncate(time.Minute)).Seconds())
}

// about is what matters of an event, in a few words.
func about(f events.Fact) string {
	switch f := f.(type) {
	case *events.Initiated:
		return f.From + " to " + f.To
	case *events.Answered:
		return "by " + f.AnsweredBy
	case *events.Routed:
		return f.DestinationType + " " + f.Destination
	case *events.Bridged:
		return "to " + f.BridgedTo
	case *events.DTMF:
		return f.Digit
	case *events.Gathered:
		return f.MenuID + " " + f.Digits + " (" + f.Reason + ")"
	case *events.Voicemail:
		return f.VoicemailBoxID
	case *events.Completed:
		return f.CompletionReason
	case *events.Failed:
		return f.FailureReason
	}
	return ""
}

// The reports that continuous integration reads.
type (
	suites struct {
		XMLName xml.Name `xml:"testsuites"`
		Suites  []suite  `xml:"testsuite"`
	}
	suite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Cases    []suiteCase `xml:"testcase"`
	}
	suiteCase struct {
		Name    string   `xml:"name,attr"`
		Class   string   `xml:"classname,attr"`
		Failure *failure `xml:"failure"`
	}
	failure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes reports in the XML that JUnit has made common.
func JUnit(w io.Writer, reports []Report) error {
	var out suites
	for _, r := range reports {
		s := suite{Name: r.CallFlowID, Tests: len(r.Tests), Failures: r.Failed}
		for _, t := range r.Tests {
			c := suiteCase{Name: t.Name, Class: r.CallFlowID}
			if !t.Passed {
				c.Failure = &failure{Message: strings.Join(t.Problems, "; "), Text: trace(t.Result)}
			}
			s.Cases = append(s.Cases, c)
		}
		out.Suites = append(out.Suites, s)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(out); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func trace(r Result) string {
	lines := make([]string, len(r.Steps))
	for i, s := range r.Steps {
		lines[i] = s.Kind + ": " + s.Text
	}
	return strings.Join(lines, "\n")
}
