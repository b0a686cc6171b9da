//go:build !linux

package main

import (
	"context"
	"io"
	"net/netip"
	"syscall"

	"b2bua/testbench/load/stream"
)

func runBare(_ context.Context, t trial, _ netip.Addr) (outcome, error) {
	return outcome{trial: t}, stream.ErrSystem
}

func endsWithUs() *syscall.SysProcAttr { return nil }

func relay(int, io.Reader, io.Writer) error { return stream.ErrSystem }
