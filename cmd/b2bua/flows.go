package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"b2bua/flows"
	"b2bua/flows/simulate"
)

// flowFiles are call flows in files, with what they need.
type flowFiles struct {
	Files []string `arg:"" name:"file" type:"path" help:"A call flow as the API takes it, or an object with lists call_flows, ivr_menus, calendars …; several files are read as one."`
}

func (f flowFiles) read() (*simulate.Bundle, *flows.Plan, error) {
	var b simulate.Bundle
	for _, name := range f.Files {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %w", errUsage, err)
		}
		if err := b.Read(data); err != nil {
			return nil, nil, fmt.Errorf("%w: %s: %w", errUsage, name, err)
		}
	}
	if len(b.Flows()) == 0 {
		return nil, nil, fmt.Errorf("%w: the files hold no call flow", errUsage)
	}
	plan, err := b.Plan()
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	return &b, plan, nil
}

type simulateCmd struct {
	flowFiles
	Flow    string   `help:"Id of the flow to call; the one that has the number of --to, or the first, when left out."`
	From    string   `default:"+14155550199" help:"Number of the caller; empty when it is withheld."`
	To      string   `help:"Number that is dialled."`
	At      string   `help:"When: 2026-11-26T10:12 in the zone of --zone, or with an offset. Now when left out."`
	Zone    string   `default:"UTC" help:"IANA zone of --at."`
	Digits  string   `help:"Keys to press; a comma waits until the caller is asked again, two commas are silence."`
	Outcome []string `help:"What comes of a destination: +14155552673=busy; * is any. May be given several times." placeholder:"DESTINATION=RESULT"`
	JSON    bool     `name:"json" help:"Print the trace and the events as JSON."`
}

// Run simulates one call and prints it.
func (c simulateCmd) Run(w world) error {
	b, plan, err := c.read()
	if err != nil {
		return err
	}
	g := flows.Given{From: c.From, To: c.To, Digits: c.Digits}
	if g.At, err = readMoment(c.At, c.Zone); err != nil {
		return fmt.Errorf("%w: --at: %w", errUsage, err)
	}
	for _, o := range c.Outcome {
		to, result, ok := strings.Cut(o, "=")
		if !ok {
			return fmt.Errorf("%w: --outcome %q: write it as +14155552673=busy", errUsage, o)
		}
		if g.Outcomes == nil {
			g.Outcomes = map[string]flows.Results{}
		}
		g.Outcomes[to] = append(g.Outcomes[to], result)
	}
	if problems := g.Validate(); len(problems) > 0 {
		return fmt.Errorf("%w: %w", errUsage, problems)
	}
	f := b.Flows()[0]
	if found, _ := plan.Lookup(c.To); c.To != "" && found != nil {
		f = found
	}
	if c.Flow != "" {
		if f = plan.Flow(c.Flow); f == nil {
			return fmt.Errorf("%w: the files hold no call flow %q", errUsage, c.Flow)
		}
	}
	r := simulate.Run(w.ctx, plan, f, g, time.Now(), nil)
	if c.JSON {
		e := json.NewEncoder(w.stdout)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	return simulate.Print(w.stdout, f, g, r)
}

// readMoment reads a time with its offset, or by the wall clock of a zone.
func readMoment(text, zone string) (time.Time, error) {
	if text == "" {
		return time.Now(), nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return time.Time{}, err
	}
	text = strings.Replace(text, " ", "T", 1)
	for _, form := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if at, err := time.ParseInLocation(form, text, loc); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time; write it as 2026-11-26T10:12", text)
}

type lintCmd struct{ flowFiles }

var errFaults = errors.New("faults were found")

// Run prints what is wrong with the flows of the files, each menu once.
func (c lintCmd) Run(w world) error {
	b, plan, err := c.read()
	if err != nil {
		return err
	}
	told := map[string]bool{}
	found := 0
	for _, f := range b.Flows() {
		for _, fault := range plan.Lint(f.ID) {
			place := f.ID + ": " + fault.Path
			if strings.HasPrefix(fault.Path, "ivr_menus[") {
				place = fault.Path
			}
			line := fmt.Sprintf("%s: %s: %s\n      fix: %s\n", place, fault.Code, fault.Message, fault.Fix)
			if !told[line] {
				told[line] = true
				found++
				fmt.Fprint(w.stdout, line)
			}
		}
	}
	for _, f := range b.Flows() {
		printProof(w.stdout, f, plan.Prove(f))
	}
	if found > 0 {
		return fmt.Errorf("%w: %d", errFaults, found)
	}
	fmt.Fprintln(w.stdout, "no fault was found")
	return nil
}

// printProof tells what can become of callers.
func printProof(w io.Writer, f *flows.CallFlow, p flows.Proof) {
	switch {
	case p.Always:
		fmt.Fprintf(w, "%s: every caller comes to a person, a voicemail box, a goodbye or your program", f.ID)
	case !p.Exact:
		fmt.Fprintf(w, "%s: not every way was followed: %s", f.ID, p.Cut)
	default:
		fmt.Fprintf(w, "%s: callers can be lost", f.ID)
	}
	fmt.Fprintf(w, " (%d situations, %d states)\n", p.Situations, p.States)
	path := func(name string, c *flows.CallPath) {
		if c == nil {
			return
		}
		fmt.Fprintf(w, "  %s: %s after about %.0f s\n", name, strings.TrimSpace(c.End+" "+c.Destination), c.Seconds)
		for _, s := range c.Steps {
			fmt.Fprintf(w, "    %s\n", s)
		}
	}
	path("longest", p.Longest)
	if p.Worst != nil && (p.Longest == nil || !slices.Equal(p.Worst.Steps, p.Longest.Steps)) {
		path("worst", p.Worst)
	}
	if len(p.Circle) > 0 {
		fmt.Fprintf(w, "  a caller can go round: %s\n", strings.Join(p.Circle, "; "))
	}
}

type testCmd struct {
	flowFiles
	Coverage bool   `help:"Tell which rules, options and fallbacks the tests take, and which they do not."`
	JUnit    string `name:"junit" type:"path" placeholder:"FILE" help:"Write the report there as JUnit XML, too."`
}

var errTests = errors.New("tests failed")

// Run runs the tests kept with the flows of the files.
func (c testCmd) Run(w world) error {
	b, plan, err := c.read()
	if err != nil {
		return err
	}
	var reports []simulate.Report
	passed, failed := 0, 0
	for _, f := range b.Flows() {
		r := simulate.Test(w.ctx, plan, f, time.Now())
		reports = append(reports, r)
		passed, failed = passed+r.Passed, failed+r.Failed
		for _, t := range r.Tests {
			word := "ok  "
			if !t.Passed {
				word = "FAIL"
			}
			fmt.Fprintf(w.stdout, "%s  %s: %s\n", word, f.ID, t.Name)
			for _, p := range t.Problems {
				fmt.Fprintf(w.stdout, "      %s\n", p)
			}
		}
	}
	if c.Coverage {
		for _, f := range b.Flows() {
			printCoverage(w.stdout, simulate.Cover(w.ctx, plan, f, time.Now(), nil))
		}
	}
	fmt.Fprintf(w.stdout, "%d passed, %d failed\n", passed, failed)
	if c.JUnit != "" {
		if err := writeJUnit(c.JUnit, reports); err != nil {
			return err
		}
	}
	if failed > 0 {
		return errTests
	}
	return nil
}

// printCoverage marks what no test takes.
func printCoverage(w io.Writer, c simulate.Coverage) {
	fmt.Fprintf(w, "%s: %d of %d rules, options and fallbacks are tested\n", c.CallFlowID, c.Tested, len(c.Branches))
	for _, b := range c.Branches {
		mark := "  "
		if len(b.Tests) == 0 {
			mark = "! "
		}
		fmt.Fprintf(w, "  %s%3d  %-36s %s\n", mark, len(b.Tests), b.Path, b.Text)
	}
}

func writeJUnit(name string, reports []simulate.Report) (err error) {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return simulate.JUnit(file, reports)
}
