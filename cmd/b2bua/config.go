package main

import (
	"fmt"

	"b2bua/configs"
)

type config struct {
	Check  configCheck  `cmd:"" help:"Say whether the configuration is valid."`
	Print  configPrint  `cmd:"" help:"Print the configuration in force, secrets masked."`
	Sample configSample `cmd:"" help:"Print the annotated sample file."`
}

type configFile struct {
	Config string `short:"c" type:"path" placeholder:"FILE" help:"Configuration file (YAML). Without one the defaults hold."`
}

func (f configFile) load(w world) (*configs.Config, error) {
	cfg, err := configs.Load(f.Config, w.environ)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	return cfg, nil
}

type configCheck struct{ configFile }

// Run checks the configuration.
func (c configCheck) Run(w world) error {
	cfg, err := c.load(w)
	if err != nil {
		return err
	}
	for _, warning := range cfg.Warnings {
		fmt.Fprintln(w.stderr, "warning:", warning)
	}
	fmt.Fprintln(w.stdout, "the configuration is valid")
	return nil
}

type configPrint struct{ configFile }

// Run prints the configuration in force.
func (c configPrint) Run(w world) error {
	cfg, err := c.load(w)
	if err != nil {
		return err
	}
	return cfg.Print(w.stdout)
}

type configSample struct{}

// Run prints the sample.
func (configSample) Run(w world) error {
	_, err := w.stdout.Write(configs.Sample)
	return err
}
