package notice

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"b2bua/flows"
	"b2bua/store"
)

// How the talk with the SMTP server is protected.
const (
	STARTTLS = "starttls" // or not at all
	TLS      = "tls"      // from the first byte on
	NoTLS    = "off"
)

// Mail is the SMTP server that takes our e-mail.
type Mail struct {
	Host     string // empty: there is none
	Port     int    // 0: 587, or 465 with TLS
	TLS      string // starttls (default), tls, off
	Username string // empty: without authentication
	Password string
	From     string // "Name <address>"
	Timeout  time.Duration
	Trust    *tls.Config // nil: the system's roots
}

const mailTimeout = 30 * time.Second

// errNoMail says what to do where e-mail is wanted and cannot be sent.
var errNoMail = errors.New("e-mail is not configured: give mail.host and mail.from")

// errNoServer says that the server takes no e-mail at all: it was not reached, or it
// did not let us in.
var errNoServer = errors.New("the server does not serve us")

// mail sends the e-mail about a message to one address.
func (o *Office) mail(ctx context.Context, n *store.Notice, box *flows.VoicemailBox, m *store.Message) (final bool, err error) {
	c := o.cfg.Mail
	if c.Host == "" {
		return false, errNoMail
	}
	letter, done, err := o.letter(n, box, m)
	if err != nil {
		return true, err
	}
	defer done()
	client, err := c.client()
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*c.timeout())
	defer cancel()
	err = client.DialAndSendWithContext(ctx, letter)
	if letter.IsDelivered() {
		return false, nil // whatever became of the goodbye
	}
	if err == nil {
		err = errors.New("the server did not take it")
	} else if talked := new(gomail.SendError); !errors.As(err, &talked) {
		err = fmt.Errorf("%w: %w", errNoServer, err)
	}
	return refused(err), fmt.Errorf("send e-mail by %s: %w", c.Host, err)
}

// refused reports whether the server will never take this e-mail.
func refused(err error) bool {
	var e *gomail.SendError
	if !errors.As(err, &e) || e.IsTemp() {
		return false
	}
	switch e.Reason {
	case gomail.ErrSMTPRcptTo, gomail.ErrSMTPData, gomail.ErrSMTPDataClose:
		return e.ErrorCode() >= 500
	}
	return false // of the sender or of the password: that can be mended
}

// letter is the e-mail about a message. Every field is given to the library as a
// value, which encodes it (RFC 2047); nothing is written into headers as it is.
func (o *Office) letter(n *store.Notice, box *flows.VoicemailBox, m *store.Message) (letter *gomail.Msg, done func(), err error) {
	from, err := mail.ParseAddress(o.cfg.Mail.From)
	if err != nil {
		return nil, nil, fmt.Errorf("mail.from: %w", err)
	}
	letter = gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	letter.FromMailAddress(from)
	if err := letter.To(n.To); err != nil {
		return nil, nil, fmt.Errorf("address of the e-mail: %w", err)
	}
	subject, text := words(box, m)
	letter.Subject(subject)
	letter.SetBodyString(gomail.TypeTextPlain, text)
	letter.SetDateWithValue(o.cfg.Now())
	_, domain, _ := strings.Cut(from.Address, "@")
	letter.SetMessageIDWithValue(n.ID + "@" + domain) // the same at every attempt
	letter.SetGenHeader("Auto-Submitted", "auto-generated")
	letter.SetGenHeader(gomail.HeaderXAutoResponseSuppress, "All")
	done = func() {}
	if !box.Notify.Attaches() {
		return letter, done, nil
	}
	f, err := o.cfg.Open(m.Path)
	if err != nil {
		o.log.Error("attach a message", "message", m.ID, "err", err)
		return letter, done, nil // better without it than not at all
	}
	name := "voicemail-" + m.CreatedAt.UTC().Format("2006-01-02-150405") + "." + m.Format
	letter.AttachReadSeeker(name, f, gomail.WithFileContentType(audioType(m.Format)))
	return letter, func() { _ = f.Close() }, nil
}

func audioType(format string) gomail.ContentType {
	if format == "wav" {
		return "audio/wav"
	}
	return "audio/mpeg"
}

func (c Mail) client() (*gomail.Client, error) {
	opts := []gomail.Option{gomail.WithTimeout(c.timeout()), gomail.WithHELO(c.helo())}
	port := c.Port
	switch c.TLS {
	case TLS:
		opts = append(opts, gomail.WithSSL())
		if port == 0 {
			port = 465 // RFC 8314 section 3.3
		}
	case NoTLS:
		opts = append(opts, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		opts = append(opts, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if port == 0 {
		port = 587 // RFC 6409 section 3.1
	}
	opts = append(opts, gomail.WithPort(port))
	if c.Username != "" {
		opts = append(opts, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(c.Username), gomail.WithPassword(c.Password))
	}
	if c.Trust != nil {
		trust := c.Trust.Clone()
		trust.ServerName = c.Host
		opts = append(opts, gomail.WithTLSConfig(trust))
	}
	client, err := gomail.NewClient(c.Host, opts...)
	if err != nil {
		return nil, fmt.Errorf("smtp client: %w", err)
	}
	return client, nil
}

func (c Mail) timeout() time.Duration {
	if c.Timeout > 0 {
		return c.Timeout
	}
	return mailTimeout
}

// helo is the domain of the sender: the name of the machine is nobody's business.
func (c Mail) helo() string {
	if a, err := mail.ParseAddress(c.From); err == nil {
		if _, domain, ok := strings.Cut(a.Address, "@"); ok {
			return domain
		}
	}
	return "localhost"
}
