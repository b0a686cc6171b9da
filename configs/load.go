package configs

import (
	_ "embed"
	"errors"
	"fmt"
	"os"

	"b2bua/internal/strict"
)

// Sample is the annotated configuration file: every key at its default.
//
//go:embed sample.yaml
var Sample []byte

// Load reads the file at path, then the environment (as os.Environ gives it),
// over the defaults. Without a path the switch starts as a demonstration that
// trusts this machine only. Every problem found is reported at once.
func Load(path string, environ []string) (*Config, error) {
	tree := &strict.Value{Kind: strict.Object}
	c := Default()
	if path == "" {
		c.Demo = true
	} else {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read configuration: %w", err)
		}
		if tree, err = parseYAML(data); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	if err := c.fill(tree, path); err != nil {
		return nil, err
	}
	env, warnings, err := environment(environ)
	if err != nil {
		return nil, err
	}
	if err := c.fill(env, "environment"); err != nil {
		return nil, err
	}
	c.Warnings = warnings
	c.complete()
	if err := c.Validate(); err != nil {
		if path != "" {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return nil, err
	}
	return c, nil
}

// Parse reads a configuration from memory, without the environment.
func Parse(data []byte) (*Config, error) {
	tree, err := parseYAML(data)
	if err != nil {
		return nil, err
	}
	c := Default()
	if err := c.fill(tree, ""); err != nil {
		return nil, err
	}
	c.complete()
	return c, c.Validate()
}

// complete adds what follows from what was given.
func (c *Config) complete() {
	if c.Demo {
		c.demonstrate()
	}
	for i := range c.Trunks {
		c.Trunks[i].ApplyDefaults()
	}
	for i := range c.Devices {
		c.Devices[i].ApplyDefaults()
	}
	for i := range c.PhoneNumbers {
		c.PhoneNumbers[i].ApplyDefaults()
	}
}

func (c *Config) fill(tree *strict.Value, source string) error {
	var errs []error
	for _, p := range strict.Decode(tree, c) {
		if source != "" {
			errs = append(errs, fmt.Errorf("%s: %w", source, p))
			continue
		}
		errs = append(errs, p)
	}
	return errors.Join(errs...)
}
