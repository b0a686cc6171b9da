package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const officeFile = "../../flows/simulate/testdata/office.json"

// command runs a command line as main does.
func command(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr strings.Builder
	code = run(args, world{ctx: t.Context(), stdout: &stdout, stderr: &stderr})
	return code, stdout.String(), stderr.String()
}

func TestSimulateCommand(t *testing.T) {
	code, out, _ := command(t, "simulate", officeFile, "--at", "2026-11-26T10:12", "--zone", "America/New_York", "--digits", "1")
	if code != exitOK || !strings.Contains(out, "closed: 2026-11-26 is Thanksgiving in calendar us-office, America/New_York, local 10:12") {
		t.Errorf("%d %s", code, out)
	}
	code, out, _ = command(t, "simulate", officeFile, "--at", "2026-11-25T15:12:00Z", "--digits", "1", "--outcome", "+14155552673=busy", "--json")
	if code != exitOK || !strings.Contains(out, `"destination": "+14155552674"`) {
		t.Errorf("%d %s", code, out)
	}
	for _, args := range [][]string{
		{"simulate", "no-such-file.json"}, {"simulate", officeFile, "--at", "soon"}, {"simulate", officeFile, "--outcome", "x"},
		{"simulate", officeFile, "--outcome", "x=y"}, {"simulate", officeFile, "--flow", "none"}, {"simulate", officeFile, "--digits", "q"},
	} {
		if code, _, errs := command(t, args...); code != exitUsage || errs == "" {
			t.Errorf("%v: %d %s", args, code, errs)
		}
	}
}

func TestTestCommandWritesJUnit(t *testing.T) {
	report := filepath.Join(t.TempDir(), "report.xml")
	code, out, _ := command(t, "test", officeFile, "--junit", report)
	if code != exitOK || !strings.Contains(out, "5 passed, 0 failed") {
		t.Errorf("%d %s", code, out)
	}
	if xml, err := os.ReadFile(report); err != nil || !strings.Contains(string(xml), `tests="5" failures="0"`) {
		t.Errorf("%v %s", err, xml)
	}
	data, err := os.ReadFile(officeFile)
	if err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(t.TempDir(), "broken.json")
	text := strings.Replace(string(data), `"THU", "month": 11`, `"THU", "month": 10`, 1)
	if err := os.WriteFile(broken, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, _ = command(t, "test", broken)
	if code != exitFailed || !strings.Contains(out, "FAIL  cf_office: Thanksgiving goes to voicemail") || !strings.Contains(out, "4 passed, 1 failed") {
		t.Errorf("%d %s", code, out)
	}
}

func TestLintCommand(t *testing.T) {
	code, out, _ := command(t, "lint", officeFile)
	if code != exitFailed || !strings.Contains(out, "cf_office: routing[3].pattern: waits:") || !strings.Contains(out, "fix: ") {
		t.Errorf("%d %s", code, out)
	}
	good := filepath.Join(t.TempDir(), "good.json")
	if err := os.WriteFile(good, []byte(`{"name": "x", "phone_number": "+14155552671", "routing": [
		{"pattern": "*", "destination": "voicemail_default", "destination_type": "voicemail"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, _ := command(t, "lint", good); code != exitOK || !strings.Contains(out, "no fault") {
		t.Errorf("%d %s", code, out)
	}
}
