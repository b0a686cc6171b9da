package configs

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"

	"github.com/goccy/go-yaml"

	"b2bua/internal/strict"
)

// Masked stands where a secret is set.
const Masked = "********"

// secrets are the names of fields that are never shown, whatever noun they
// belong to.
var secrets = []string{"admin_key", "password", "secret", "signing_secret", "pin", "api_key"}

// Print writes the configuration in effect as YAML, without its secrets.
func (c *Config) Print(w io.Writer) error {
	data, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("print configuration: %w", err)
	}
	tree, err := strict.ParseJSON(data)
	if err != nil {
		return fmt.Errorf("print configuration: %w", err)
	}
	out, err := yaml.MarshalWithOptions(plain(tree), yaml.Indent(2), yaml.IndentSequence(true))
	if err != nil {
		return fmt.Errorf("print configuration: %w", err)
	}
	if _, err = w.Write(out); err != nil {
		return fmt.Errorf("print configuration: %w", err)
	}
	return nil
}

// plain turns the tree into what the YAML writer knows, in the same order.
func plain(v *strict.Value) any {
	switch v.Kind {
	case strict.Null:
		return nil
	case strict.Bool:
		return v.Text == "true"
	case strict.Number:
		return number(v.Text)
	case strict.List:
		out := make([]any, len(v.Items))
		for i, item := range v.Items {
			out[i] = plain(item)
		}
		return out
	case strict.Object:
		out := make(yaml.MapSlice, 0, len(v.Fields))
		for _, f := range v.Fields {
			value := plain(f.Value)
			if slices.Contains(secrets, f.Name) && !reflect.ValueOf(f.Value.Text).IsZero() {
				value = Masked
			}
			out = append(out, yaml.MapItem{Key: f.Name, Value: value})
		}
		return out
	default:
		return v.Text
	}
}

func number(text string) any {
	n := json.Number(text)
	if i, err := n.Int64(); err == nil {
		return i
	}
	f, err := n.Float64()
	if err != nil {
		return text
	}
	return f
}
