package opus

import (
	"errors"
	"fmt"
	"sync"

	"github.com/ebitengine/purego"

	"b2bua/internal/clib"
)

// ErrUnavailable says that libopus could not be loaded.
var ErrUnavailable = errors.New("opus library not available")

// names are tried in order; the versioned name is the one with the ABI used
// here. On systems whose variadic functions are called in a way of their own
// (opus_encoder_ctl is one) no such name exists.
var names = []string{"libopus.so.0"}

// library holds the C functions, as addresses.
type library struct {
	encoderSize, encoderInit, encode, encoderCtl uintptr
	decoderSize, decoderInit, decode             uintptr
}

var (
	loadOnce sync.Once
	loaded   *library
	loadErr  error
)

// Available tells whether Opus can be spoken here, and if not, why.
func Available() error {
	_, err := load()
	return err
}

func load() (*library, error) {
	loadOnce.Do(func() { loaded, loadErr = open(names) })
	return loaded, loadErr
}

// open loads the first library of that name with all the functions needed.
func open(names []string) (*library, error) {
	l := &library{}
	err := clib.Open(names, map[string]*uintptr{
		"opus_encoder_get_size": &l.encoderSize,
		"opus_encoder_init":     &l.encoderInit,
		"opus_encode":           &l.encode,
		"opus_encoder_ctl":      &l.encoderCtl,
		"opus_decoder_get_size": &l.decoderSize,
		"opus_decoder_init":     &l.decoderInit,
		"opus_decode":           &l.decode,
	}, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return l, nil
}

// call runs a function that returns a C int. The arguments lie in memory of the
// caller's on the heap, and so must everything that they point to.
func call(fn uintptr, args []uintptr) int {
	r, _, _ := purego.SyscallN(fn, args...)
	return int(int32(r))
}
