// Package simulate walks a call through a flow without a telephone: the same
// runner as a real call's, against a caller who follows a script on a clock of
// his own.
//
// It owns the simulated caller, the events that a real call would have told,
// the reading of flow files, and the tests that are kept with a flow.
//
// It does not own the flow's rules (flows), how keys become an answer (ivr's
// Collector, which real menus use, too), or the asking of a webhook: who wants
// it asked hands it in. It starts no goroutines, waits for nothing and does no
// I/O; a minute of a call takes no time.
package simulate
