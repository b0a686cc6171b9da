package configs_test

import (
	"strings"
	"testing"

	"b2bua/configs"
)

func TestMailIsChecked(t *testing.T) {
	for text, key := range map[string]string{
		"mail: {host: mail.example.com}":                                                                         "mail.from",
		"mail: {host: mail.example.com, from: a@b.example, tls: sometimes}":                                      "mail.tls",
		"mail: {host: mail.example.com, from: a@b.example, tls: off, username: us, password: x}":                 "mail.tls",
		"mail: {host: mail.example.com, from: a@b.example, username: us}":                                        "mail.username",
		"mail: {host: mail.example.com, from: \"a@b.example\\r\\nBcc: c@d.example\"}":                            "mail.from",
		"mail: {host: mail.example.com, from: a@b.example, port: 70000}":                                         "mail.port",
		"voicemail: {retention_days: -1}":                                                                        "voicemail.retention_days",
		"mail: {host: mail.example.com, from: \"Voicemail <a@b.example>\", username: us, password: x, port: 25}": "",
	} {
		c, err := configs.Load(write(t, text), nil)
		if err == nil {
			err = c.Validate()
		}
		switch {
		case key == "" && err != nil:
			t.Errorf("%s: %v", text, err)
		case key != "" && (err == nil || !strings.Contains(err.Error(), key)):
			t.Errorf("%s: want a fault of %s, got %v", text, key, err)
		}
	}
}
