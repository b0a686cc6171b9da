package configs

import (
	"fmt"
	"net/url"
)

// Speech is who speaks the texts that callers hear.
type Speech struct {
	CacheMegabytes int              `json:"cache_megabytes"`
	AtATime        int              `json:"at_a_time"`
	Providers      []SpeechProvider `json:"providers"`
}

// SpeechProvider is a program or a server that speaks.
type SpeechProvider struct {
	Type         string   `json:"type"`
	Name         string   `json:"name,omitempty"`
	Program      string   `json:"program,omitempty"`
	Languages    []string `json:"languages,omitempty"`
	URL          string   `json:"url,omitempty"`
	APIKey       string   `json:"api_key,omitempty" secret:"true"`
	Model        string   `json:"model,omitempty"`
	Voice        string   `json:"voice,omitempty"`
	Voices       []string `json:"voices,omitempty"`
	Timeout      Duration `json:"timeout,omitempty"`
	AllowPrivate bool     `json:"allow_private,omitempty"`
}

// The types of speech providers.
const (
	SpeechFlite  = "flite"
	SpeechEspeak = "espeak-ng"
	SpeechHTTP   = "http"
)

func defaultSpeech() Speech {
	return Speech{CacheMegabytes: 512, AtATime: 2, Providers: []SpeechProvider{{Type: SpeechFlite}, {Type: SpeechEspeak}}}
}

func (c *Config) validateSpeech(f *faults) {
	s := c.Speech
	if s.CacheMegabytes < 1 {
		f.add("speech.cache_megabytes", "must be at least 1")
	}
	if s.AtATime < 1 || s.AtATime > 16 {
		f.add("speech.at_a_time", "%d is out of range; use 1 to 16", s.AtATime)
	}
	names := map[string]bool{}
	for i, p := range s.Providers {
		at := fmt.Sprintf("speech.providers[%d]", i)
		f.oneOf(at+".type", p.Type, SpeechFlite, SpeechEspeak, SpeechHTTP)
		if p.Timeout < 0 {
			f.add(at+".timeout", "must not be negative")
		}
		if p.Type != SpeechHTTP {
			if p.URL != "" || p.APIKey != "" || p.Model != "" {
				f.add(at, "url, api_key and model are for the type http")
			}
			continue
		}
		if p.Name == "" || names[p.Name] || p.Name == SpeechFlite || p.Name == SpeechEspeak {
			f.add(at+".name", "a server needs a name of its own")
		}
		names[p.Name] = true
		switch u, err := url.Parse(p.URL); {
		case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
			f.add(at+".url", "the whole address is needed, such as https://tts.example.com/v1/audio/speech")
		case u.Scheme == "http" && !p.AllowPrivate:
			f.add(at+".url", "the texts and the key would travel in the clear: use https, or allow_private for a server on your own network")
		}
	}
}
