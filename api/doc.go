// Package api is the switch's HTTP side: version 2 of the API, its
// documentation, the live event stream, health and metrics.
//
// Resources are rows of a table (nouns.go) over one generic handler
// (resource.go); calls, recordings, messages, keys and events have a file
// each. A request passes one chain of middlewares, the same for every route:
// request id, panic and measurement, authentication, rate, body, idempotency.
// Errors of every room below become an HTTP answer in one place (problem.go).
//
// It owns: HTTP, TLS of the API, keys on the wire, strict reading of bodies,
// the OpenAPI document. It does not own: what is stored (store), what a noun
// means (flows), or what a call can do (call); it reaches live calls through
// the interface Calls, declared here.
//
// Goroutines: those of net/http, one that counts events for the metrics, one
// for shutting down, and two for each command that was asked for with
// async=true; Run waits for all of them.
package api
