//go:build e2e

package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"b2bua/testbench/peers"
)

const (
	adminKey = "key-for-the-real-peer-tests-0123456789abcdef"
	did      = "+14155552671" // the number the tests call
	sales    = "+14155552673" // where flows send calls: the trunk
	caller   = "+14155550123"
	level    = -15.0 // dBFS of every tone that a peer plays
)

// binary is the switch, built once for all tests.
var binary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "b2bua-e2e-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "b2bua")
		build := exec.Command("go", "build", "-buildvcs=false", "-o", binary, "b2bua/cmd/b2bua")
		build.Stdout, build.Stderr = os.Stderr, os.Stderr
		if err := build.Run(); err != nil {
			fmt.Fprintln(os.Stderr, "build b2bua:", err)
			return 1
		}
		return m.Run()
	}())
}

// Switch is a running b2bua.
type Switch struct {
	*peers.Process
	t    *testing.T
	SIP  string // host:port, UDP and TCP
	API  string // https://host:port
	RTP  int    // first port of its range
	dir  string
	http *http.Client
	wrap []string // what runs the binary; nothing: itself
}

const config = `data_dir: %[1]s
sip:
  listen: %[2]s
  advertise: 127.0.0.1
%[8]smedia:
  advertise: 127.0.0.1
  ports: %[3]d-%[4]d
http:
  listen: %[5]s
  tls: {mode: self_signed}
  admin_key: %[6]s
  rate_limit: {per_second: 0}
webhooks:
  allow_private: true
trunks:
%[7]s`

// carrier is a trunk that takes calls from loopback and sends them to an address.
const carrier = `  - trunk_id: trunk_carrier
    name: carrier
    hosts: ["127.0.0.0/8"]
    probe: -1 # SIPp takes every request for a call
    outbound: {uri: "sip:%s;transport=udp"}
`

// mediaPorts gives each switch its own range below the ports that the system hands out.
var mediaPorts atomic.Int32

const (
	firstPort = 10000
	rangeSize = 1600
)

// StartSwitch starts a switch whose only trunk takes calls from loopback and sends them to the address trunk,
// and waits until it is ready.
func StartSwitch(t *testing.T, trunk string) *Switch {
	t.Helper()
	return StartSwitchWith(t, Setup{Trunks: fmt.Sprintf(carrier, trunk)})
}

// Setup is what a test wants of the switch's configuration.
type Setup struct {
	Trunks string   // the rows of trunks
	Listen []string // URLs of further sockets, "tls://127.0.0.1:5061"
	SIP    string   // further rows of sip
	Small  int      // megabytes of a disk of its own for its data; 0: no such disk
	Ports  int      // how many RTP ports it may use, if more than usual
	Wrap   []string // a command that runs it
}

// StartSwitchWith starts a switch so configured.
func StartSwitchWith(t *testing.T, o Setup) *Switch {
	t.Helper()
	dir := t.TempDir()
	s := &Switch{
		t: t, dir: dir, wrap: o.Wrap,
		SIP: address(peers.Ports(t, 2)), RTP: firstPort,
		http: insecureClient(),
	}
	ports := rangeSize
	if o.Ports > 0 {
		ports = o.Ports
	} else {
		s.RTP += int(mediaPorts.Add(1)-1) % 12 * rangeSize
	}
	sockets := []string{"udp://" + s.SIP, "tcp://" + s.SIP}
	listen := address(peers.Ports(t, 2))
	s.API = "https://" + listen
	text := fmt.Sprintf(config, filepath.Join(dir, "data"), `["`+strings.Join(append(sockets, o.Listen...), `", "`)+`"]`, s.RTP, s.RTP+ports-1, listen, adminKey, o.Trunks, o.SIP)
	if err := os.WriteFile(filepath.Join(dir, "b2bua.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.http.CloseIdleConnections)
	if o.Small > 0 {
		mount(t, filepath.Join(dir, "data"), o.Small)
	}
	s.start()
	return s
}

// mount puts a small disk into place.
func mount(t *testing.T, dir string, megabytes int) {
	t.Helper()
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", megabytes)); err != nil {
		t.Fatalf("a disk of its own (root may mount one): %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

// Restart ends the switch as an operator does and starts it again on the same data.
func (s *Switch) Restart() {
	s.t.Helper()
	s.Signal(syscall.SIGTERM)
	if code := s.Wait(15 * time.Second); code != 0 {
		s.t.Fatalf("the switch ended with exit code %d", code)
	}
	s.http.CloseIdleConnections()
	s.start()
}

func (s *Switch) start() {
	s.t.Helper()
	command := append(slices.Clone(s.wrap), binary, "serve", "--config", filepath.Join(s.dir, "b2bua.yaml"))
	s.Process = peers.Start(s.t, s.dir, nil, command[0], command[1:]...)
	s.eventually("be ready", 20*time.Second, func() bool {
		code, _, err := s.try(http.MethodGet, "/readyz", nil)
		return err == nil && code == http.StatusOK
	})
}

// eventually asks again and again until the answer is yes.
func (s *Switch) eventually(what string, within time.Duration, ask func() bool) {
	s.t.Helper()
	tick, timeout := time.NewTicker(50*time.Millisecond), time.NewTimer(within)
	defer tick.Stop()
	defer timeout.Stop()
	for !ask() {
		select {
		case <-tick.C:
		case <-s.Ended():
			s.t.Fatalf("the switch ended while it should %s", what)
		case <-timeout.C:
			s.t.Fatalf("the switch did not %s within %v", what, within)
		}
	}
}

// URI of a number at the switch.
func (s *Switch) URI(number string) string { return "sip:" + number + "@" + s.SIP }

func address(port int) string { return net.JoinHostPort(peers.Loopback, fmt.Sprint(port)) }

// nobody is an address where nothing listens.
func nobody(t *testing.T) string { return address(peers.Ports(t, 2)) }
