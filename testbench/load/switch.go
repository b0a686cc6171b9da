package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"b2bua/media/audio"
	"b2bua/media/codec"
)

const (
	adminKey = "key-of-the-load-generator-0123456789abcdef"
	// ownNumber is what callers call at a switch of ours.
	ownNumber = "+14155552671"
	// reached is the number that a call is bridged to; a menu sends the caller who
	// pressed a key to the one with that key at its end.
	reached = "+1415555010"
	// fullScale is the loudest sine in dBm0 (ITU-T G.711, A-law).
	fullScale = 3.14
	ready     = 20 * time.Second
	grace     = 5 * time.Second
)

const config = `data_dir: %[1]q
sip:
  listen: ["udp://%[2]s"]
  advertise: 127.0.0.1
media:
  bind: 127.0.0.1
  advertise: 127.0.0.1
  ports: 10000-32767 # below the ports that the system hands out
http:
  listen: %[3]s
  tls: {mode: "off"}
  admin_key: %[4]s
  rate_limit: {per_second: 0}
trunks:
  - trunk_id: trunk_load
    name: load
    hosts: ["127.0.0.0/8"]
    probe: -1
    dtmf: %[5]s
    codecs: [%[6]s]
    outbound: {uri: "sip:%[7]s;transport=udp"}
log: {level: warn}
`

// ownSwitch is a switch that was started for a trial.
type ownSwitch struct {
	cmd  *exec.Cmd
	dir  string
	sip  netip.AddrPort
	api  string
	said bytes.Buffer
	done chan struct{} // closed once it has ended
}

// startSwitch starts the switch at path so that a trial can be made with it. It
// listens at sip, and sends calls on to a trunk.
func startSwitch(ctx context.Context, path string, t trial, sip, trunk netip.AddrPort) (*ownSwitch, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("the switch: %w", err)
	}
	dir, err := os.MkdirTemp("", "b2bua-load-")
	if err != nil {
		return nil, fmt.Errorf("a folder for the switch: %w", err)
	}
	s := &ownSwitch{dir: dir, sip: sip, done: make(chan struct{})}
	if err := s.start(ctx, path, t, trunk); err != nil {
		s.stop()
		return nil, errors.Join(err, errors.New(strings.TrimSpace(s.said.String())))
	}
	return s, nil
}

func (s *ownSwitch) start(ctx context.Context, path string, t trial, trunk netip.AddrPort) error {
	listen, err := freePort("tcp4")
	if err != nil {
		return err
	}
	s.api = "http://" + listen.String()
	codecs := codec.PCMU + ", " + codec.PCMA
	if t.Codec != codec.PCMU && t.Codec != codec.PCMA || t.Far != codec.PCMU && t.Far != codec.PCMA {
		codecs = t.Codec + ", " + t.Far
	}
	text := fmt.Sprintf(config, filepath.Join(s.dir, "data"), s.sip, listen, adminKey, t.KeysBy, codecs, trunk)
	file := filepath.Join(s.dir, "b2bua.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return fmt.Errorf("configure the switch: %w", err)
	}
	if err := s.prompt(t); err != nil {
		return fmt.Errorf("the prompt: %w", err)
	}
	s.cmd = exec.CommandContext(ctx, path, "serve", "--config", file) //nolint:gosec // the user says which switch
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = s.dir, &s.said, &s.said
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }
	s.cmd.WaitDelay = grace
	s.cmd.SysProcAttr = endsWithUs()
	if err := s.cmd.Start(); err != nil {
		return fmt.Errorf("start the switch: %w", err)
	}
	go func() {
		_ = s.cmd.Wait() // how it ended is in what it said
		close(s.done)
	}()
	if err := s.await(ctx); err != nil {
		return err
	}
	return s.provision(ctx, t)
}

// prompt writes a tone that lasts for the whole trial.
func (s *ownSwitch) prompt(t trial) error {
	dir := filepath.Join(s.dir, "data", "prompts")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, "prompt_load.wav"))
	if err != nil {
		return err
	}
	lasts := t.Duration + time.Duration(t.Calls/t.Rate)*time.Second + time.Minute
	return errors.Join(audio.WriteWAV(f, audio.Tone(8000, lasts, promptVoice.Level-fullScale, promptVoice.Freq)), f.Close())
}

// await waits until the switch is ready.
func (s *ownSwitch) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, ready)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.api+"/readyz", nil)
		if err != nil {
			return err
		}
		if res, err := http.DefaultClient.Do(req); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-s.done:
			return fmt.Errorf("the switch ended: %v", s.cmd.ProcessState)
		case <-ctx.Done():
			return errors.New("the switch is not ready")
		case <-tick.C:
		}
	}
}

type object map[string]any

// provision makes the flow of the trial.
func (s *ownSwitch) provision(ctx context.Context, t trial) error {
	rule := object{"pattern": "*", "destination": reached + "0", "destination_type": "phone_number"}
	if t.Mode == modeAhead {
		if err := s.threeMenus(ctx); err != nil {
			return err
		}
		rule = object{"pattern": "*", "destination": "menu_three", "destination_type": "ivr_menu"}
	}
	if t.Mode == modeMenu {
		var options []object
		for key := range 10 {
			options = append(options, object{"digit": strconv.Itoa(key), "destination": reached + strconv.Itoa(key), "destination_type": "phone_number"})
		}
		menu := object{"menu_id": "menu_load", "name": "Load", "prompt": "prompt_load", "options": options}
		if err := s.create(ctx, "/v2/ivr-menus", menu); err != nil {
			return err
		}
		rule = object{"pattern": "*", "destination": "menu_load", "destination_type": "ivr_menu"}
	}
	flow := object{"name": "Load", "phone_number": ownNumber, "routing": []object{rule}}
	if t.Mode == modeRecord {
		flow["recording"] = object{"enabled": true, "format": "mp3", "channels": "dual"}
	}
	return s.create(ctx, "/v2/call-flows", flow)
}

// threeMenus makes menus for three, two and three keys. A key that is lost, or
// comes twice, leads nowhere or to the number of another caller, which has the
// last three keys at its end.
func (s *ownSwitch) threeMenus(ctx context.Context) error {
	var last []object
	for i := range 1000 {
		digits := fmt.Sprintf("%03d", i)
		last = append(last, object{"digit": digits, "destination": reached[:len(reached)-2] + digits, "destination_type": "phone_number"})
	}
	for _, menu := range []object{
		{"menu_id": "menu_last", "max_digits": 3, "options": last},
		{"menu_id": "menu_two", "max_digits": 2, "options": []object{{"digit": aheadOfMenus[3:], "destination": "menu_last", "destination_type": "ivr_menu"}}},
		{"menu_id": "menu_three", "max_digits": 3, "options": []object{{"digit": aheadOfMenus[:3], "destination": "menu_two", "destination_type": "ivr_menu"}}},
	} {
		menu["name"], menu["prompt"] = "Load", "prompt_load"
		if err := s.create(ctx, "/v2/ivr-menus", menu); err != nil {
			return err
		}
	}
	return nil
}

func (s *ownSwitch) create(ctx context.Context, path string, what object) error {
	body, err := json.Marshal(what)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.api+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("X-Auth-Token", adminKey)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("POST %s: %w", path, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusCreated {
		told, _ := io.ReadAll(io.LimitReader(res.Body, 1<<10))
		return fmt.Errorf("POST %s: %s %s", path, res.Status, told)
	}
	return nil
}

// metric reads one number without labels from /metrics; 0 when it is not there.
func (s *ownSwitch) metric(ctx context.Context, name string) float64 {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.api+"/metrics", nil)
	if err != nil {
		return 0
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	_, rest, _ := strings.Cut(string(text), "\n"+name+" ")
	value, _, _ := strings.Cut(rest, "\n")
	v, _ := strconv.ParseFloat(value, 64)
	return v
}

// stop ends the switch, its calls at once, and removes what it wrote.
func (s *ownSwitch) stop() {
	if s.cmd != nil && s.cmd.Process != nil {
		_ = s.cmd.Process.Signal(syscall.SIGTERM)
		_ = s.cmd.Process.Signal(syscall.SIGTERM) // the second one does not wait for calls
		select {
		case <-s.done:
		case <-time.After(grace):
			_ = s.cmd.Process.Kill()
			<-s.done
		}
	}
	_ = os.RemoveAll(s.dir)
}

// freePort is a loopback address whose port nobody has.
func freePort(network string) (netip.AddrPort, error) {
	if network == "udp4" {
		c, err := net.ListenPacket(network, "127.0.0.1:0") //nolint:noctx // bound and closed at once
		if err != nil {
			return netip.AddrPort{}, fmt.Errorf("find a free port: %w", err)
		}
		defer c.Close()
		return netip.ParseAddrPort(c.LocalAddr().String())
	}
	l, err := net.Listen(network, "127.0.0.1:0") //nolint:noctx // bound and closed at once
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("find a free port: %w", err)
	}
	defer func() { _ = l.Close() }()
	return netip.ParseAddrPort(l.Addr().String())
}
