// Package bench measures what calls cost the whole switch, on real sockets of
// the loopback interface.
//
// It owns: the benchmarks that no single room can have. Those of one room stand
// beside its tests; docs/PERFORMANCE.md lists all of them.
//
// It does not own: proof that calls work (testbench/stories, testbench/e2e), and
// it fails for no figure: the machines it runs on are shared and differ.
//
// Goroutines: those of the switch and of the phones that call it, and one for
// each caller; all end with the benchmark.
package bench
