package configs

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"b2bua/internal/strict"
)

// parseYAML reads one YAML document into a tree that remembers its lines.
// Only what a configuration needs is read: anchors, aliases, merge keys and
// tags are refused, as they make a file say what a reader does not see.
func parseYAML(data []byte) (*strict.Value, error) {
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, yamlError(err)
	}
	var body ast.Node
	for _, d := range file.Docs {
		if d.Body == nil {
			continue
		}
		if body != nil {
			return nil, fmt.Errorf("line %d: only one document is read", line(d.Body))
		}
		body = d.Body
	}
	if body == nil {
		return &strict.Value{Kind: strict.Object, Line: 1}, nil
	}
	if _, comments := body.(*ast.CommentGroupNode); comments {
		return &strict.Value{Kind: strict.Object, Line: 1}, nil
	}
	return convert(body, 0)
}

// yamlError keeps the library's sentence and line, without its drawing.
func yamlError(err error) error {
	var ye yaml.Error
	if errors.As(err, &ye) && ye.GetToken() != nil {
		return fmt.Errorf("line %d: %s", ye.GetToken().Position.Line, ye.GetMessage())
	}
	return err
}

func line(n ast.Node) int {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 0
}

func convert(n ast.Node, depth int) (*strict.Value, error) {
	v := &strict.Value{Line: line(n)}
	if depth > strict.MaxDepth {
		return nil, fmt.Errorf("line %d: nested deeper than %d levels", v.Line, strict.MaxDepth)
	}
	switch n := n.(type) {
	case *ast.NullNode:
		v.Kind = strict.Null
	case *ast.BoolNode:
		v.Kind, v.Text = strict.Bool, strconv.FormatBool(n.Value)
	case *ast.IntegerNode:
		v.Kind, v.Text = strict.Number, fmt.Sprint(n.Value)
	case *ast.FloatNode:
		v.Kind, v.Text = strict.Number, strconv.FormatFloat(n.Value, 'f', -1, 64)
	case *ast.StringNode:
		v.Kind, v.Text = strict.String, n.Value
	case *ast.LiteralNode:
		v.Kind, v.Text = strict.String, n.Value.Value
	case *ast.SequenceNode:
		return v, sequence(v, n, depth)
	case *ast.MappingNode:
		return v, mapping(v, n.Values, depth)
	case *ast.MappingValueNode:
		return v, mapping(v, []*ast.MappingValueNode{n}, depth)
	default:
		return nil, fmt.Errorf("line %d: %s cannot be used here", v.Line, strings.ToLower(n.Type().String()))
	}
	return v, nil
}

func sequence(v *strict.Value, n *ast.SequenceNode, depth int) error {
	v.Kind = strict.List
	for _, item := range n.Values {
		c, err := convert(item, depth+1)
		if err != nil {
			return err
		}
		v.Items = append(v.Items, c)
	}
	return nil
}

func mapping(v *strict.Value, values []*ast.MappingValueNode, depth int) error {
	v.Kind = strict.Object
	for _, m := range values {
		at := line(m.Key)
		name, err := keyName(m.Key)
		if err != nil {
			return err
		}
		if _, twice := v.Get(name); twice {
			return fmt.Errorf("line %d: the key %q is given twice", at, name)
		}
		c, err := convert(m.Value, depth+1)
		if err != nil {
			return err
		}
		v.Fields = append(v.Fields, strict.Field{Name: name, Line: at, Value: c})
		if len(v.Fields) == 1 {
			v.Line = at
		}
	}
	return nil
}

func keyName(k ast.MapKeyNode) (string, error) {
	if s, ok := k.(*ast.StringNode); ok {
		return s.Value, nil
	}
	if t := k.GetToken(); t != nil && t.Type != token.MergeKeyType && t.Type != token.MappingKeyType {
		return t.Value, nil
	}
	return "", fmt.Errorf("line %d: a plain name is wanted here", line(k))
}
