package recorder

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"b2bua/media"
	"b2bua/recorder/lame"
)

// Recording is a file being written. It is a media.Tap.
type Recording struct {
	o     Options
	log   *slog.Logger
	ring  *ring
	paper *paper

	paused  atomic.Bool
	over    atomic.Bool // no more frames wanted
	failed  atomic.Bool
	dropped atomic.Uint64

	worker  *worker // of the pool; nil without one
	turn    int     // its place with the worker
	joined  bool
	stepped bool // it has taken its last step

	told   sync.Once
	ask    sync.Once
	finish chan struct{} // closed by Finish
	keep   time.Duration // how much is to stay, 0: all; valid once finish is closed
	done   chan struct{}
	result Result // valid once done is closed
}

// Available tells whether MP3 can be written here, and if not, why.
func Available() (ok bool, why string) {
	if err := lame.Available(); err != nil {
		return false, err.Error()
	}
	return true, ""
}

// Start creates the file and begins with the first frame that comes.
func Start(o Options) (*Recording, error) {
	if err := o.complete(); err != nil {
		return nil, fmt.Errorf("start recording %s: %w", o.ID, err)
	}
	if o.Pool != nil && !o.Pool.Room(o.Dir) {
		return nil, fmt.Errorf("start recording %s: %w", o.ID, errFull)
	}
	p, err := newPaper(o)
	if err != nil {
		return nil, fmt.Errorf("start recording %s: %w", o.ID, err)
	}
	r := &Recording{
		o: o, log: o.Log.With("recording", o.ID), ring: newRing(), paper: p,
		finish: make(chan struct{}), done: make(chan struct{}),
	}
	if p.warning != "" {
		r.log.Warn("recording is not as asked for", "cause", p.warning)
	}
	if o.Pool != nil {
		o.Pool.take(r)
	} else {
		go r.run()
	}
	return r, nil
}

// Frame takes 20 ms of sound. It is called on the media clock, by one
// goroutine at a time, and never blocks; after the end it does nothing.
func (r *Recording) Frame(f media.TapFrame) {
	if r.over.Load() {
		return
	}
	rec := record{
		tick: f.Clock, rate: f.Rate, held: min(f.Held, mostHeld), out: f.Dir == media.Out, peer: f.FromPeer, paused: r.paused.Load(),
	}
	// What was said during a pause must not get as far as the ring.
	if !rec.paused && r.o.wants(f) && len(f.PCM) <= maxFrame {
		rec.pcm = f.PCM
	}
	if !r.ring.put(rec) {
		r.dropped.Add(1)
	}
}

// Pause stops keeping sound with the next frame.
func (r *Recording) Pause() { r.paused.Store(true) }

// Resume goes on after Pause.
func (r *Recording) Resume() { r.paused.Store(false) }

// File says where the recording is written and how; what only the end tells is
// missing.
func (r *Recording) File() Result {
	return Result{
		ID: r.o.ID, Path: r.paper.f.Name(), Format: r.paper.o.Format, Channels: r.paper.channels,
		SampleRate: r.paper.rate, Bitrate: r.paper.bitrate, Warning: r.paper.warning,
	}
}

// The states of a recording.
const (
	Running   = "recording"
	Paused    = "paused"
	Completed = "completed"
	Failed    = "failed"
)

// State is what the recording does now.
func (r *Recording) State() string {
	switch {
	case r.failed.Load():
		return Failed
	case r.over.Load():
		return Completed
	case r.paused.Load():
		return Paused
	}
	return Running
}

// Finish asks the recording to end and returns at once.
func (r *Recording) Finish() {
	r.ask.Do(r.close)
}

// close lets the worker know.
func (r *Recording) close() {
	close(r.finish)
	if r.worker != nil {
		r.worker.ask(r)
	}
}

// Done is closed when the file is complete.
func (r *Recording) Done() <-chan struct{} { return r.done }

// Result waits for the end and describes the file.
func (r *Recording) Result() Result {
	<-r.done
	return r.result
}

// Stop ends the recording, waits until the file is complete, and describes it.
func (r *Recording) Stop() Result {
	r.Finish()
	return r.Result()
}

// writeEvery is how long sound waits to be encoded and written.
const writeEvery = 200 * time.Millisecond

// run is the goroutine of a recording without a pool.
func (r *Recording) run() {
	tick := time.NewTicker(writeEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-r.finish:
		}
		if r.step(true) {
			return
		}
	}
}

// step encodes and writes what there is, and completes the file when it is over:
// then, and only then, it is true. What may take long is done meanwhile, unless
// it is to wait.
func (r *Recording) step(wait bool) (over bool) {
	defer func() {
		if v := recover(); v != nil {
			r.broken(v)
			r.stepped, over = true, true
		}
	}()
	reason := ""
	select {
	case <-r.finish:
		reason = Stopped
	default:
		if r.o.Pool != nil && !r.o.Pool.Room(r.o.Dir) {
			reason = DiskFull
		}
	}
	if reason = r.write(reason); reason == "" {
		return false
	}
	r.over.Store(true)
	r.stepped = true
	if wait {
		r.complete(reason)
		return true
	}
	// The last of it is written through to the disk, which others need not wait for.
	r.o.Pool.ending.Go(func() { r.complete(reason) })
	return true
}

// complete completes the file.
func (r *Recording) complete(reason string) {
	defer func() {
		if v := recover(); v != nil {
			r.broken(v)
		}
	}()
	r.result = r.paper.close(reason, r.kept())
	r.end()
}

// broken: a fault in the encoder costs this recording, not the switch.
func (r *Recording) broken(v any) {
	r.log.Error("panic in recording", "err", v, "stack", string(debug.Stack()))
	r.result = r.File()
	r.result.Reason, r.result.Err = DiskFail, fmt.Errorf("panic: %v", v)
	r.end()
}

// end tells that the file is complete, or never will be.
func (r *Recording) end() {
	r.over.Store(true)
	r.result.Dropped += r.dropped.Load()
	r.failed.Store(r.result.Err != nil)
	if err := r.result.Err; err != nil {
		r.log.Error("recording ended early", "err", err)
	}
	if n := r.result.Dropped; n > 0 {
		r.log.Warn("recording lost frames", "frames", n)
	}
	if r.o.Pool != nil {
		r.o.Pool.over(&r.result)
	}
	r.told.Do(func() {
		defer close(r.done)
		if r.o.OnDone != nil {
			r.o.OnDone(r.result)
		}
	})
}

// write moves what is in the ring to the file and tells why the recording
// ends, if it does.
func (r *Recording) write(reason string) string {
	var buf [maxFrame]int16
	for {
		rec, ok := r.ring.take(buf[:])
		if !ok {
			break
		}
		r.paper.line.add(rec)
	}
	if reason != "" {
		r.paper.line.finish()
	}
	if err := r.paper.write(); err != nil {
		return reasonFor(err)
	}
	if r.paper.full {
		return TooLong
	}
	return reason
}
