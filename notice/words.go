package notice

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"b2bua/flows"
	"b2bua/store"
)

const (
	defaultSubject = "New voicemail from {from} ({duration})"
	defaultText    = "You have a new voicemail message in {box}.\n\nFrom: {name} {from}\nReceived: {time}\nDuration: {duration}\n"
)

// words are the subject and the text of an e-mail about a message.
func words(box *flows.VoicemailBox, m *store.Message) (subject, text string) {
	subject, text = defaultSubject, defaultText
	if n := box.Notify; n != nil {
		if n.Subject != "" {
			subject = n.Subject
		}
		if n.Text != "" {
			text = n.Text
		}
	}
	fill := strings.NewReplacer("{from}", oneLine(m.From), "{name}", oneLine(m.FromName), "{duration}", minutes(m.Duration),
		"{box}", oneLine(box.Name), "{time}", m.CreatedAt.UTC().Format("Mon, 2 Jan 2006 15:04 MST"), "{message_id}", m.ID)
	return oneLine(fill.Replace(subject)), fill.Replace(text)
}

// oneLine takes out whatever could begin another line, or another header: what a
// caller is called is the caller's choice.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
	return strings.Join(strings.Fields(s), " ")
}

// minutes is 2:05 for 125 seconds.
func minutes(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second)).Round(time.Second)
	return fmt.Sprintf("%d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}
