// Package strict reads documents that people write by hand — JSON bodies and
// the configuration file — into Go structs without ever dropping a word.
//
// A reader that ignores what it does not know turns a misspelt "fallbak" into
// a call that is lost weeks later. So a document is first read into a Value,
// which keeps every name with its line, and then compared with the struct it
// is meant for: unknown names, wrong types and values out of range are all
// reported at once, each with its path, its line and the nearest known name.
//
// It owns: the tree, the comparison, JSON reading, and merging (RFC 7396).
// It does not own: what the values mean (flows, configs), or YAML (configs).
// It starts no goroutines and does no I/O.
package strict
