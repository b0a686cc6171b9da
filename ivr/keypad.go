package ivr

import (
	"sync"

	"b2bua/dtmf"
)

// typeAhead is how many keys wait to be read; what is pressed beyond is lost.
const typeAhead = 64

// Keypad is the type-ahead buffer between the far end's keys and whoever
// collects digits: keys pressed between two menus wait for the second one.
type Keypad struct {
	mu    sync.Mutex
	keys  []dtmf.Digit
	ready chan struct{} // holds a token while keys may be waiting
}

// NewKeypad makes an empty buffer.
func NewKeypad() *Keypad {
	return &Keypad{ready: make(chan struct{}, 1)}
}

// Press adds a key. It never blocks.
func (k *Keypad) Press(d dtmf.Digit) {
	k.mu.Lock()
	if len(k.keys) < typeAhead {
		k.keys = append(k.keys, d)
	}
	k.mu.Unlock()
	select {
	case k.ready <- struct{}{}:
	default:
	}
}

// Flush forgets the keys that wait.
func (k *Keypad) Flush() {
	k.mu.Lock()
	k.keys = k.keys[:0]
	k.mu.Unlock()
}

// Waiting tells how many keys wait.
func (k *Keypad) Waiting() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.keys)
}

// next takes the oldest key.
func (k *Keypad) next() (dtmf.Digit, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.keys) == 0 {
		return dtmf.Digit{}, false
	}
	d := k.keys[0]
	k.keys = k.keys[:copy(k.keys, k.keys[1:])]
	return d, true
}
