package api_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// Everything that a client sends or gets is explained: a new field needs a doc
// tag or a line in the tables of this package.
func TestEveryFieldIsExplained(t *testing.T) {
	doc, _ := document(t, newBench(t))
	for name, schema := range doc.Components.Schemas {
		properties, _ := schema["properties"].(map[string]any)
		for field, p := range properties {
			if text, _ := p.(map[string]any)["description"].(string); text == "" {
				t.Errorf("%s.%s has no description", name, field)
			}
		}
	}
	for path, item := range doc.Paths {
		for method, op := range item {
			for _, p := range op.Parameters {
				if p.Description == "" {
					t.Errorf("%s of %s %s has no description", p.Name, method, path)
				}
			}
		}
	}
}

func TestDefaultsAreDocumented(t *testing.T) {
	doc, _ := document(t, newBench(t))
	for field, want := range map[string]string{
		"CallFlow.active": "true", "IVRMenu.max_digits": "1", "IVRMenu.timeout": "5", "IVRMenu.inter_digit_timeout": "3", "IVRMenu.finish_on_key": `"#"`,
		"IVRMenu.max_attempts": "3", "IVRMenu.barge_in": "true", "IVRMenu.language": `"en-US"`, "VoicemailBox.max_duration": "120",
		"RecordingSettings.format": `"mp3"`, "RecordingSettings.participant": `"all"`, "CallerID.from": `"original"`,
	} {
		name, field, _ := strings.Cut(field, ".")
		properties, _ := doc.Components.Schemas[name]["properties"].(map[string]any)
		p, _ := properties[field].(map[string]any)
		if got, _ := json.Marshal(p["default"]); string(got) != want {
			t.Errorf("the default of %s.%s is documented as %s, not %s", name, field, got, want)
		}
	}
}

// What the documentation shows can be sent as it stands.
func TestExamplesAreAccepted(t *testing.T) {
	text, err := os.ReadFile("examples.json")
	if err != nil {
		t.Fatal(err)
	}
	var examples map[string]json.RawMessage
	if err := json.Unmarshal(text, &examples); err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	b.runQueues()
	doc, _ := document(t, b)
	sent := map[string]bool{}
	for path, item := range doc.Paths {
		op, ok := item["post"]
		if !ok || op.RequestBody == nil {
			continue
		}
		ref, _ := op.RequestBody.Content["application/json"].Schema["$ref"].(string)
		name := strings.TrimPrefix(ref, "#/components/schemas/")
		body, ok := examples[name]
		if !ok {
			if name != "Nothing" {
				t.Errorf("%s, for %s, has no example", name, path)
			}
			continue
		}
		sent[name] = true
		if strings.Contains(path, "{id}") {
			b.want(b.do("POST", strings.ReplaceAll(path, "{id}", "call_none"), string(body)), 404, "not_found")
		} else {
			made := b.want(b.do("POST", path, string(body)), 201)
			if patch, ok := examples[name+".patch"]; ok {
				sent[name+".patch"] = true
				b.want(b.do("PATCH", made.Header().Get("Location"), string(patch)), 200)
			}
		}
	}
	for name := range examples {
		if !sent[name] && name != "MessagePatch" && name != "QueueEntryPatch" {
			t.Errorf("the example for %s belongs to no route", name)
		}
	}
}
