// Package call is the actor of one telephone call: a loop that owns its legs.
//
// A leg is a SIP dialog (signalling) and a media session (sound); they meet
// here, and only in offer and answer. The package implements flows.Caller, so
// a flow steers a call by asking, and the API steers it by posting commands;
// both end up as functions on the same loop. What happened is told once, as
// events, by the teller.
//
// It owns: the call's state, its legs, dialling, bridging, hold, transfer,
// recording, the order of ending, the call record, and the registry of live
// calls.
//
// It does not own: SIP messages and timers (sip), packets and samples (media),
// prompts and digits (ivr), files (recorder), routing decisions (flows), or
// what is kept (store).
//
// Goroutines: per call one loop and one for its flow. Nothing inside a call is
// shared, so nothing inside a call is locked; the loop never waits. Answers
// that take time (a prompt, a dial) are waited for by the flow's goroutine or
// by the API's.
package call
