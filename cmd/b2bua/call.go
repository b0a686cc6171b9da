package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"time"

	"b2bua/media/audio"
	"b2bua/speech"
	"b2bua/testbench/phone"
	"b2bua/testbench/sound"
)

// phoneCall is the built-in phone: real SIP and RTP, for whoever has no
// softphone at hand.
type phoneCall struct {
	Number   string        `arg:"" help:"Number to call."`
	Server   string        `default:"127.0.0.1:5060" help:"The switch, host:port (UDP)."`
	From     string        `default:"+14155550199" help:"Number or name of the caller."`
	User     string        `help:"Username, when the switch knows this phone as a device."`
	Password string        `env:"B2BUA_CALL_PASSWORD" help:"Its password."`
	Digits   string        `help:"Keys to press once the other side has spoken; a comma waits a second."`
	Say      string        `help:"Text to speak after that, when the other side is silent."`
	Out      string        `placeholder:"FILE" help:"Save what was heard as WAV."`
	Listen   time.Duration `default:"3s" help:"How long to listen after everything was done."`
	Timeout  time.Duration `default:"90s" help:"When to hang up at the latest."`
}

// Run places the call, prints the ladder as it happens and saves what it heard.
func (p phoneCall) Run(w world) error {
	server, err := net.ResolveUDPAddr("udp", p.Server)
	if err != nil {
		return fmt.Errorf("%w: --server: %w", errUsage, err)
	}
	ctx, cancel := context.WithTimeout(w.ctx, p.Timeout)
	defer cancel()
	go func() {
		select {
		case <-w.signals: // hang up properly, then leave
			cancel()
		case <-ctx.Done():
		}
	}()
	var words []int16
	if p.Say != "" {
		if words, err = p.speak(ctx, w); err != nil {
			return err
		}
	}
	tel, err := p.phone(w, server.AddrPort())
	if err != nil {
		return err
	}
	defer func() { _ = tel.Close() }() // the call is over, and what it came to is told
	c, err := p.place(ctx, tel, server.AddrPort())
	if err != nil {
		return err
	}
	talked := p.talk(ctx, w, c, words)
	if err := p.leave(c); err != nil {
		fmt.Fprintln(w.stderr, "hang up:", err)
	}
	return errors.Join(p.report(w, c), talked)
}

// phone makes the phone on the address that leads to the switch.
func (p phoneCall) phone(w world, server netip.AddrPort) (*phone.Phone, error) {
	route, err := new(net.Dialer).DialContext(w.ctx, "udp", server.String())
	if err != nil {
		return nil, fmt.Errorf("find the way to %s: %w", server, err)
	}
	own := route.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
	if err := route.Close(); err != nil {
		return nil, err
	}
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(own, 0)))
	if err != nil {
		return nil, err
	}
	name := p.From
	if p.User != "" {
		name = p.User
	}
	ladder := phone.NewLadder(name, "switch")
	ladder.Live(w.stdout)
	return phone.New(phone.Config{
		Name: name, Conn: conn, Advertise: own, UserAgent: "b2bua call", Ladder: ladder,
		Log: slog.New(slog.NewTextHandler(w.stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
}

func (p phoneCall) place(ctx context.Context, tel *phone.Phone, server netip.AddrPort) (*phone.Call, error) {
	if p.User != "" {
		if err := tel.Register(ctx, server.String(), p.User, p.Password, time.Minute); err != nil {
			return nil, fmt.Errorf("register: %w", err)
		}
	}
	return tel.Invite(ctx, "sip:"+p.Number+"@"+server.String(), phone.Options{User: p.User, Password: p.Password})
}

// talk does what a person would: listen, press keys, wait for silence, speak,
// and listen again.
func (p phoneCall) talk(ctx context.Context, w world, c *phone.Call, words []int16) error {
	if err := c.WaitState(ctx, phone.Established); err != nil {
		var ended *phone.EndedError
		if errors.As(err, &ended) {
			return fmt.Errorf("not connected: %d %s", ended.Code, ended.Reason)
		}
		return fmt.Errorf("wait for an answer: %w", err)
	}
	fmt.Fprintf(w.stdout, "connected, %s\n", c.Codec())
	if p.Digits != "" {
		if err := p.press(ctx, w, c); err != nil {
			return overIsFine(err)
		}
	}
	if words != nil {
		if err := quiet(ctx, c, 1200*time.Millisecond); err != nil {
			return overIsFine(err)
		}
		fmt.Fprintf(w.stdout, "saying %q\n", p.Say)
		c.PlayClip(words)
		if err := c.Drain(ctx); err != nil {
			return overIsFine(err)
		}
	}
	rest, cancel := context.WithTimeout(ctx, p.Listen)
	defer cancel()
	_, err := c.WaitEnded(rest)
	return overIsFine(err)
}

// press presses the keys, the first one when the other side has begun to speak.
func (p phoneCall) press(ctx context.Context, w world, c *phone.Call) error {
	if err := pause(ctx, c, 1500*time.Millisecond); err != nil {
		return err
	}
	for _, key := range p.Digits {
		if key == ',' {
			if err := pause(ctx, c, time.Second); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(w.stdout, "pressing %c\n", key)
		if err := c.SendDigits(ctx, string(key)); err != nil {
			return err
		}
	}
	return nil
}

// quiet waits until the other side has been heard, and then said nothing for a
// while: a greeting and its beep are over, it is our turn.
func quiet(ctx context.Context, c *phone.Call, long time.Duration) error {
	const silence = -45 // dBm0
	heard := false
	for {
		pcm := c.Heard()
		n := sound.Samples(long)
		if len(pcm) >= n {
			loud := sound.Level(pcm[len(pcm)-n:]) > silence
			if heard && !loud {
				return nil
			}
			heard = heard || loud
		}
		if err := pause(ctx, c, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// pause waits, unless the call ends.
func pause(ctx context.Context, c *phone.Call, d time.Duration) error {
	short, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	end, err := c.WaitEnded(short)
	if err == nil {
		return &phone.EndedError{Ending: end}
	}
	return ctx.Err()
}

// overIsFine: the other side may hang up whenever it likes, and so may we.
func overIsFine(err error) error {
	var ended *phone.EndedError
	if errors.As(err, &ended) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (p phoneCall) leave(c *phone.Call) error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	return c.Hangup(ctx)
}

// report says how it went and saves what was heard.
func (p phoneCall) report(w world, c *phone.Call) error {
	pcm, end, stats := c.Heard(), c.Ending(), c.Stats()
	fmt.Fprintf(w.stdout, "ended by %s; heard %.1f s, %d packets, %d lost, level %.1f dBm0\n",
		end.By, sound.Time(len(pcm)).Seconds(), stats.Received, stats.Lost, sound.Level(pcm))
	if p.Out == "" {
		return nil
	}
	f, err := os.Create(p.Out)
	if err != nil {
		return fmt.Errorf("save what was heard: %w", err)
	}
	if err := audio.WriteWAV(f, audio.Clip{Rate: sound.Rate, Samples: pcm}); err != nil {
		return errors.Join(fmt.Errorf("save what was heard: %w", err), f.Close())
	}
	fmt.Fprintln(w.stdout, "saved", p.Out)
	return f.Close()
}

// speak makes the words to say.
func (p phoneCall) speak(ctx context.Context, w world) ([]int16, error) {
	dir, err := os.MkdirTemp("", "b2bua-say-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	log := slog.New(slog.NewTextHandler(w.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	clip, err := speech.New(speech.Config{CacheDir: dir}, log).Say(ctx, speech.Text{Text: p.Say, Language: "en-US"})
	if err != nil {
		return nil, fmt.Errorf("speak %q: %w", p.Say, err)
	}
	return clip.Resample(sound.Rate).Samples, nil
}
