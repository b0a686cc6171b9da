package flows

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// Prompt is sound that is kept, to be played wherever its id stands: uploaded,
// recorded, made of a text, or fetched from a URL.
type Prompt struct {
	ID          string    `json:"prompt_id"`
	Name        string    `json:"name"`
	Description string    `json:"description,omitempty"`
	Text        string    `json:"text,omitempty"` // what is spoken
	Language    string    `json:"language,omitempty"`
	Voice       string    `json:"voice,omitempty"`
	URL         string    `json:"url,omitempty"`  // where it was fetched
	Loop        bool      `json:"loop,omitempty"` // played again and again, as hold music is
	Source      string    `json:"source,omitempty"`
	Duration    float64   `json:"duration,omitempty"` // seconds
	SampleRate  int       `json:"sample_rate,omitempty"`
	Size        int64     `json:"size,omitempty"` // bytes of the WAV file that is kept
	SHA256      string    `json:"sha256,omitempty"`
	Problem     string    `json:"problem,omitempty"` // why there is no sound of its own
	File        string    `json:"file,omitempty"`    // of the sound; never shown
	CreatedAt   time.Time `json:"created_at,omitzero"`
	UpdatedAt   time.Time `json:"updated_at,omitzero"`
	Revision    int       `json:"revision,omitempty"`
}

// The sources of prompts.
const (
	PromptUploaded = "upload"
	PromptSpoken   = "text"
	PromptFetched  = "url"
	PromptRecorded = "recording"
)

// promptID is what an id of a prompt looks like: it must be told from a text.
var promptID = regexp.MustCompile(`^prompt_[A-Za-z0-9_-]{1,57}$`)

// IsPromptID says whether what is to be heard is the id of a stored prompt, and
// not a text or a URL.
func IsPromptID(ref string) bool { return promptID.MatchString(ref) }

// IsURL says whether what is to be heard is fetched from elsewhere.
func IsURL(ref string) bool {
	head := strings.ToLower(ref[:min(len(ref), 8)])
	return strings.HasPrefix(head, "http://") || strings.HasPrefix(head, "https://")
}

// ApplyDefaults fills in what was left out.
func (p *Prompt) ApplyDefaults() {
	if p.Text != "" {
		orElse(&p.Language, DefaultLanguage)
	}
}

// Validate tells everything that is wrong with the prompt.
func (p *Prompt) Validate() Problems {
	var problems Problems
	if p.ID != "" && !IsPromptID(p.ID) {
		problems.add("prompt_id", "%q is no id of a prompt: it begins with prompt_, followed by 1 to 57 of the characters A-Z a-z 0-9 _ -", shorten(p.ID))
	}
	problems.checkName(p.Name)
	problems.addIf("description", checkText(p.Description, maxDescription))
	problems.addIf("text", checkSpeech(p.Text))
	problems.checkVoice(p.Language, p.Voice)
	if p.URL != "" {
		problems.addIf("url", checkPromptURL(p.URL))
	}
	if p.URL != "" && p.Text != "" {
		problems.add("url", "give either a text to speak or a url to fetch, not both")
	}
	return problems
}

func checkPromptURL(s string) string {
	u, err := url.Parse(s)
	switch {
	case len(s) > 2048:
		return "the address is longer than 2048 characters"
	case err != nil || !IsURL(s) || u.Hostname() == "":
		return fmt.Sprintf("%q is no address such as https://example.com/greeting.wav", shorten(s))
	}
	return ""
}

// missingPrompt tells of a stored prompt that does not exist.
func (l *lint) missingPrompt(path, ref string) {
	if IsPromptID(ref) && l.plan.prompts[ref] == nil {
		l.add(path, WarnPromptMissing, "create it, or name another", "there is no prompt %q yet; until there is, callers hear three short tones instead", ref)
	}
}

func (l *lint) missingPrompts(list []Spoken) {
	for _, p := range list {
		l.missingPrompt(p.Path, p.Ref)
	}
}

// Spoken is something that callers will hear, with where it stands.
type Spoken struct{ Path, Ref, Language, Voice string }

// Spoken is all that the menu says.
func (m *IVRMenu) Spoken() []Spoken {
	return allSpoken(m.Language, m.Voice, "prompt", m.Prompt, "invalid_prompt", m.InvalidPrompt,
		"no_input_prompt", m.NoInputPrompt, "exit_prompt", m.ExitPrompt)
}

// Spoken is all that the box says.
func (b *VoicemailBox) Spoken() []Spoken {
	recorded := b.RecordedGreeting
	if strings.HasPrefix(recorded, GreetingPrefix) {
		recorded = "" // its file is the box's own
	}
	return allSpoken(b.Language, b.Voice, "recorded_greeting", recorded, "greeting", b.Greeting, "prompt", b.Prompt)
}

// Spoken is what the queue says in its own words. Positions and times, and texts
// with placeholders, differ from call to call.
func (q *Queue) Spoken() []Spoken {
	again, accept := "", q.AcceptPrompt
	if q.Callback != nil {
		again = q.Callback.Prompt
	}
	if placeholder.MatchString(accept) {
		accept = ""
	}
	whisper := q.Whisper
	if placeholder.MatchString(whisper) {
		whisper = ""
	}
	return allSpoken(q.Language, q.Voice, "greeting", q.Greeting, "callback.prompt", again, "accept_prompt", accept, "whisper", whisper)
}

// GreetingPrefix begins the ids of greetings that owners have recorded by phone.
const GreetingPrefix = "prompt_greeting_"

func allSpoken(language, voice string, pairs ...string) (list []Spoken) {
	for ; len(pairs) > 1; pairs = pairs[2:] {
		if pairs[1] != "" {
			list = append(list, Spoken{pairs[0], pairs[1], language, voice})
		}
	}
	return list
}

// Prompt is the prompt with this id, or nil.
func (p *Plan) Prompt(id string) *Prompt { return p.prompts[id] }

func (b *builder) addPrompts() {
	gone, come := differ(b.was.Prompts, b.nouns.Prompts)
	if len(gone)+len(come) == 0 && b.prompts != nil {
		return
	}
	b.prompts = fresh(b.prompts, len(come))
	for _, x := range gone {
		delete(b.prompts, x.ID)
	}
	for _, x := range come {
		b.problems = append(b.problems, x.Validate().Under("prompts["+x.ID+"]")...)
		if b.prompts[x.ID] != nil {
			b.problems.addConflict("prompt_id", "there is already a prompt with the id %q; choose another", x.ID)
		}
		b.prompts[x.ID] = x
	}
}

// Prompts are all prompts, in the order of their creation.
func (p *Plan) Prompts() []*Prompt { return p.nouns.Prompts }

// Spoken is all that menus, boxes and queues say.
func (p *Plan) Spoken() (list []Spoken) {
	for _, m := range p.nouns.Menus {
		list = append(list, m.Spoken()...)
	}
	for _, b := range p.nouns.Boxes {
		list = append(list, b.Spoken()...)
	}
	for _, q := range p.nouns.Queues {
		list = append(list, q.Spoken()...)
	}
	return list
}

// SpokenBy is all that one noun says.
func (p *Plan) SpokenBy(kind, id string) []Spoken {
	switch {
	case kind == KindMenu && p.menus[id] != nil:
		return p.menus[id].menu.Spoken()
	case kind == KindBox && p.boxes[id] != nil:
		return p.boxes[id].Spoken()
	case kind == KindQueue && p.queues[id] != nil:
		return p.queues[id].Spoken()
	}
	return nil
}
