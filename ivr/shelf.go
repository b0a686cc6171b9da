package ivr

import (
	"container/list"
	"sync"
	"time"

	"b2bua/media/audio"
)

// shelfSamples is how much ready sound is kept: 64 MiB, over an hour.
const shelfSamples = 32 << 20

// shelf keeps the clips used last, up to a number of samples.
type shelf struct {
	mu     sync.Mutex
	most   int
	size   int
	clips  map[Prompt]*list.Element
	recent *list.List // of *shelved, the one used last in front
}

type shelved struct {
	prompt  Prompt
	clip    audio.Clip
	until   time.Time
	version Version // of what a URL holds
}

func newShelf(most int) *shelf {
	return &shelf{most: most, clips: map[Prompt]*list.Element{}, recent: list.New()}
}

func (s *shelf) get(p Prompt) (audio.Clip, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.clips[p]
	if !ok {
		return audio.Clip{}, false
	}
	if it := e.Value.(*shelved); time.Now().Before(it.until) {
		s.recent.MoveToFront(e)
		return it.clip, true
	}
	return audio.Clip{}, false // it stays for old, until there is no room
}

// old is what was kept of a prompt, however long ago.
func (s *shelf) old(p Prompt) (shelved, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.clips[p]; ok {
		return *e.Value.(*shelved), true
	}
	return shelved{}, false
}

func (s *shelf) put(p Prompt, c audio.Clip, fresh time.Duration) { s.keep(p, c, fresh, Version{}) }

// keep is put of what a URL holds.
func (s *shelf) keep(p Prompt, c audio.Clip, fresh time.Duration, v Version) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.clips[p]; ok {
		s.remove(e)
	}
	s.clips[p] = s.recent.PushFront(&shelved{p, c, time.Now().Add(fresh), v})
	for s.size += len(c.Samples); s.size > s.most; {
		s.remove(s.recent.Back())
	}
}

func (s *shelf) remove(e *list.Element) {
	it := s.recent.Remove(e).(*shelved)
	delete(s.clips, it.prompt)
	s.size -= len(it.clip.Samples)
}
