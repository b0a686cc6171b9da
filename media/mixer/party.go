package mixer

// queued is how many frames of a party may wait: a stall of the machine is made
// up for, and no more.
const queued = 5

// patience is for how many ticks a frame too many may wait: a party that came
// late for once is not late for ever.
const patience = 50

// Party is somebody in a Mixer.
type Party struct {
	wide  bool
	muted bool
	away  bool // has left; fades out
	gone  bool
	fresh bool // hears for the first time

	queue  [queued][wide]int16
	at, n  int
	spare  int  // ticks for which more than one frame has waited
	broken bool // the next frame does not follow the last one

	own      [wide]int16 // what it says in this tick
	sounding bool        // own is not silence
	live     bool        // it spoke in the last tick
	last     int16       // its last sample
	limit    Limiter
}

// Rate is the party's sample rate.
func (p *Party) Rate() int {
	if p.wide {
		return 16000
	}
	return 8000
}

// Put gives 20 ms of what the party says, for the next Mix that has not been
// given any. Too many at once push out the oldest.
func (p *Party) Put(pcm []int16) {
	if p.n == queued {
		p.drop()
	}
	f := p.queue[(p.at+p.n)%queued][:p.frame()]
	clear(f[copy(f, pcm):])
	p.n++
}

// Mute keeps the party from being heard, or ends that.
func (p *Party) Mute(on bool) { p.muted = on }

// Leave takes the party out with the next Mix; it is not to be used any more.
func (p *Party) Leave() { p.away = true }

func (p *Party) frame() int {
	if p.wide {
		return wide
	}
	return narrow
}

// edge is 5 ms.
func (p *Party) edge() int { return p.frame() / 4 }

func (p *Party) drop() {
	p.at, p.n, p.broken = (p.at+1)%queued, p.n-1, true
}

// speak makes own of the oldest frame, without a click where it begins, ends, or
// does not follow the one before.
func (p *Party) speak() {
	own, edge := p.own[:p.frame()], p.edge()
	have := p.n > 0
	if have {
		copy(own, p.queue[p.at][:p.frame()])
		p.at, p.n = (p.at+1)%queued, p.n-1
		p.catchUp()
	}
	p.gone = p.away
	says := have && !p.muted && !p.away
	switch {
	case says && !p.live:
		fadeIn(own, edge)
	case says && p.broken:
		for i := range edge {
			own[i] = int16((int(p.last)*(edge-i) + int(own[i])*i) / edge)
		}
	case says:
	case p.live && have: // muted or leaving: the frame itself fades
		for i := range edge {
			own[i] = int16(int(own[i]) * (edge - i) / edge)
		}
		clear(own[edge:])
	case p.live:
		for i := range edge {
			own[i] = int16(int(p.last) * (edge - i) / edge)
		}
		clear(own[edge:])
	}
	p.sounding = says || p.live
	p.live, p.broken = says, false
	if says {
		p.last = own[len(own)-1]
	}
}

// catchUp gives up a frame when one has been waiting behind another for long.
func (p *Party) catchUp() {
	if p.n == 0 {
		p.spare = 0
		return
	}
	if p.spare++; p.spare >= patience {
		p.spare = 0
		p.drop()
	}
}

func fadeIn(pcm []int16, edge int) {
	for i := range edge {
		pcm[i] = int16(int(pcm[i]) * i / edge)
	}
}
