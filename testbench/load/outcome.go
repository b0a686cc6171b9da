package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"time"

	"b2bua/testbench/load/stream"
)

// outcome is what a trial has shown.
type outcome struct {
	trial
	Seconds float64 `json:"seconds"` // that were measured

	Sent       uint64  `json:"packets_sent"`
	Received   uint64  `json:"packets_received"`
	Expected   uint64  `json:"packets_expected"`
	Lost       uint64  `json:"packets_lost"`       // all in all
	Overflowed uint64  `json:"packets_overflowed"` // of these: the switch had not read them in time
	OurDrops   uint64  `json:"packets_our_drops"`  // of these: we had not
	Duplicates uint64  `json:"packets_duplicated"`
	Reordered  uint64  `json:"packets_reordered"`
	Altered    uint64  `json:"packets_altered"`
	LossShare  float64 `json:"loss"` // inside the switch, of what was expected

	Delay    times `json:"delay"`    // from our sending to our hearing
	Lateness times `json:"lateness"` // behind the earliest packet of its stream, where the switch makes the packets

	Frames     uint64  `json:"frames_checked"`
	Wrong      uint64  `json:"frames_wrong"`
	LevelError float64 `json:"level_error_db"`

	KeysWanted int `json:"calls_with_keys,omitempty"`
	KeysRight  int `json:"calls_with_right_keys,omitempty"`

	CPU       float64 `json:"cpu_cores"` // that the switch kept busy
	CPUCall   float64 `json:"cpu_percent_per_100_calls"`
	CPUPacket float64 `json:"cpu_us_per_packet"` // that comes in
	LateTicks float64 `json:"late_ticks"`

	OverdueTicks  float64 `json:"overdue_ticks"`                   // of the media clock, later than 10 ms
	LatestTick    float64 `json:"latest_tick_ms"`                  // of the last ten seconds
	Recordings    int     `json:"recordings,omitempty"`            // going on all the time
	FramesDropped float64 `json:"recording_frames_lost,omitempty"` // by encoder or disk

	MemoryCall float64 `json:"kB_per_call,omitempty"` // resident memory that the calls have added
	HeapCall   float64 `json:"heap_kB_per_call,omitempty"`

	OwnCPU  float64 `json:"generator_cpu_cores"`
	Stalls  int     `json:"generator_stalls"` // moments at which the generator was late itself
	Behind  float64 `json:"generator_behind_ms"`
	Problem string  `json:"problem,omitempty"`
}

// times are in milliseconds.
type times struct {
	Count uint64  `json:"count"`
	P50   float64 `json:"p50_ms"`
	P99   float64 `json:"p99_ms"`
	P999  float64 `json:"p999_ms"`
	Max   float64 `json:"max_ms"`
}

func timesOf(t stream.Times) times {
	return times{t.Count, ms(t.P50), ms(t.P99), ms(t.P999), ms(t.Max)}
}

func ms(d time.Duration) float64 { return math.Round(d.Seconds()*1e5) / 100 }

// measure lets the calls go on for the trial's duration and tells what became of
// their packets and what the process pid spent on them.
func measure(ctx context.Context, t trial, engine *stream.Engine, pid int) (outcome, error) {
	before, ours := usageOf(pid), usageOf(os.Getpid())
	engine.Begin()
	if err := pause(ctx, t.Duration); err != nil {
		return outcome{}, err
	}
	engine.End()
	after, oursAfter := usageOf(pid), usageOf(os.Getpid())
	if err := pause(ctx, draining); err != nil {
		return outcome{}, err
	}
	o := outcome{trial: t}
	o.packets(engine.Result())
	wall := after.at.Sub(before.at).Seconds()
	o.Overflowed = after.drops - min(before.drops, after.drops)
	o.CPU = (after.cpu - before.cpu).Seconds() / wall
	o.OwnCPU = (oursAfter.cpu - ours.cpu).Seconds() / wall
	o.CPUCall = o.CPU * 100 / float64(t.Calls) * 100
	if o.Sent > 0 {
		o.CPUPacket = (after.cpu - before.cpu).Seconds() * 1e6 / float64(o.Sent)
	}
	inside := o.Lost - min(o.Lost, o.OurDrops)
	if t.Mode == modeMenu || t.Mode == modeTranscode {
		// What the switch never read was made up by it, and is not missing here.
		inside += o.Overflowed
	}
	if o.Expected > 0 {
		o.LossShare = float64(inside) / float64(o.Expected)
	}
	return o, nil
}

func (o *outcome) packets(r stream.Result) {
	o.Seconds = math.Round(r.Length.Seconds()*1000) / 1000
	o.Sent, o.Received, o.Expected, o.Lost = r.Sent, r.Received, r.Expected, r.Lost
	o.Duplicates, o.Reordered, o.Altered, o.OurDrops = r.Duplicates, r.Reordered, r.Altered, r.Drops+r.Unsent
	o.Delay, o.Lateness = timesOf(r.Delay), timesOf(r.Lateness)
	o.Frames, o.Wrong, o.LevelError = r.Looked, r.Wrong, math.Round(r.LevelError*1000)/1000
	o.Stalls, o.Behind = r.Stalls, ms(r.Behind)
}

const (
	mostLoss = 0.001
	mostLate = 20.0 // ms
)

// slowest is the time that is judged: the delay where packets are passed on, the
// unevenness where the switch makes its own.
func (o outcome) slowest() float64 {
	if o.Mode == modeBridge || o.Mode == modeRecord || o.Mode == modeBare {
		return o.Delay.P99
	}
	return o.Lateness.P99
}

// misses tells why the calls did not fit, in words; nothing when they did.
func (o outcome) misses() string {
	switch {
	case o.Problem != "":
		return o.Problem
	case o.Received == 0:
		return "nothing was heard"
	case o.LossShare > mostLoss:
		return fmt.Sprintf("%.2f %% of the packets were lost", 100*o.LossShare)
	case o.slowest() > mostLate:
		return fmt.Sprintf("one packet in a hundred came %.0f ms late", o.slowest())
	case o.Altered > 0:
		return fmt.Sprintf("%d packets were not of the other side of their call", o.Altered)
	case float64(o.Wrong) > mostLoss*float64(o.Frames):
		return fmt.Sprintf("%d of %d frames were not the tone that was sent", o.Wrong, o.Frames)
	case o.Mode == modeRecord && o.Recordings < o.Calls:
		return fmt.Sprintf("%d of %d calls were recorded", o.Recordings, o.Calls)
	case o.FramesDropped > 0:
		return fmt.Sprintf("recordings lost %.0f frames", o.FramesDropped)
	case o.KeysRight < o.KeysWanted:
		return fmt.Sprintf("keys arrived in %d of %d calls", o.KeysRight, o.KeysWanted)
	}
	return ""
}
