// Package exchange is the composition root: it builds every room from the
// configuration, introduces them to each other, admits calls, and drains.
//
// It owns: the order of starting and stopping, the decision which call flow an
// INVITE belongs to, the directory of trunks and devices that sip asks, the
// resolution of trunk host names, and the demo of a first start.
//
// It does not own anything that happens inside a call (call), on the wire (sip,
// media) or on disk (store).
//
// Goroutines: one for each service (SIP, media, webhooks, API, host names); Run
// starts them, waits for them and stops them in the opposite order. A call runs
// on the goroutine on which sip handed the invitation over.
package exchange
