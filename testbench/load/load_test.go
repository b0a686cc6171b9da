package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestFlags(t *testing.T) {
	o, err := parseFlags([]string{"-switch", "b2bua", "-mode", "transcode", "-codec", "pcma", "-calls", "12"}, io.Discard)
	want := trial{Number: ownNumber, Name: "transcode", Mode: modeTranscode, Calls: 12, Rate: 100, Duration: 20 * time.Second, Codec: "PCMA", Far: "PCMU", Ptime: 20 * time.Millisecond, KeysBy: keysEvents}
	if err != nil || o.base != want {
		t.Errorf("%+v, %v", o.base, err)
	}
	for args, complaint := range map[string]string{
		"":                                     "say which switch",
		"-mode bare -suite":                    "say which switch",
		"-target nowhere":                      "-target nowhere",
		"-switch x -calls 0":                   "-calls 0",
		"-switch x -rate 0":                    "-rate 0",
		"-switch x -duration 1ms":              "-duration 1ms",
		"-switch x -codec gsm":                 "-codec gsm",
		"-switch x -mode transcode -far pcmu":  "-far pcmu",
		"-switch x -mode echo":                 "-mode echo",
		"-switch x -digits 1a":                 "-digits 1a",
		"-switch x -dtmf morse":                "-dtmf morse",
		"-switch x -bind localhost":            "-bind localhost",
		"-switch x 600":                        "what is 600",
		"-target 127.0.0.1:5060 -bind [::1]:0": "-bind [::1]:0",
	} {
		if _, err := parseFlags(strings.Fields(args), io.Discard); err == nil || !strings.Contains(err.Error(), complaint) {
			t.Errorf("load %s: %v", args, err)
		}
	}
}

func TestSuiteKeepsProportions(t *testing.T) {
	var calls []int
	for _, x := range suite(trial{Calls: 60, Rate: 1, Duration: time.Second, Codec: "PCMU", Far: "PCMU", KeysBy: keysEvents}) {
		if err := x.validate(); err != nil {
			t.Errorf("%s: %v", x.Name, err)
		}
		calls = append(calls, x.Calls)
	}
	if want := []int{60, 60, 50, 200, 100, 100, 100}; !reflect.DeepEqual(calls, want) {
		t.Errorf("%v", calls)
	}
}

func TestMisses(t *testing.T) {
	good := outcome{trial: trial{Mode: modeBridge}, Received: 10_000, Expected: 10_000, Frames: 1000}
	for want, change := range map[string]func(*outcome){
		"":                    func(o *outcome) { o.Delay.P99, o.LossShare, o.Wrong = 20, 0.001, 1 },
		"nothing was heard":   func(o *outcome) { o.Received = 0 },
		"were lost":           func(o *outcome) { o.LossShare = 0.0011 },
		"came 21 ms late":     func(o *outcome) { o.Delay.P99 = 21 },
		"came 22 ms late":     func(o *outcome) { o.Mode, o.Lateness.P99, o.Delay.P99 = modeTranscode, 22, 90 },
		"of their call":       func(o *outcome) { o.Altered = 1 },
		"2 of 1000 frames":    func(o *outcome) { o.Wrong = 2 },
		"1 of 2 calls were r": func(o *outcome) { o.Mode, o.Calls, o.Recordings = modeRecord, 2, 1 },
		"recordings lost 3 f": func(o *outcome) { o.FramesDropped = 3 },
		"keys arrived in 1 o": func(o *outcome) { o.KeysWanted, o.KeysRight = 2, 1 },
		"as it was told":      func(o *outcome) { o.Problem = "as it was told" },
	} {
		o := good
		change(&o)
		if got := o.misses(); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestReport(t *testing.T) {
	r := newReport()
	r.Trials = []outcome{
		{trial: trial{Name: "bare relay", Mode: modeBare, Calls: 600}, Received: 1, CPUPacket: 5},
		{trial: trial{Name: "bridged", Mode: modeBridge, Calls: 600}, Received: 1, CPUPacket: 6, Seconds: 2, Sent: 100, MemoryCall: 50, Delay: times{Count: 1, P50: 0.1}},
		{trial: trial{Name: "events", Mode: modeMenu, Calls: 1000, Keys: "1", KeysBy: keysEvents}, Received: 1, Seconds: 2, CPU: 0.1},
		{trial: trial{Name: "tones", Mode: modeMenu, Calls: 1000, Keys: "1", KeysBy: keysTones}, Received: 0, Seconds: 2, CPU: 0.15, KeysWanted: 1000},
	}
	r.Most = &r.Trials[1]
	var text bytes.Buffer
	if err := r.table(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"costs the switch 1.20 times", "costs 50 µs for each second", "does not fit: nothing was heard", "At most 600 calls fit", "50 kB"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, &text)
		}
	}
	file := filepath.Join(t.TempDir(), "report.json")
	if err := r.save(file); err != nil {
		t.Fatal(err)
	}
	saved, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var back report
	if err := json.Unmarshal(saved, &back); err != nil || back.Trials[1].CPUPacket != 6 || back.Trials[1].Calls != 600 {
		t.Errorf("%v\n%s", err, saved)
	}
	if r.fits() {
		t.Error("a trial that failed fits")
	}
}

// What the kernel tells of a process: its time, its memory, and the packets that its
// sockets had no room for.
func TestUsage(t *testing.T) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetReadBuffer(1); err != nil { // the kernel makes it the least there is
		t.Fatal(err)
	}
	before := usageOf(os.Getpid())
	const sent = 100
	for range sent {
		if _, err := conn.WriteTo(make([]byte, 1000), conn.LocalAddr()); err != nil {
			t.Fatal(err)
		}
	}
	after := usageOf(os.Getpid())
	if lost := after.drops - before.drops; lost < sent/2 || lost > sent {
		t.Errorf("%d of %d packets were dropped", lost, sent)
	}
	if after.resident < 1<<20 || after.cpu < before.cpu {
		t.Errorf("%+v", after)
	}
	if u := usageOf(0); u.cpu != 0 || u.resident != 0 {
		t.Errorf("of nobody: %+v", u)
	}
}
