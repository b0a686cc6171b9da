// Package configs is what needs a restart: where the switch listens, where it
// keeps its files, whom it trusts from the start.
//
// Everything comes from one strict YAML file and from the environment, in that
// order, over documented defaults. A key that is not known is an error that
// names the key, its line and the nearest known one: a switch that starts with
// half of its configuration ignored loses calls later. The annotated sample is
// embedded, and a test keeps it equal to the defaults.
//
// It owns: reading, defaults, validation, and showing the result without its
// secrets. It does not own: what can be changed while running (store, through
// the API), or the rooms' own settings structs, which exchange fills from
// here. It starts no goroutines.
package configs
