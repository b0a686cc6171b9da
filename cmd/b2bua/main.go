package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is set by the build.
var version = "dev"

// program is the command line. Tests run it in-process.
type program struct {
	Serve    serve       `cmd:"" help:"Run the switch."`
	Call     phoneCall   `cmd:"" help:"Place a call with the built-in phone and print what happens."`
	Simulate simulateCmd `cmd:"" help:"Walk a call through a call flow in a file and print why it goes where it goes."`
	Test     testCmd     `cmd:"" help:"Run the tests that are kept with call flows in files."`
	Lint     lintCmd     `cmd:"" help:"Look for faults in call flows in files."`
	Config   config      `cmd:"" help:"Check or print the configuration."`
	Version  versionCmd  `cmd:"" help:"Print the version."`
}

// world is what a command may touch: everything a test wants to replace.
type world struct {
	ctx     context.Context // ends with the first signal
	signals <-chan os.Signal
	stdout  io.Writer
	stderr  io.Writer
	environ []string
}

func main() {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	os.Exit(run(os.Args[1:], world{
		ctx: context.Background(), signals: signals, stdout: os.Stdout, stderr: os.Stderr, environ: os.Environ(),
	}))
}

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// errUsage wraps errors of the command line and the configuration.
var errUsage = errors.New("usage")

func run(args []string, w world) int {
	var p program
	left := -1
	parser, err := kong.New(&p,
		kong.Name("b2bua"),
		kong.Description("A self-hosted telephone switch: SIP in, call flows by API."),
		kong.UsageOnError(),
		kong.Writers(w.stdout, w.stderr),
		kong.Exit(func(code int) { left = code }), // --help must not end the process that tests us
		kong.Bind(w),
	)
	if err != nil {
		fmt.Fprintln(w.stderr, err)
		return exitUsage
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	cmd, err := parser.Parse(args)
	if left >= 0 {
		return left
	}
	if err != nil {
		fmt.Fprintf(w.stderr, "b2bua: %v\n", err)
		return exitUsage
	}
	if err := cmd.Run(w); err != nil {
		fmt.Fprintf(w.stderr, "b2bua: %v\n", err)
		if errors.Is(err, errUsage) {
			return exitUsage
		}
		return exitFailed
	}
	return exitOK
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(w world) error {
	_, err := fmt.Fprintln(w.stdout, "b2bua", version)
	return err
}
