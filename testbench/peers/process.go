package peers

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// stopGrace is how long a process may take to end by itself before it is killed.
const stopGrace = 3 * time.Second

// Process is a running program whose output is collected and waited for.
type Process struct {
	tb    testing.TB
	name  string
	cmd   *exec.Cmd
	stdin io.WriteCloser
	done  chan struct{} // closed once the process has ended and err is set
	err   error

	mu     sync.Mutex
	output strings.Builder
	read   int           // how much of the output Expect has consumed
	grown  chan struct{} // closed and replaced whenever output grows
}

// Start runs a program in dir, with env added to a small environment of its own: nothing of the developer's
// settings reaches it. It is stopped when the test ends, and what it said is shown when the test fails.
func Start(tb testing.TB, dir string, env []string, name string, args ...string) *Process {
	tb.Helper()
	p := &Process{tb: tb, name: name, done: make(chan struct{}), grown: make(chan struct{})}
	p.cmd = exec.CommandContext(context.Background(), name, args...)
	p.cmd.Dir = dir
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TERM=dumb", "LC_ALL=C.UTF-8"}, env...)
	p.cmd.Stdout, p.cmd.Stderr = p, p
	// A group of its own: an interrupt from the terminal reaches the test, which then ends its peers itself.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	p.cmd.WaitDelay = time.Second
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	if err := p.cmd.Start(); err != nil {
		tb.Fatalf("start %s (make setup-test installs the peers): %v", name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	tb.Cleanup(func() {
		p.Stop()
		if tb.Failed() {
			tb.Logf("%s %s said:\n%s", name, strings.Join(args, " "), tail(p.Output(), 6000))
		}
	})
	return p
}

// Write collects output; it is called by os/exec alone.
func (p *Process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.output.Write(b)
	close(p.grown)
	p.grown = make(chan struct{})
	return len(b), nil
}

// Output is everything the process has said so far.
func (p *Process) Output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.String()
}

// Type sends a line to the standard input of the process.
func (p *Process) Type(line string) {
	p.tb.Helper()
	if _, err := io.WriteString(p.stdin, line+"\n"); err != nil {
		p.tb.Fatalf("type %q to %s: %v", line, p.name, err)
	}
}

// Expect waits until the output after the last match holds pattern, and returns the match and its groups.
func (p *Process) Expect(pattern string, within time.Duration) []string {
	p.tb.Helper()
	re := regexp.MustCompile(pattern)
	timeout := time.NewTimer(within)
	defer timeout.Stop()
	for {
		match, grown := p.next(re)
		if match != nil {
			return match
		}
		select {
		case <-grown:
		case <-p.done:
			if match, _ := p.next(re); match != nil {
				return match
			}
			p.tb.Fatalf("%s ended (%v) without saying %q", p.name, p.err, pattern)
		case <-timeout.C:
			p.tb.Fatalf("%s did not say %q within %v", p.name, pattern, within)
		}
	}
}

// Said tells whether the output after the last match already holds pattern; it consumes nothing.
func (p *Process) Said(pattern string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return regexp.MustCompile(pattern).MatchString(p.output.String()[p.read:])
}

func (p *Process) next(re *regexp.Regexp) (match []string, grown <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	rest := p.output.String()[p.read:]
	where := re.FindStringSubmatchIndex(rest)
	if where == nil {
		return nil, p.grown
	}
	p.read += where[1]
	return re.FindStringSubmatch(rest), nil
}

// Wait waits for the process to end by itself and returns its exit code.
func (p *Process) Wait(within time.Duration) int {
	p.tb.Helper()
	select {
	case <-p.done:
	case <-time.After(within):
		p.tb.Fatalf("%s did not end within %v", p.name, within)
	}
	var exit *exec.ExitError
	if p.err != nil && !errors.As(p.err, &exit) {
		p.tb.Fatalf("%s: %v", p.name, p.err)
	}
	return p.cmd.ProcessState.ExitCode()
}

// Signal sends a signal to the process; one that has ended is left alone.
func (p *Process) Signal(s os.Signal) {
	_ = p.cmd.Process.Signal(s)
}

// Pid is the process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Ended is closed once the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.done }

// Stop ends the process by its id: politely, then not. It may be called again.
func (p *Process) Stop() {
	select {
	case <-p.done:
		return
	default:
	}
	p.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(stopGrace):
		p.Signal(syscall.SIGKILL)
		<-p.done
	}
}

// Talk lets a conversation go on for a while: with real peers it takes real time.
func Talk(d time.Duration) { <-time.After(d) }

func tail(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return "…" + s[len(s)-n:]
}
