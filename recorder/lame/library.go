package lame

import (
	"errors"
	"fmt"
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"

	"b2bua/internal/clib"
)

// ErrUnavailable says that the LAME library could not be loaded.
var ErrUnavailable = errors.New("lame library not available")

// names are tried in order: the versioned name is the one with the ABI used here.
var names = []string{"libmp3lame.so.0", "libmp3lame.so", "libmp3lame.0.dylib"}

// library holds the C functions, as addresses: called through SyscallN they
// cost no reflection and no allocation.
type library struct {
	version string

	create, destroy, initParams                 uintptr
	setChannels, setInRate, setOutRate          uintptr
	setBitrate, setMode, setQuality, setVBR     uintptr
	setVBRTag, setNoReservoir                   uintptr
	encodeMono, encodeInterleaved, flushNoGap   uintptr
	encoderDelay, frameSize, setFindReplayGain  uintptr
	setOriginal, setErrorProtection, getVersion uintptr

	// Floats travel in other registers than SyscallN fills.
	setScale func(handle uintptr, scale float32) int32
	getScale func(handle uintptr) float32
}

var (
	loadOnce sync.Once
	loaded   *library
	loadErr  error
)

// Available tells whether MP3 can be encoded here, and if not, why.
func Available() error {
	_, err := load()
	return err
}

// Version is the version of the library, such as "3.100".
func Version() (string, error) {
	l, err := load()
	if err != nil {
		return "", err
	}
	return l.version, nil
}

func load() (*library, error) {
	loadOnce.Do(func() { loaded, loadErr = open(names) })
	return loaded, loadErr
}

// open loads the first library of that name with all the functions needed.
func open(names []string) (*library, error) {
	l := &library{}
	err := clib.Open(names, map[string]*uintptr{
		"lame_init":                      &l.create,
		"lame_close":                     &l.destroy,
		"lame_init_params":               &l.initParams,
		"lame_set_num_channels":          &l.setChannels,
		"lame_set_in_samplerate":         &l.setInRate,
		"lame_set_out_samplerate":        &l.setOutRate,
		"lame_set_brate":                 &l.setBitrate,
		"lame_set_mode":                  &l.setMode,
		"lame_set_quality":               &l.setQuality,
		"lame_set_VBR":                   &l.setVBR,
		"lame_set_bWriteVbrTag":          &l.setVBRTag,
		"lame_set_disable_reservoir":     &l.setNoReservoir,
		"lame_set_findReplayGain":        &l.setFindReplayGain,
		"lame_set_original":              &l.setOriginal,
		"lame_set_error_protection":      &l.setErrorProtection,
		"lame_encode_buffer":             &l.encodeMono,
		"lame_encode_buffer_interleaved": &l.encodeInterleaved,
		"lame_encode_flush":              &l.flushNoGap,
		"lame_get_encoder_delay":         &l.encoderDelay,
		"lame_get_framesize":             &l.frameSize,
		"get_lame_version":               &l.getVersion,
	}, func(handle uintptr) {
		purego.RegisterLibFunc(&l.setScale, handle, "lame_set_scale")
		purego.RegisterLibFunc(&l.getScale, handle, "lame_get_scale")
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	l.version = l.readVersion()
	return l, nil
}

// call runs a function that returns a C int. The directive keeps memory whose
// address is among the arguments alive and in place (rule 4 of unsafe.Pointer).
//
//go:uintptrescapes
func call(fn uintptr, args ...uintptr) int {
	r, _, _ := purego.SyscallN(fn, args...)
	return int(int32(r))
}

// readVersion copies the constant C string of get_lame_version.
func (l *library) readVersion() string {
	r, _, _ := purego.SyscallN(l.getVersion)
	if r == 0 {
		return ""
	}
	// The address comes from C and is none of Go's memory, which vet cannot know:
	// hence the detour over a pointer to the word that holds it.
	at := *(*unsafe.Pointer)(unsafe.Pointer(&r))
	var b []byte
	for i := range 64 {
		c := *(*byte)(unsafe.Add(at, i))
		if c == 0 {
			break
		}
		b = append(b, c)
	}
	return string(b)
}
