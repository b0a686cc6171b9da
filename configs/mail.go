package configs

import (
	"net/mail"
	"strings"
	"unicode"

	"b2bua/notice"
)

// Mail is the SMTP server that takes e-mail about new messages.
type Mail struct {
	Host     string   `json:"host"`
	Port     int      `json:"port"`
	TLS      string   `json:"tls"`
	Username string   `json:"username"`
	Password string   `json:"password" secret:"true"`
	From     string   `json:"from"`
	Timeout  Duration `json:"timeout"`
}

func (c *Config) validateMail(f *faults) {
	m := c.Mail
	if c.Voicemail.RetentionDays < 0 {
		f.add("voicemail.retention_days", "must not be negative; 0 means that messages are kept")
	}
	switch m.TLS {
	case notice.STARTTLS, notice.TLS, notice.NoTLS:
	default:
		f.add("mail.tls", "%q is not known here; use %s, %s or %s", m.TLS, notice.STARTTLS, notice.TLS, notice.NoTLS)
	}
	if m.Port < 0 || m.Port > 65535 {
		f.add("mail.port", "%d is no port; give 1 to 65535, or 0 for the usual one", m.Port)
	}
	if m.Timeout <= 0 {
		f.add("mail.timeout", "must be longer than 0")
	}
	if m.Host == "" {
		return
	}
	if _, err := mail.ParseAddress(m.From); err != nil || strings.ContainsFunc(m.From, unicode.IsControl) {
		f.add("mail.from", "%q is not an e-mail address; write it as Voicemail <voicemail@example.com>", m.From)
	}
	if m.Username != "" && m.TLS == notice.NoTLS {
		f.add("mail.tls", "the password would go to the server in the clear; use %s or %s", notice.STARTTLS, notice.TLS)
	}
	if (m.Username == "") != (m.Password == "") {
		f.add("mail.username", "username and password go together")
	}
}
