package bench_test

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

// BenchmarkBridgedSignalling is a call bridged to a trunk without sound: INVITE
// to BYE on both legs, media sessions opened and closed, the record stored. Both
// far ends are another process: the figures are the switch's own.
func BenchmarkBridgedSignalling(b *testing.B) {
	const calls = 1000
	far := bridging(b)
	far.do("call", 64) // what is made when it is first needed is there now
	before, spent, made := memory(), cpuTime(b), 0
	for b.Loop() {
		far.do("call", calls)
		made += calls
	}
	spent = cpuTime(b) - spent
	after := memory()
	b.ReportMetric(float64(spent.Microseconds())/float64(made), "cpu-µs/call")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(made), "allocs/call")
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(made)/1000, "kB/call")
	b.ReportMetric(0, "ns/op") // of a whole round
}

// BenchmarkBridgedMemory is what a bridged call takes while it is up, and what is left
// of it until its transactions are forgotten after half a minute: heap and stacks,
// buffers of the kernel not. What its two media sessions take is measured apart, in an
// engine without a switch around it: before anything was said, which is taken off what
// a call takes then, and once their sound is relayed. The rest is the signalling's:
// dialogs, flow, record, captured messages.
func BenchmarkBridgedMemory(b *testing.B) {
	const calls = 1000
	silent, relayed := sessionMemory(b, calls)
	far := bridging(b)
	far.do("call", 64)
	for b.Loop() {
		before, idle := inUse(), runtime.NumGoroutine()
		far.do("hold", calls)
		signalling := inUse() - before - silent
		far.do("hangup", calls)
		settle(b, idle)
		b.ReportMetric(float64(signalling+relayed)/calls/1000, "kB/live-call")
		b.ReportMetric(float64(relayed)/calls/1000, "kB/its-media")
		b.ReportMetric(float64(signalling)/calls/1000, "kB/its-signalling")
		b.ReportMetric(float64(inUse()-before)/calls/1000, "kB/ended-call")
	}
	b.ReportMetric(0, "ns/op")
}

func memory() runtime.MemStats {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m
}

// inUse is what heap and stacks take once everything unused is taken back. A
// collection halves the stacks that are mostly unused, so there are as many as it
// takes until that has an end, as there are while a call lasts its minutes.
func inUse() int64 {
	for before := uint64(0); ; {
		runtime.GC()
		m := memory()
		if m.StackInuse == before {
			break
		}
		before = m.StackInuse
	}
	debug.FreeOSMemory() // pools keep things for one collection
	m := memory()
	return int64(m.HeapAlloc + m.StackInuse)
}

// settle waits until no more goroutines are left than there were.
func settle(b *testing.B, idle int) {
	b.Helper()
	look, stop := time.NewTicker(10*time.Millisecond), time.After(patience)
	defer look.Stop()
	for runtime.NumGoroutine() > idle+10 { // those of timers come and go
		select {
		case <-look.C:
		case <-stop:
			b.Fatalf("%d goroutines before the calls, %d after", idle, runtime.NumGoroutine())
		}
	}
}

// bridging is a switch that bridges every call to far ends in another process.
func bridging(b *testing.B) *farEnds {
	b.Helper()
	far := startFarEnds(b)
	x := startWith(b, far.trunk)
	x.create("/v2/call-flows", `{"name":"Bench","phone_number":"`+did+`","routing":[{"pattern":"*","destination":"+14155552673","destination_type":"phone_number"}]}`)
	far.do(x.addr.String(), 0)
	return far
}
