package clib

import (
	"strings"
	"testing"
)

// The first library that has everything is taken.
func TestOpen(t *testing.T) {
	var abs, labs uintptr
	given := uintptr(0)
	err := Open([]string{"libnowhere.so.0", "libc.so.6"}, map[string]*uintptr{"abs": &abs, "labs": &labs}, func(h uintptr) { given = h })
	if err != nil || abs == 0 || labs == 0 || given == 0 {
		t.Errorf("%v: at %#x and %#x, library %#x", err, abs, labs, given)
	}
}

// What is missing is told of each, and a panic is an error.
func TestOpenFails(t *testing.T) {
	var at uintptr
	err := Open([]string{"libnowhere.so.0", "libc.so.6"}, map[string]*uintptr{"nobody_calls_it_that": &at}, nil)
	for _, want := range []string{"libnowhere.so.0", "find nobody_calls_it_that in libc.so.6"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: nothing of %s", err, want)
		}
	}
	if err := Open([]string{"libc.so.6"}, nil, func(uintptr) { panic("unsuitable") }); err == nil || !strings.Contains(err.Error(), "unsuitable") {
		t.Errorf("panicked, but %v", err)
	}
}
