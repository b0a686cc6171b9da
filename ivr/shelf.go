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
	prompt Prompt
	clip   audio.Clip
	until  time.Time
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
	s.remove(e)
	return audio.Clip{}, false
}

func (s *shelf) put(p Prompt, c audio.Clip, fresh time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.clips[p]; ok {
		s.remove(e)
	}
	s.clips[p] = s.recent.PushFront(&shelved{p, c, time.Now().Add(fresh)})
	for s.size += len(c.Samples); s.size > s.most; {
		s.remove(s.recent.Back())
	}
}

func (s *shelf) remove(e *list.Element) {
	it := s.recent.Remove(e).(*shelved)
	delete(s.clips, it.prompt)
	s.size -= len(it.clip.Samples)
}
