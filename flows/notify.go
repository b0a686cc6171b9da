package flows

import (
	"net/mail"
	"slices"
	"strings"
)

// Notify says who is told of a box's new messages.
type Notify struct {
	Email   string `json:"email,omitempty"`   // addresses, with commas between them
	Webhook string `json:"webhook,omitempty"` // URL that voicemail.received is posted to
	Attach  *bool  `json:"attach,omitempty"`  // whether the audio goes with the e-mail; true when left out
	Subject string `json:"subject,omitempty"` // of the e-mail, with fields such as {from}
	Text    string `json:"text,omitempty"`    // of the e-mail, with the same fields
}

// NoticeFields are what the subject and the text of an e-mail can name.
var NoticeFields = []string{"{from}", "{name}", "{duration}", "{box}", "{time}", "{message_id}"}

const maxAddresses = 20

// Validate tells everything that is wrong with it.
func (n *Notify) Validate() Problems {
	var problems Problems
	if n.Email == "" && n.Webhook == "" {
		problems.add("email", "nobody is named; give an e-mail address or a webhook, or leave notify out")
	}
	if n.Email != "" {
		switch list, err := mail.ParseAddressList(n.Email); {
		case err != nil || hasControls(n.Email):
			problems.add("email", "%q is not an e-mail address; write it as name@example.com, several with commas between them", shorten(n.Email))
		case len(list) > maxAddresses:
			problems.add("email", "there are at most %d addresses; these are %d", maxAddresses, len(list))
		}
	}
	if n.Webhook != "" {
		problems.addIf("webhook", checkWebhook(n.Webhook))
	}
	problems.addIf("subject", checkText(n.Subject, 200))
	problems.addIf("text", checkSpeech(n.Text))
	problems.checkFields("subject", n.Subject)
	problems.checkFields("text", n.Text)
	return problems
}

func (p *Problems) checkFields(path, text string) {
	for _, found := range placeholder.FindAllString(text, -1) {
		if !slices.Contains(NoticeFields, found) {
			p.add(path, "%s is not known here; use %s", shorten(found), strings.Join(NoticeFields, ", "))
		}
	}
}

// Addresses are those that e-mail goes to, bare.
func (n *Notify) Addresses() (all []string) {
	if n == nil || n.Email == "" {
		return nil
	}
	list, err := mail.ParseAddressList(n.Email)
	if err != nil {
		return nil // Validate has refused it
	}
	for _, a := range list {
		all = append(all, a.Address)
	}
	return all
}

// Attaches says whether the audio goes with the e-mail.
func (n *Notify) Attaches() bool { return n == nil || n.Attach == nil || *n.Attach }
