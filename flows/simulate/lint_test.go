package simulate_test

import (
	"encoding/json"
	"os"
	"testing"
)

// planted is a case of the corpus: files with one fault, and where it must be
// found; or with none.
type planted struct {
	Name  string          `json:"name"`
	Fault string          `json:"fault"`
	Code  string          `json:"code"`
	Path  string          `json:"path"`
	Files json.RawMessage `json:"files"`
}

func corpus(t *testing.T, name string, least int) (list []planted) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err == nil {
		err = json.Unmarshal(data, &list)
	}
	if err != nil || len(list) < least {
		t.Fatalf("%d cases, %v", len(list), err)
	}
	return list
}

// "Lint finds every planted fault in a corpus of at least 60 bad flows": that
// one, at its place, with a way to mend it, and nothing else.
func TestLintFindsEveryPlantedFault(t *testing.T) {
	found := map[string]int{}
	for _, c := range corpus(t, "faults.json", 60) {
		plan, f := bundle(t, string(c.Files))
		list := plan.Lint(f.ID)
		if len(list) != 1 || list[0].Code != c.Code || list[0].Path != c.Path || list[0].Fix == "" || list[0].Message == "" {
			t.Errorf("%s: want %s %s, found %+v", c.Fault, c.Path, c.Code, list)
			continue
		}
		found[c.Code]++
	}
	t.Logf("%v", found)
}

// "… and says nothing on at least 20 good ones."
func TestLintSaysNothingAboutGoodFlows(t *testing.T) {
	for _, c := range corpus(t, "faultless.json", 20) {
		plan, f := bundle(t, string(c.Files))
		if list := plan.Lint(f.ID); len(list) > 0 {
			t.Errorf("%s: %+v", c.Name, list)
		}
	}
}
