package flows

import (
	"fmt"
	"time"
)

// IVRMenu asks the caller for digits and sends each answer somewhere. Gathering
// digits by API has the same options.
type IVRMenu struct {
	ID                string    `json:"menu_id"`
	Name              string    `json:"name"`
	Prompt            string    `json:"prompt"` // text to speak, or a prompt_ id, or a URL
	Language          string    `json:"language,omitempty"`
	Voice             string    `json:"voice,omitempty"`
	Options           []Option  `json:"options,omitempty"`
	MaxDigits         int       `json:"max_digits,omitempty"`
	MinDigits         int       `json:"min_digits,omitempty"`
	Timeout           int       `json:"timeout,omitempty"`             // seconds from the end of the prompt to the first digit
	InterDigitTimeout int       `json:"inter_digit_timeout,omitempty"` // seconds between digits
	FinishOnKey       *string   `json:"finish_on_key,omitempty"`       // "" disables
	ValidDigits       string    `json:"valid_digits,omitempty"`
	MaxAttempts       int       `json:"max_attempts,omitempty"`
	BargeIn           *bool     `json:"barge_in,omitempty"`
	FlushBuffer       bool      `json:"flush_buffer,omitempty"`
	InvalidPrompt     string    `json:"invalid_prompt,omitempty"`
	NoInputPrompt     string    `json:"no_input_prompt,omitempty"`
	ExitPrompt        string    `json:"exit_prompt,omitempty"`
	Fallback          *Fallback `json:"fallback,omitempty"`
	Sensitive         bool      `json:"sensitive,omitempty"`
	CreatedAt         time.Time `json:"created_at,omitzero"`
	UpdatedAt         time.Time `json:"updated_at,omitzero"`
	Revision          int       `json:"revision,omitempty"`
}

// Option is one answer of a menu. Digit is a pattern like those of rules, but
// in a menu a lone * is the star key.
type Option struct {
	Digit           string          `json:"digit"`
	Destination     string          `json:"destination"`
	DestinationType DestinationType `json:"destination_type"`
}

// ApplyDefaults fills in what was left out.
func (m *IVRMenu) ApplyDefaults() {
	orElse(&m.Language, DefaultLanguage)
	orElse(&m.MaxDigits, 1)
	orElse(&m.MinDigits, 1)
	orElse(&m.Timeout, 5)
	orElse(&m.InterDigitTimeout, 3)
	orElse(&m.MaxAttempts, 3)
	if m.FinishOnKey == nil {
		key := "#"
		m.FinishOnKey = &key
	}
	if m.BargeIn == nil {
		yes := true
		m.BargeIn = &yes
	}
	if m.Fallback != nil {
		m.Fallback.ApplyDefaults()
	}
}

// Validate tells everything that is wrong with the menu.
func (m *IVRMenu) Validate() Problems {
	var problems Problems
	problems.checkID("menu_id", m.ID)
	problems.checkName(m.Name)
	if m.Prompt == "" {
		problems.add("prompt", "the prompt is missing; give a text to speak, a prompt_ id or a URL")
	}
	if f := m.Fallback; f != nil && f.Action == ToMenu && f.ActionID == m.ID && m.ID != "" {
		problems.add("fallback.action_id", "the fallback leads back to this menu, so a silent caller would never leave it; raise max_attempts instead")
	}
	return append(problems, m.ValidateGather()...)
}

// ValidateGather is Validate without what only a stored menu needs: its id, its
// name and its prompt.
func (m *IVRMenu) ValidateGather() Problems {
	var problems Problems
	for _, text := range []struct{ path, text string }{
		{"prompt", m.Prompt}, {"invalid_prompt", m.InvalidPrompt},
		{"no_input_prompt", m.NoInputPrompt}, {"exit_prompt", m.ExitPrompt},
	} {
		problems.addIf(text.path, checkSpeech(text.text))
	}
	problems.checkVoice(m.Language, m.Voice)
	problems = append(problems, m.checkOptions()...)
	problems.checkMost("max_digits", m.MaxDigits, maxKeys)
	problems.checkMost("min_digits", m.MinDigits, maxKeys)
	if m.MaxDigits > 0 && m.MinDigits > m.MaxDigits {
		problems.add("min_digits", "min_digits is %d, more than max_digits, which is %d; lower it, or raise max_digits", m.MinDigits, m.MaxDigits)
	}
	problems.checkMost("timeout", m.Timeout, 300)
	problems.checkMost("inter_digit_timeout", m.InterDigitTimeout, 60)
	problems.checkMost("max_attempts", m.MaxAttempts, 20)
	if key := m.FinishOnKey; key != nil && !validFinishKey(*key) {
		problems.add("finish_on_key", "%q is not a key; use one of 0-9 * #, or \"\" for none", shorten(*key))
	}
	for i := range len(m.ValidDigits) {
		if _, ok := classKey(m.ValidDigits[i]); !ok {
			problems.add("valid_digits", "%s is not a key; list keys of 0-9 * #, such as 123", shown(m.ValidDigits, i))
			break
		}
	}
	if m.Fallback != nil {
		problems = append(problems, m.Fallback.Validate().Under("fallback")...)
	}
	return problems
}

func (m *IVRMenu) checkOptions() Problems {
	var problems Problems
	if len(m.Options) > maxRules {
		problems.add("options", "a menu has at most %d options; this one has %d", maxRules, len(m.Options))
		return problems // one error says it
	}
	seen := make(map[string]int, len(m.Options))
	for i, o := range m.Options {
		at := fmt.Sprintf("options[%d]", i)
		if _, err := compileOption(o.Digit); err != nil {
			problems.add(at+".digit", "%q %s", shorten(o.Digit), err)
		} else if first, twice := seen[o.Digit]; twice {
			problems.add(at+".digit", "the digit %s is already option %d; give each digit once", o.Digit, first)
		}
		seen[o.Digit] = i
		problems = append(problems, checkDestination(o.DestinationType, o.Destination, "destination", "destination_type").Under(at)...)
		if o.DestinationType == ToReject {
			problems.add(at+".destination_type", "reject works only before the call is answered, and a menu has answered it; use hangup")
		}
	}
	return problems
}

func validFinishKey(key string) bool {
	if key == "" {
		return true
	}
	_, ok := classKey(key[0])
	return ok && len(key) == 1
}
