package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// options are what the command line says.
type options struct {
	base   trial
	place  place
	suite  bool
	search bool
	json   string
	relay  int
}

func parseFlags(args []string, complain io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	flags.SetOutput(complain)
	flags.StringVar(&o.place.binary, "switch", "", "the b2bua to start, with a configuration of its own, on loopback")
	target := flags.String("target", "", "`HOST:PORT`: a running switch, by UDP, instead; its trunk must lead to -bind and show the caller, and -number lead to the trunk or to a menu whose keys lead to numbers that end with them")
	flags.StringVar(&o.base.Number, "number", ownNumber, "what is called at the -target")
	bind := flags.String("bind", "127.0.0.1:0", "`ADDRESS:PORT` of the far ends' signalling; sound has the same address")
	flags.IntVar(&o.place.pid, "pid", 0, "process of the -target, if it is on this machine, to tell what it spends")
	flags.StringVar(&o.base.Mode, "mode", modeBridge, "bridge | record | transcode | menu | ahead | bare; record makes the trial without recordings first")
	flags.IntVar(&o.base.Calls, "calls", 600, "calls at once; with -search those to begin with")
	flags.IntVar(&o.base.Rate, "rate", 100, "calls a second while they are set up")
	flags.DurationVar(&o.base.Duration, "duration", 20*time.Second, "how long is measured when all calls are up")
	flags.StringVar(&o.base.Codec, "codec", "PCMU", "codec of the callers")
	flags.StringVar(&o.base.Far, "far", "", "codec of the trunk in mode transcode; PCMA when left out, or PCMU")
	flags.DurationVar(&o.base.Ptime, "ptime", 20*time.Millisecond, "sound in a packet")
	flags.StringVar(&o.base.Keys, "digits", "", "keys that each caller presses, 0-9; in mode menu one of them")
	flags.StringVar(&o.base.KeysBy, "dtmf", keysEvents, "rfc4733 | inband | info: how they are pressed, and the trunk's dtmf")
	flags.BoolVar(&o.suite, "suite", false, "what a machine is judged by: 600 bridged calls, 500 transcoded, 2,000 callers who hear a prompt, 1,000 who press keys as tones; -calls changes all of them in proportion")
	flags.BoolVar(&o.search, "search", false, "look for the largest number of calls that fits: loss of 0.1 % at most, and one packet in a hundred 20 ms late")
	flags.StringVar(&o.json, "json", "", "`FILE` for the figures as JSON")
	flags.IntVar(&o.relay, "relay", 0, "pass packets on for mode bare: this program starts itself with it")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("what is %s", strings.Join(flags.Args(), " "))
	}
	if o.relay > 0 {
		return o, nil
	}
	var err error
	if o.place.bind, err = netip.ParseAddrPort(*bind); err != nil || !o.place.bind.Addr().Is4() {
		return o, fmt.Errorf("-bind %s: an IPv4 address and a port", *bind)
	}
	switch {
	case o.place.binary == "" && *target == "" && (o.base.Mode != modeBare || o.suite || o.search):
		return o, errors.New("say which switch: -switch or -target")
	case *target != "":
		if o.place.target, err = netip.ParseAddrPort(*target); err != nil || !o.place.target.Addr().Is4() {
			return o, fmt.Errorf("-target %s: an IPv4 address and a port", *target)
		}
	}
	o.base.Name = o.base.Mode
	return o, o.base.validate()
}

// run is the program; it returns its exit code: 1 when calls did not fit.
func run(ctx context.Context, args []string, in io.Reader, out, complain io.Writer) int {
	o, err := parseFlags(args, complain)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(complain, "load:", err)
		return 2
	case o.relay > 0:
		err = relay(o.relay, in, out)
	default:
		err = o.try(ctx, out)
	}
	if err != nil {
		fmt.Fprintln(complain, "load:", err)
		return 1
	}
	return 0
}

// errFull says that calls did not fit; the table has told why.
var errFull = errors.New("not all calls fitted")

// try makes the trials and reports.
func (o options) try(ctx context.Context, out io.Writer) error {
	trials := o.base.besides()
	if o.suite {
		trials = suite(o.base)
	}
	r := newReport()
	tell := func(x outcome) {
		r.Trials = append(r.Trials, x)
		verdict := x.misses()
		if verdict == "" {
			verdict = "fits"
		}
		fmt.Fprintf(out, "%-15s %6d calls: %s\n", x.Name, x.Calls, verdict)
	}
	var problems []error
	if !o.search || o.suite {
		for _, t := range trials {
			err := t.validate()
			var x outcome
			if err == nil {
				x, err = o.place.run(ctx, t)
			}
			if err != nil {
				x.trial, x.Problem = t, strings.ReplaceAll(err.Error(), "\n", "; ")
			}
			tell(x)
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
	fits := r.fits()
	if o.search {
		t := o.base
		t.Name = "search"
		most, err := o.place.search(ctx, t, tell)
		problems = append(problems, err)
		if most.Calls > 0 {
			r.Most = &most
		}
	}
	if !fits {
		problems = append(problems, errFull)
	}
	problems = append(problems, r.table(out))
	if o.json != "" {
		problems = append(problems, r.save(o.json))
	}
	return errors.Join(problems...)
}
