package peers

import (
	"fmt"
	"io"
)

// maxNetstring is more than baresip's control socket ever sends in one message.
const maxNetstring = 1 << 20

// readNetstring reads one message of the form "5:hello,".
func readNetstring(r io.Reader) ([]byte, error) {
	size, one := 0, make([]byte, 1)
	for {
		if _, err := io.ReadFull(r, one); err != nil {
			return nil, err
		}
		if one[0] == ':' {
			break
		}
		if one[0] < '0' || one[0] > '9' {
			return nil, fmt.Errorf("netstring: %q in the length", one[0])
		}
		if size = size*10 + int(one[0]-'0'); size > maxNetstring {
			return nil, fmt.Errorf("netstring: longer than %d", maxNetstring)
		}
	}
	message := make([]byte, size+1)
	if _, err := io.ReadFull(r, message); err != nil {
		return nil, err
	}
	if message[size] != ',' {
		return nil, fmt.Errorf("netstring: ends in %q", message[size])
	}
	return message[:size], nil
}
