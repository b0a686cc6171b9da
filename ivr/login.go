package ivr

import (
	"context"

	"b2bua/flows"
)

// Login asks for a PIN, and before it for the number of a box when ask is set,
// until check says yes. It says the same of a box that does not exist as of a
// wrong PIN. False after three attempts, or when the caller leaves.
func (d *Desk) Login(ctx context.Context, language, voice string, ask bool, check func(number, pin string) bool) bool {
	say := func(p Phrase) { _ = d.Say(ctx, Prompt{Ref: Words(language, p), Language: language, Voice: voice}) }
	enter := func(p Phrase, most int) (digits string, left bool) {
		r := d.Gather(ctx, &flows.IVRMenu{
			Prompt: Words(language, p), Language: language, Voice: voice, ValidDigits: "0123456789",
			MinDigits: 1, MaxDigits: most, MaxAttempts: ownerAttempts, Timeout: 8, InterDigitTimeout: 5, Sensitive: true,
		})
		return r.Digits, r.Reason == flows.MenuHangup || r.Reason == flows.MenuCancelled || r.Reason == flows.MenuNoInput
	}
	for range ownerAttempts {
		number := ""
		if ask {
			var left bool
			if number, left = enter(sayWhichBox, 15); left {
				break
			}
		}
		pin, left := enter(sayPIN, 12)
		if left {
			break
		}
		if check(number, pin) {
			return true
		}
		d.keys.Flush()
		say(sayWrong)
	}
	if ctx.Err() == nil {
		say(sayGoodbye)
	}
	return false
}
