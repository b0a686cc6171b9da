// Package picture draws call flows as SVG: the flow itself, and where its calls go
// over a week and a year.
//
// It owns layout, colours (for light and dark), and that whatever a name holds
// stays text. It does not own what a flow means (flows). It is pure: a plan or a
// timeline in, a document out; no goroutines, no I/O.
package picture
