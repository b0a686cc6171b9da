// Package certificate has the certificates that the switch shows: one that it
// makes and keeps by itself, or those of files, read again when they change.
//
// It decides nothing about whom to believe. It starts no goroutines.
package certificate
