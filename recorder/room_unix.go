//go:build unix

package recorder

import (
	"time"

	"golang.org/x/sys/unix"
)

// lookEvery is how often the disk is asked how much room it has.
const lookEvery = time.Second

// mostLeft is the most that recordings leave free unless told otherwise.
const mostLeft = 64 << 20

// roomFor is what was found out about the disk of a folder.
type roomFor struct {
	at time.Time
	ok bool
}

// Room tells whether a recording may be written into a folder: whether more of its
// disk is free than what is to be left to others. A disk that does not say has.
func (p *Pool) Room(dir string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if r, known := p.room[dir]; known && now.Sub(r.at) < lookEvery {
		return r.ok
	}
	r := roomFor{now, true}
	var s unix.Statfs_t
	if unix.Statfs(dir, &s) == nil && s.Blocks > 0 {
		size, free := s.Bsize, int64(s.Bavail)
		least := p.least
		if least == 0 {
			least = min(int64(s.Blocks)*size/100, mostLeft)
		}
		r.ok = free*size > least
	}
	p.room[dir] = r
	return r.ok
}
