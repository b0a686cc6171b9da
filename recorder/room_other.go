//go:build !unix

package recorder

type roomFor struct{}

// Room tells whether a recording may be written into a folder. Here nobody knows.
func (p *Pool) Room(string) bool { return true }
