package ivr

import (
	"context"
	"errors"
	"time"

	"b2bua/flows"
	"b2bua/media"
)

// Defaults of a menu, for requests that come without them.
const (
	defaultTimeout    = 5 * time.Second
	defaultInterDigit = 3 * time.Second
	defaultAttempts   = 3
)

// Menu presents one menu with all its attempts and prompts, and tells what the
// caller chose. It does not resolve the choice. The result's reason is that of
// the last attempt, or hangup or cancelled when ctx ended.
func (d *Desk) Menu(ctx context.Context, r flows.MenuRequest) flows.MenuResult {
	m := &menu{desk: d, menu: r.Menu, match: r.Match, began: time.Now()}
	return m.run(ctx)
}

// Gather collects digits as a menu without options does.
func (d *Desk) Gather(ctx context.Context, m *flows.IVRMenu) flows.MenuResult {
	return d.Menu(ctx, flows.MenuRequest{Menu: m})
}

// menu is one visit to a menu.
type menu struct {
	desk  *Desk
	menu  *flows.IVRMenu
	match flows.Matcher
	began time.Time

	attempts         int
	noInput, invalid int
	barged           bool // in the attempt that counts
}

func (m *menu) run(ctx context.Context) flows.MenuResult {
	if m.menu.FlushBuffer {
		m.desk.keys.Flush()
	}
	prompts := []string{m.menu.Prompt}
	for {
		m.attempts++
		c, err := m.attempt(ctx, prompts)
		if err != nil {
			return m.result(c, gone(err))
		}
		var again string
		switch c.Reason() {
		case flows.MenuNoInput:
			m.noInput++
			again = m.menu.NoInputPrompt
		case flows.MenuInvalid:
			m.invalid++
			again = m.menu.InvalidPrompt
			// The rest of a wrong answer is no answer to the next question.
			m.desk.keys.Flush()
		default:
			return m.result(c, c.Reason())
		}
		// The two kinds of failure are counted apart: each has all attempts.
		if most := positive(m.menu.MaxAttempts, defaultAttempts); m.noInput >= most || m.invalid >= most {
			return m.exit(ctx, c)
		}
		prompts = []string{again, m.menu.Prompt}
	}
}

// exit says goodbye after the last attempt.
func (m *menu) exit(ctx context.Context, c *Collector) flows.MenuResult {
	err := m.desk.Say(ctx, m.prompt(m.menu.ExitPrompt))
	if ctx.Err() != nil {
		return m.result(c, gone(context.Cause(ctx)))
	}
	if err != nil {
		m.desk.log.Warn("exit prompt not played", "menu", m.menu.ID, "err", err)
	}
	return m.result(c, c.Reason())
}

// attempt plays the prompts and collects one answer.
func (m *menu) attempt(ctx context.Context, prompts []string) (*Collector, error) {
	c := NewCollector(m.rules())
	m.barged = false
	for _, ref := range prompts {
		stopped, err := m.present(ctx, ref)
		if err != nil {
			return c, err
		}
		if stopped {
			m.barged = true
			break
		}
	}
	if !m.bargeIn() && m.menu.FlushBuffer {
		m.desk.keys.Flush() // keys pressed over the prompt do not count
	}
	return c, m.collect(ctx, c)
}

// collect reads keys until there is an answer. The timeout starts here, at the
// end of the prompt.
func (m *menu) collect(ctx context.Context, c *Collector) error {
	timer := time.NewTimer(seconds(m.menu.Timeout, defaultTimeout))
	defer timer.Stop()
	for c.Reason() == "" {
		// Hanging up and keys that wait already come before the timer.
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if key, ok := m.desk.keys.next(); ok {
			c.Press(key.Symbol)
			timer.Reset(seconds(m.menu.InterDigitTimeout, defaultInterDigit))
			continue
		}
		select {
		case <-m.desk.keys.ready:
		case <-timer.C:
			if m.desk.keys.Waiting() == 0 {
				c.Expire()
			}
		case <-ctx.Done():
		}
	}
	return nil
}

// present plays one prompt. With barge-in a key ends it, and keys that wait
// already keep it from starting; the key itself stays for the collector.
func (m *menu) present(ctx context.Context, ref string) (stopped bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, context.Cause(ctx)
	}
	if m.bargeIn() && m.desk.keys.Waiting() > 0 {
		return true, nil
	}
	if ref == "" {
		return false, nil
	}
	clip, err := m.desk.prompts.Load(ctx, m.prompt(ref))
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	if err != nil {
		// A menu without its prompt still takes keys, from callers who know it.
		m.desk.log.Warn("menu prompt not played", "menu", m.menu.ID, "err", err)
		return false, nil
	}
	return m.hear(ctx, media.ClipSource(clip, false))
}

func (m *menu) hear(ctx context.Context, src media.Source) (stopped bool, err error) {
	if !m.bargeIn() {
		return false, m.desk.hear(ctx, src)
	}
	pb := m.desk.line.play(src)
	for {
		select {
		case <-pb.Done():
			return false, nil
		case <-ctx.Done():
			pb.Stop()
			return false, context.Cause(ctx)
		case <-m.desk.keys.ready:
			// The token may be of a key that was read or flushed since.
			if m.desk.keys.Waiting() > 0 {
				pb.Stop()
				return true, nil
			}
		}
	}
}

func (m *menu) result(c *Collector, reason string) flows.MenuResult {
	return flows.MenuResult{
		Digits: c.Digits(), Terminator: c.Terminator(), Reason: reason, Attempts: m.attempts,
		BargedIn: m.barged, DurationMS: time.Since(m.began).Milliseconds(),
	}
}

func (m *menu) prompt(ref string) Prompt {
	return Prompt{Ref: ref, Language: m.menu.Language, Voice: m.menu.Voice}
}

func (m *menu) bargeIn() bool { return m.menu.BargeIn == nil || *m.menu.BargeIn }

func (m *menu) rules() Rules {
	finish := "#"
	if m.menu.FinishOnKey != nil {
		finish = *m.menu.FinishOnKey
	}
	return Rules{
		MinDigits: m.menu.MinDigits, MaxDigits: m.menu.MaxDigits,
		FinishOnKey: finish, ValidDigits: m.menu.ValidDigits, Match: m.match,
	}
}

// gone is the reason for a context that ended.
func gone(cause error) string {
	if errors.Is(cause, ErrHangup) {
		return flows.MenuHangup
	}
	return flows.MenuCancelled
}

func seconds(n int, otherwise time.Duration) time.Duration {
	if n <= 0 {
		return otherwise
	}
	return time.Duration(n) * time.Second
}

func positive(n, otherwise int) int {
	if n <= 0 {
		return otherwise
	}
	return n
}
