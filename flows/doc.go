// Package flows holds what the switch knows about numbers, call flows, menus,
// voicemail boxes, trunks and devices, and walks a call through them.
//
// It owns the nouns with their defaults and validation, the pattern automaton,
// the schedules, the immutable [Plan] compiled from the nouns, and the runner
// ([Run], [RunDestination]) that asks a [Caller] to do things: present a menu,
// dial, take a message. A real call and a simulation are two implementations
// of that one interface, so what a simulation says is what a call does.
//
// It does not own SIP, sound, storage or HTTP. It is pure: no I/O, no clock of
// its own (the time is passed in), no goroutines. Run blocks on the goroutine
// of whoever called it. A Plan may be used by any number of goroutines at once.
package flows
