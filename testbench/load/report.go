package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

// report is all that was tried, for people as a table and for programs as JSON.
type report struct {
	Began      time.Time `json:"began"`
	System     string    `json:"system"`
	Processors int       `json:"processors"`
	Trials     []outcome `json:"trials"`
	Most       *outcome  `json:"most,omitempty"` // the largest number of calls that fitted
}

func newReport() *report {
	return &report{Began: time.Now().UTC().Truncate(time.Second), System: system(), Processors: runtime.NumCPU()}
}

// system is the processor's name as the kernel tells it.
func system() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	_, rest, _ := strings.Cut(string(text), "model name")
	line, _, _ := strings.Cut(rest, "\n")
	return strings.Trim(line, "\t :")
}

const heading = "what\tcalls\tpackets/s\tlost\tdelay p50\tp99\tmax\tuneven p99\twrong\tkeys\tCPU\t/100 calls\t/packet\tmemory\tgenerator\t\n"

// row is an outcome as a line of the table.
func (o outcome) row() string {
	keys := "-"
	if o.KeysWanted > 0 {
		keys = fmt.Sprintf("%d/%d", o.KeysRight, o.KeysWanted)
	}
	delay := "-\t-\t-"
	if o.Delay.Count > 0 {
		delay = fmt.Sprintf("%.2f ms\t%.2f ms\t%.1f ms", o.Delay.P50, o.Delay.P99, o.Delay.Max)
	}
	uneven := "-"
	if o.Lateness.Count > 0 {
		uneven = fmt.Sprintf("%.2f ms", o.Lateness.P99)
	}
	memory := "-"
	if o.MemoryCall > 0 && o.Calls >= 100 { // of fewer it is chance
		memory = fmt.Sprintf("%.0f kB", o.MemoryCall)
	}
	verdict := "fits"
	if why := o.misses(); why != "" {
		verdict = "does not fit: " + why
	}
	if o.Stalls > 0 {
		verdict += fmt.Sprintf(" (the generator was late %d times, by %.0f ms at most)", o.Stalls, o.Behind)
	}
	var rate float64
	if o.Seconds > 0 {
		rate = float64(o.Sent) / o.Seconds
	}
	return fmt.Sprintf("%s\t%d\t%.0f\t%.3f %%\t%s\t%s\t%d\t%s\t%.0f %%\t%.1f %%\t%.1f µs\t%s\t%.0f %%\t  %s\n",
		o.Name, o.Calls, rate, 100*o.LossShare, delay, uneven, o.Wrong, keys,
		100*o.CPU, o.CPUCall, o.CPUPacket, memory, 100*o.OwnCPU, verdict)
}

// table writes all rows, and what follows from them.
func (r *report) table(w io.Writer) error {
	fmt.Fprintf(w, "\n%s, %d processors\n\n", r.System, r.Processors)
	columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(columns, heading)
	for _, o := range r.Trials {
		fmt.Fprint(columns, o.row())
	}
	if err := columns.Flush(); err != nil {
		return err
	}
	if bare, bridged := r.alike(); bare != nil && bridged != nil && bare.CPUPacket > 0 {
		fmt.Fprintf(w, "\nA packet of %d calls costs the switch %.2f times what it costs a bare relay.\n", bare.Calls, bridged.CPUPacket/bare.CPUPacket)
	}
	if events, tones := r.find(modeMenu, keysEvents), r.find(modeMenu, keysTones); events != nil && tones != nil && min(events.Seconds, tones.Seconds) > 0 {
		fmt.Fprintf(w, "Listening for tones costs %.0f µs for each second of a caller's sound.\n", 1e6*(tones.CPU/float64(tones.Calls)-events.CPU/float64(events.Calls)))
	}
	r.recorded(w)
	if r.Most != nil {
		fmt.Fprintf(w, "\nAt most %d calls fit, with %.0f %% of a processor for the switch and %.0f %% for this program.\n", r.Most.Calls, 100*r.Most.CPU, 100*r.Most.OwnCPU)
	}
	return nil
}

// recorded tells what recordings do to the media clock and what they cost.
func (r *report) recorded(w io.Writer) {
	with := r.find(modeRecord, "")
	if with == nil {
		return
	}
	without := r.find(modeBridge, "")
	for _, o := range []*outcome{without, with} {
		if o != nil {
			fmt.Fprintf(w, "\n%d calls, %d recorded: %.0f ticks of the media clock late, %.0f by more than 10 ms, the latest by %.1f ms", o.Calls, o.Recordings, o.LateTicks, o.OverdueTicks, o.LatestTick)
		}
	}
	if without != nil {
		fmt.Fprintf(w, "\nRecording 100 calls takes %.1f %% of a processor.\n", with.CPUCall-without.CPUCall)
	}
}

// alike are a trial of the bare relay and one of bridged calls, as many of them: the
// more there are at once, the less a packet costs.
func (r *report) alike() (bare, bridged *outcome) {
	bare = r.find(modeBare, "")
	for i := range r.Trials {
		if o := &r.Trials[i]; bare != nil && o.Mode == modeBridge && o.Calls == bare.Calls {
			return bare, o
		}
	}
	return nil, nil
}

// find is the last trial of a mode, with keys of a kind unless that is "".
func (r *report) find(mode, keysBy string) *outcome {
	for i := len(r.Trials) - 1; i >= 0; i-- {
		if o := &r.Trials[i]; o.Mode == mode && (keysBy == "" || o.KeysBy == keysBy && o.Keys != "") {
			return o
		}
	}
	return nil
}

// save writes the report as JSON.
func (r *report) save(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("the report: %w", err)
	}
	if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil { //nolint:gosec // nothing in it is a secret
		return fmt.Errorf("the report: %w", err)
	}
	return nil
}

// fits tells whether every trial did.
func (r *report) fits() bool {
	for _, o := range r.Trials {
		if o.misses() != "" {
			return false
		}
	}
	return true
}
