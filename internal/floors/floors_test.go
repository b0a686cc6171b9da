package floors

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	root     = "../.."
	table    = root + "/docs/ARCHITECTURE.md"
	maxLines = 400
)

// forbidden are names that say nothing about what a package is for.
var forbidden = []string{"util", "utils", "common", "types", "manager", "helper", "helpers", "misc", "shared", "base", "lib", "core", "models"}

type pkg struct {
	ImportPath, Dir, Doc               string
	GoFiles, TestGoFiles, XTestGoFiles []string
	Imports, TestImports, XTestImports []string
	Module                             struct{ Path string }
}

// name is the import path within the module.
func (p pkg) name() string { return strings.TrimPrefix(p.ImportPath, p.Module.Path+"/") }

// TestFloors fails for a package without a row, a row without a package, and an import that does not go down.
func TestFloors(t *testing.T) {
	floors, packages := readTable(t), listPackages(t)
	seen := map[string]bool{}
	for _, p := range packages {
		name := p.name()
		seen[name] = true
		floor, ok := floors[name]
		if !ok {
			t.Errorf("%s has no row in the floors table of docs/ARCHITECTURE.md", name)
			continue
		}
		for _, imported := range p.Imports {
			below, ours := strings.CutPrefix(imported, p.Module.Path+"/")
			if !ours {
				continue
			}
			if f, ok := floors[below]; ok && f >= floor {
				t.Errorf("%s (floor %d) imports %s (floor %d): arrows point down", name, floor, below, f)
			}
		}
	}
	for name := range floors {
		if !seen[name] {
			t.Errorf("the floors table has a row for %s, which does not exist", name)
		}
	}
}

// TestIntroductions keeps strangers apart: sip and media meet in call alone, sipgo stays behind sip.
func TestIntroductions(t *testing.T) {
	for _, p := range listPackages(t) {
		all := slices.Concat(p.Imports, p.TestImports, p.XTestImports)
		for _, imported := range all {
			room := p.name()
			if strings.HasPrefix(imported, "github.com/emiago/sipgo") && !within(room, "sip") && !within(room, "testbench") {
				t.Errorf("%s imports sipgo; only sip and testbench may", room)
			}
			other := strings.TrimPrefix(imported, p.Module.Path+"/")
			if within(room, "sip") && within(other, "media") || within(room, "media") && within(other, "sip") {
				t.Errorf("%s imports %s: sip and media do not know each other", room, other)
			}
		}
	}
}

// TestPhoneSharesNoMistakes keeps the softphone free of the code that it tests.
func TestPhoneSharesNoMistakes(t *testing.T) {
	allowed := []string{"testbench/memnet", "media/audio", "media/codec"}
	for _, p := range listPackages(t) {
		if p.name() != "testbench/phone" {
			continue
		}
		for _, imported := range p.Imports {
			if room, ours := strings.CutPrefix(imported, p.Module.Path+"/"); ours && !slices.Contains(allowed, room) {
				t.Errorf("testbench/phone imports %s: a phone that shares our parser shares our mistakes", room)
			}
		}
	}
}

// TestPackagesSayWhatTheyAre wants a doc.go with a package comment, a name that means something, and files that
// can be read in one sitting.
func TestPackagesSayWhatTheyAre(t *testing.T) {
	for _, p := range listPackages(t) {
		if slices.Contains(forbidden, filepath.Base(p.name())) {
			t.Errorf("%s: the name does not say what the package is for", p.name())
		}
		if comment, err := packageComment(filepath.Join(p.Dir, "doc.go")); err != nil {
			t.Errorf("%s: %v", p.name(), err)
		} else if !strings.HasPrefix(comment, "Package ") && !strings.HasPrefix(comment, "Command ") {
			t.Errorf("%s: doc.go has no package comment", p.name())
		}
		for _, file := range p.GoFiles {
			if n := lines(t, filepath.Join(p.Dir, file)); n > maxLines {
				t.Errorf("%s/%s has %d lines, more than %d", p.name(), file, n, maxLines)
			}
		}
	}
}

// TestSipgoKeepsItsName wants sipgo's message package to be called sipmsg, so that sip always means ours.
func TestSipgoKeepsItsName(t *testing.T) {
	for _, p := range listPackages(t) {
		for _, file := range slices.Concat(p.GoFiles, p.TestGoFiles, p.XTestGoFiles) {
			parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, file), nil, parser.ImportsOnly)
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range parsed.Imports {
				if i.Path.Value == `"github.com/emiago/sipgo/sip"` && (i.Name == nil || i.Name.Name != "sipmsg") {
					t.Errorf("%s/%s: import sipgo's message package as sipmsg", p.name(), file)
				}
			}
		}
	}
}

func within(room, top string) bool { return room == top || strings.HasPrefix(room, top+"/") }

// readTable reads rows such as "| `media/sdp` | 1 | … |".
func readTable(t *testing.T) map[string]int {
	t.Helper()
	text, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	floors := map[string]int{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z0-9/]+)` \\| (-?\\d+) \\| \\S").FindAllStringSubmatch(string(text), -1) {
		if _, twice := floors[row[1]]; twice {
			t.Errorf("the floors table has two rows for %s", row[1])
		}
		floors[row[1]], _ = strconv.Atoi(row[2])
	}
	if len(floors) == 0 {
		t.Fatalf("%s has no floors table", table)
	}
	return floors
}

// listPackages asks the go command, with the tags of the tests that need real peers.
func listPackages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-tags", "e2e", "-json", "./...")
	cmd.Dir = root
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &complaint)
	}
	var packages []pkg
	for in := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := in.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		packages = append(packages, p)
	}
}

func packageComment(path string) (string, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.PackageClauseOnly)
	if err != nil {
		return "", fmt.Errorf("no doc.go to read: %w", err)
	}
	return parsed.Doc.Text(), nil
}

func lines(t *testing.T, path string) int {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for in := bufio.NewScanner(f); in.Scan(); n++ {
	}
	return n
}
