package flows

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	maxRules   = 1000
	maxEntries = 10000 // of a number list
	maxTags    = 50
	maxRing    = 3600 // seconds of a fallback's timeout
)

// ApplyDefaults fills in what was left out. Active cannot be told from an
// absent field here: decode onto NewCallFlow.
func (f *CallFlow) ApplyDefaults() {
	if f.Recording != nil {
		f.Recording.ApplyDefaults()
	}
	for i := range f.Routing {
		f.Routing[i].ApplyDefaults()
	}
}

// Validate tells everything that is wrong with the flow.
func (f *CallFlow) Validate() Problems {
	var problems Problems
	problems.checkID("call_flow_id", f.ID)
	problems.checkName(f.Name)
	if f.PhoneNumber != "" {
		problems.checkNumber("phone_number", f.PhoneNumber)
	}
	problems.addIf("description", checkSpeech(f.Description))
	switch {
	case len(f.Routing) == 0:
		problems.add("routing", "a call flow needs at least one routing rule")
	case len(f.Routing) > maxRules:
		problems.add("routing", "a call flow has at most %d routing rules; this one has %d", maxRules, len(f.Routing))
	}
	for i := range f.Routing {
		if len(f.Routing) > maxRules {
			break // one error says it
		}
		problems = append(problems, f.Routing[i].Validate().Under(fmt.Sprintf("routing[%d]", i))...)
	}
	if f.Recording != nil {
		problems = append(problems, f.Recording.Validate().Under("recording")...)
	}
	if f.Timezone != "" {
		if _, err := loadZone(f.Timezone); err != nil {
			problems.add("timezone", "%s", err)
		}
	}
	problems = append(problems, CheckTags(f.Tags).Under("tags")...)
	problems = append(problems, f.validateTests()...)
	return problems
}

// ApplyDefaults fills in what was left out; a rule has nothing to fill in but
// its fallback's ringing time. In a queue callers wait as long as the queue says
// unless the rule does.
func (r *Rule) ApplyDefaults() {
	if r.Fallback != nil && r.DestinationType != ToQueue && r.DestinationType != ToRingGroup {
		r.Fallback.ApplyDefaults()
	}
}

// Validate tells everything that is wrong with the rule.
func (r *Rule) Validate() Problems {
	var problems Problems
	if _, err := compileRule(r.Pattern); err != nil {
		problems.add("pattern", "%q %s", shorten(r.Pattern), err)
	}
	problems = append(problems, r.ValidateDestination()...)
	if r.DestinationType == ToReject && r.Pattern != catchAllIs {
		problems.add("destination_type", "reject works only before the call is answered, and a menu has answered it by the time digits are pressed; use hangup")
	}
	if r.Conditions != nil {
		problems = append(problems, r.Conditions.Validate().Under("conditions")...)
	}
	return problems
}

// ValidateDestination is Validate without the pattern and the conditions: for
// transfers and webhook decisions.
func (r *Rule) ValidateDestination() Problems {
	problems := checkDestination(r.DestinationType, r.Destination, "destination", "destination_type")
	if r.DestinationType == ToReject {
		problems.addIf("reason", checkCause(r.Reason))
	} else {
		problems.addIf("reason", checkText(r.Reason, maxReason))
	}
	if r.Fallback != nil {
		problems = append(problems, r.Fallback.Validate().Under("fallback")...)
	}
	return problems
}

// Validate tells everything that is wrong with the conditions.
func (c *Conditions) Validate() Problems {
	_, problems := checkConditions(c)
	for _, list := range []struct {
		name string
		size int
	}{{"blocked_numbers", len(c.BlockedNumbers)}, {"allowed_numbers", len(c.AllowedNumbers)}} {
		if list.size > maxEntries {
			problems.add(list.name, "a list has at most %d entries; this one has %d", maxEntries, list.size)
		}
	}
	return problems
}

// ApplyDefaults sets the ringing time of a fallback that names none.
func (f *Fallback) ApplyDefaults() {
	if f.Timeout == 0 {
		f.Timeout = int(DefaultRing / time.Second)
	}
}

// Validate tells everything that is wrong with the fallback.
func (f *Fallback) Validate() Problems {
	var problems Problems
	if f.Timeout < 0 || f.Timeout > maxRing {
		problems.add("timeout", "%d is out of range; give the seconds to ring, 1 to %d", f.Timeout, maxRing)
	}
	return append(problems, checkDestination(f.Action, f.ActionID, "action_id", "action")...)
}

// ApplyDefaults fills in what was left out.
func (r *Recording) ApplyDefaults() {
	orElse(&r.Format, "mp3")
	orElse(&r.Participant, "all")
	orElse(&r.Channels, "mono")
	orElse(&r.Start, RecordOnAnswer)
	orElse(&r.PauseMode, "silence")
	orElse(&r.MaxDuration, 14400)
}

// Validate tells everything that is wrong with the recording options.
func (r *Recording) Validate() Problems {
	var problems Problems
	problems.checkOneOf("format", r.Format, "", "mp3", "wav")
	problems.checkOneOf("participant", r.Participant, "", "all", "caller", "callee")
	problems.checkOneOf("channels", r.Channels, "", "mono", "dual")
	problems.checkOneOf("start", r.Start, "", RecordOnAnswer, RecordOnBridge)
	problems.checkOneOf("pause_mode", r.PauseMode, "", "silence", "skip")
	problems.checkMost("max_duration", r.MaxDuration, 86400)
	problems.checkMost("retention_days", r.RetentionDays, 36500)
	problems.addIf("announce", checkSpeech(r.Announce))
	problems.checkVoice(r.Language, r.Voice)
	r.checkRates(&problems)
	return problems
}

// checkRates knows what the formats can have.
func (r *Recording) checkRates(problems *Problems) {
	rates, bits := []int{16000, 24000, 32000, 48000}, []int{16000, 24000, 32000, 40000, 48000, 56000, 64000, 80000, 96000, 112000, 128000, 144000, 160000}
	if r.Format == "wav" {
		rates, bits = []int{8000, 16000, 24000, 32000, 44100, 48000}, nil
	} else if r.SampleRate >= 32000 {
		bits = []int{32000, 40000, 48000, 56000, 64000, 80000, 96000, 112000, 128000, 160000, 192000, 224000, 256000, 320000}
	}
	if r.SampleRate != 0 && !slices.Contains(rates, r.SampleRate) {
		problems.add("sample_rate", "%d hertz is none that %s has here; use one of %v", r.SampleRate, cmp.Or(r.Format, "mp3"), rates)
	}
	switch {
	case r.Bitrate == 0:
	case bits == nil:
		problems.add("bitrate", "a wav file has none; leave it out, or choose mp3")
	case !slices.Contains(bits, r.Bitrate):
		problems.add("bitrate", "%d bits a second is none that mp3 has at this sample rate; use one of %v", r.Bitrate, bits)
	}
}

// CheckTags tells everything that is wrong with the tags of a flow or a call.
func CheckTags(tags map[string]string) Problems {
	var problems Problems
	if len(tags) > maxTags {
		problems.add("", "there are at most %d tags; these are %d", maxTags, len(tags))
	}
	names := make([]string, 0, len(tags))
	for name := range tags {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if name == "" {
			problems.add("", "a tag has an empty name; name it")
		}
		problems.addIf(shorten(name), checkText(name, 64))
		problems.addIf(shorten(name), checkText(tags[name], maxTagValue))
	}
	return problems
}

func orElse[T comparable](field *T, standard T) {
	var zero T
	if *field == zero {
		*field = standard
	}
}

// checkID lets an empty id pass: a resource gets one when it is stored.
func (p *Problems) checkID(path, id string) {
	if id != "" && !ValidID(id) {
		p.add(path, "%q is not an id; use 1 to 64 letters, digits, _ and -", shorten(id))
	}
}

func (p *Problems) checkName(name string) {
	if strings.TrimSpace(name) == "" {
		p.add("name", "the name is missing; give one")
		return
	}
	p.addIf("name", checkText(name, maxName))
}

func (p *Problems) checkNumber(path, number string) {
	if _, err := ParseNumber(number); err != nil {
		p.addNumber(path, "%s", err)
	}
}

// checkMost lets 0 pass: it stands for the default, or for no limit.
func (p *Problems) checkMost(path string, n, most int) {
	if n < 0 || n > most {
		p.add(path, "%d is out of range; use 0 to %d", n, most)
	}
}

// checkOneOf accepts the values listed; an empty one among them is not told.
func (p *Problems) checkOneOf(path, value string, values ...string) {
	if slices.Contains(values, value) {
		return
	}
	known := slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == "" })
	p.add(path, "%q is not known here; use %s", shorten(value), strings.Join(known, ", "))
}

// checkVoice looks at a language tag (RFC 5646) and the name of a voice. Both
// reach a speech program as arguments, so they are kept to plain words.
func (p *Problems) checkVoice(language, voice string) {
	if language != "" && !languageForm.MatchString(language) {
		p.add("language", "%q is not a language; write it as en-US", shorten(language))
	}
	if voice != "" && !voiceForm.MatchString(voice) {
		p.add("voice", "%q is not the name of a voice; use letters, digits, space and . _ + - after a first letter or digit", shorten(voice))
	}
}

var (
	languageForm = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$`)
	voiceForm    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ._+-]{0,63}$`)
)
