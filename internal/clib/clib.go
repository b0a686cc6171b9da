package clib

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/ebitengine/purego"
)

// Open loads the first library of these names that has all the functions, and puts
// their addresses where the map says; with, which may be nil, does what else there
// is to do with the library. The error tells of every name what is wrong with it.
func Open(names []string, functions map[string]*uintptr, with func(handle uintptr)) error {
	var reasons []error
	for _, name := range names {
		err := open(name, functions, with)
		if err == nil {
			return nil
		}
		reasons = append(reasons, err)
	}
	return errors.Join(reasons...)
}

func open(name string, functions map[string]*uintptr, with func(handle uintptr)) (err error) {
	// purego answers an unsuitable platform with a panic.
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("load %s: %v\n%s", name, v, debug.Stack())
		}
	}()
	handle, err := purego.Dlopen(name, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return fmt.Errorf("load %s: %w", name, err)
	}
	for symbol, at := range functions {
		if *at, err = purego.Dlsym(handle, symbol); err != nil {
			return fmt.Errorf("find %s in %s: %w", symbol, name, err)
		}
	}
	if with != nil {
		with(handle)
	}
	return nil
}
