package exchange

import (
	"path/filepath"

	"b2bua/configs"
	"b2bua/speech"
	"b2bua/webhook"
)

// newSpeaker speaks by the providers of the configuration, in their order.
func (x *Exchange) newSpeaker() *speech.Speaker {
	c := speech.Config{
		CacheDir: filepath.Join(x.cfg.DataDir, "speech"), CacheSize: int64(x.cfg.Speech.CacheMegabytes) << 20,
		Processes: x.cfg.Speech.AtATime, Providers: []speech.Provider{},
	}
	for _, p := range x.cfg.Speech.Providers {
		c.Providers = append(c.Providers, x.speechProvider(p))
	}
	return speech.New(c, x.log)
}

func (x *Exchange) speechProvider(p configs.SpeechProvider) speech.Provider {
	switch p.Type {
	case configs.SpeechFlite:
		return &speech.Only{Provider: &speech.Flite{Program: p.Program}, Languages: p.Languages}
	case configs.SpeechEspeak:
		return &speech.Only{Provider: &speech.Espeak{Program: p.Program}, Languages: p.Languages}
	}
	return &speech.HTTP{
		ID: p.Name, URL: p.URL, Key: p.APIKey, Model: p.Model, Voice: p.Voice, Voices: p.Voices, Languages: p.Languages,
		Timeout: p.Timeout.Std(), Client: webhook.NewClient(webhook.Guard{AllowPrivate: p.AllowPrivate, Resolve: x.opt.Resolve, Dial: x.opt.Dial}),
	}
}
