// Package floors holds no code, only the test that keeps the module in the
// shape that docs/ARCHITECTURE.md draws: the table of floors there is read and
// compared with what the packages really import.
//
// It starts no goroutines.
package floors
