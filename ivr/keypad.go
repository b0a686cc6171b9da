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
	keys  []waitingKey
	ready chan struct{} // holds a token while keys may be waiting
}

// waitingKey is a key with what is to be called once somebody has it.
type waitingKey struct {
	dtmf.Digit
	taken func()
}

// NewKeypad makes an empty buffer.
func NewKeypad() *Keypad {
	return &Keypad{ready: make(chan struct{}, 1)}
}

// Press adds a key. It never blocks.
func (k *Keypad) Press(d dtmf.Digit) { k.Hold(d, func() {}) }

// Hold is Press of a key of which it matters who takes it: taken is called then,
// by whoever does, or throws it away. It is not called for one that nobody takes.
func (k *Keypad) Hold(d dtmf.Digit, taken func()) {
	k.mu.Lock()
	if len(k.keys) < typeAhead {
		k.keys = append(k.keys, waitingKey{d, taken})
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
	gone := k.keys
	k.keys = nil
	k.mu.Unlock()
	for _, key := range gone {
		key.taken()
	}
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
	if len(k.keys) == 0 {
		k.mu.Unlock()
		return dtmf.Digit{}, false
	}
	key := k.keys[0]
	k.keys = k.keys[:copy(k.keys, k.keys[1:])]
	k.mu.Unlock()
	key.taken()
	return key.Digit, true
}
