// Package clib loads C libraries at run time, without cgo: a machine without one
// lacks what it is for, and nothing else. What the functions take and give is for
// those to know who call them. It has no goroutines.
package clib
