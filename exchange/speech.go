package exchange

import (
	"context"
	"path/filepath"
	"strings"

	"b2bua/configs"
	"b2bua/flows"
	"b2bua/ivr"
	"b2bua/prompts"
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

// newWarmer speaks and fetches what is saved before a caller is to hear it. It
// asks for a text as callers do, so that it lies ready.
func (x *Exchange) newWarmer(loader *ivr.PromptLoader) *prompts.Warmer {
	return prompts.NewWarmer(func(ctx context.Context, s flows.Spoken) error {
		if strings.HasPrefix(s.Ref, "file:") {
			return nil // it is on this disk
		}
		if !flows.IsURL(s.Ref) {
			if _, err := x.speaker.Render(ctx, speech.Text{Text: s.Ref, Language: s.Language, Voice: s.Voice}); err != nil {
				return err
			}
		}
		_, err := loader.Load(ctx, ivr.Prompt{Ref: s.Ref, Language: s.Language, Voice: s.Voice})
		return err
	}, x.log)
}

// warm speaks what there is at the start, and what comes.
func (x *Exchange) warm(ctx context.Context) error {
	if x.opt.NoSpeechAhead {
		return nil
	}
	x.warmer.Planned(x.store.Plan())
	x.store.OnPlan(x.warmer.Planned)
	return x.warmer.Run(ctx)
}
