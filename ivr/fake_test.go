package ivr

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"b2bua/dtmf"
	"b2bua/media"
	"b2bua/media/audio"
)

// phone is a line on virtual time: it plays sources frame by frame, and hands
// the caller's voice to the taps.
type phone struct {
	mu     sync.Mutex
	taps   []media.Tap
	played []string // what was heard, in order; "x!" when it was cut off
	now    *sound
	names  map[int]string // prompts by length in samples
	tick   uint64
	says   func(t time.Duration) bool // does the caller speak at that time of the recording
	sounds []int16                    // what the caller sounds like from the recording on, instead
	stop   chan struct{}
	done   chan struct{}
}

type sound struct {
	src    media.Source
	frames int
	done   chan struct{}
	phone  *phone
}

func (s *sound) Done() <-chan struct{} { return s.done }
func (s *sound) Stop() {
	s.phone.mu.Lock()
	defer s.phone.mu.Unlock()
	s.phone.end(s, "!")
}

func newPhone() *phone {
	p := &phone{names: map[int]string{}, stop: make(chan struct{}), done: make(chan struct{})}
	go p.run()
	return p
}

func (p *phone) unplug() {
	close(p.stop)
	<-p.done
}

func (p *phone) run() {
	defer close(p.done)
	clock := time.NewTicker(20 * time.Millisecond)
	defer clock.Stop()
	for {
		select {
		case <-clock.C:
			p.step()
		case <-p.stop:
			return
		}
	}
}

func (p *phone) step() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tick++
	if s := p.now; s != nil {
		s.frames++
		if !s.src.Frame(make([]int16, 160)) {
			p.end(s, "")
		}
	}
	pcm := make([]int16, 160)
	if len(p.taps) > 0 {
		if p.says != nil && p.says(time.Duration(p.tick)*20*time.Millisecond) {
			copy(pcm, voice.Samples)
		}
		if at := 160 * int(p.tick); at < len(p.sounds) {
			copy(pcm, p.sounds[at:])
		}
	} else {
		p.tick = 0
	}
	for _, tap := range p.taps {
		tap.Frame(media.TapFrame{Dir: media.In, Tick: p.tick, Rate: 8000, PCM: pcm})
	}
}

var voice = audio.Tone(8000, 20*time.Millisecond, -20, 300, 700)

func (p *phone) end(s *sound, how string) {
	select {
	case <-s.done:
		return
	default:
	}
	close(s.done)
	if p.now == s {
		p.now = nil
	}
	name := p.names[(s.frames)*160]
	if how != "" {
		name = "cut"
	} else if name == "" {
		name = "beep"
	}
	p.played = append(p.played, name)
}

func (p *phone) play(src media.Source) playback {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &sound{src: src, done: make(chan struct{}), phone: p}
	p.now = s
	return s
}

func (p *phone) AddTap(t media.Tap) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taps = append(p.taps, t)
}

func (p *phone) RemoveTap(t media.Tap) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, have := range p.taps {
		if have == t {
			p.taps = append(p.taps[:i], p.taps[i+1:]...)
			return
		}
	}
}

func (p *phone) heard() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.played...)
}

// book is Prompts of fixed lengths.
type book struct {
	phone   *phone
	lengths map[string]time.Duration
}

var errNoSuch = errors.New("no such prompt")

func (b book) Load(_ context.Context, p Prompt) (audio.Clip, error) {
	d, ok := b.lengths[p.Ref]
	if !ok {
		return audio.Clip{}, errNoSuch
	}
	c := audio.Silence(8000, d)
	b.phone.mu.Lock()
	b.phone.names[len(c.Samples)] = p.Ref
	b.phone.mu.Unlock()
	return c, nil
}

var quietLog = slog.New(slog.NewTextHandler(io.Discard, nil))

// scene is a desk with its phone and keypad.
type scene struct {
	*Desk
	phone *phone
}

// story plays a scene on virtual time.
func story(t *testing.T, f func(t *testing.T, s *scene)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newScene()
		defer s.phone.unplug()
		f(t, s)
	})
}

func newScene() *scene {
	p := newPhone()
	b := book{p, map[string]time.Duration{
		"main": 4 * time.Second, "invalid": time.Second, "noinput": 1500 * time.Millisecond,
		"exit": 2 * time.Second, "hello": 3 * time.Second, "please": 2500 * time.Millisecond,
	}}
	return &scene{newDesk(p, NewKeypad(), b, quietLog), p}
}

// press presses keys, each some time after the one before.
func (s *scene) press(after time.Duration, keys string) {
	go func() {
		for i := range len(keys) {
			time.Sleep(after)
			s.keys.Press(dtmf.Digit{Symbol: keys[i]})
		}
	}()
}
