package main

import (
	"context"
	"fmt"
	"log/slog"

	"b2bua/configs"
	"b2bua/exchange"
)

type serve struct{ configFile }

// Run runs the switch until the first signal, and drains it; the second signal
// ends it at once.
func (s serve) Run(w world) error {
	cfg, err := s.load(w)
	if err != nil {
		return err
	}
	log := newLogger(w, cfg.Log)
	for _, warning := range cfg.Warnings {
		log.Warn("configuration", "err", warning)
	}
	x, err := exchange.New(cfg, exchange.Options{Log: log, Version: version})
	if err != nil {
		return err
	}
	giveKey(w.stdout, x.AdminKey())
	ctx, drain := context.WithCancel(w.ctx)
	defer drain()
	over := make(chan struct{})
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		for _, react := range []func(){drain, x.Cut} {
			select {
			case <-w.signals:
				react()
			case <-over:
				return
			}
		}
	}()
	welcome := make(chan struct{})
	go func() {
		defer close(welcome)
		for _, up := range []<-chan struct{}{x.Ready(), x.Serving()} {
			select {
			case <-up:
			case <-over:
				return
			}
		}
		greet(w.stdout, cfg, x)
	}()
	err = x.Run(ctx)
	close(over)
	<-heard
	<-welcome
	return err
}

// newLogger makes the one logger, which everything is handed.
func newLogger(w world, c configs.Log) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		fmt.Fprintln(w.stderr, "log.level:", err)
	}
	o := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w.stderr, o))
	}
	return slog.New(slog.NewTextHandler(w.stderr, o))
}
