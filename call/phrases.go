package call

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// phrases are what queues say of their own accord, by the first part of the
// language tag. English is for everybody else.
var phrases = map[string]map[string]string{
	"en": {
		"position": "You are number %d in line.", "next": "You are next in line.",
		"soon": "Your waiting time is less than one minute.", "minute": "Your waiting time is about one minute.",
		"minutes": "Your waiting time is about %d minutes.",
		"span":    "%d minutes", "span_one": "one minute", "span_none": "less than one minute",
		"callback":        "To be called back without losing your place, press %s.",
		"callback_agreed": "You keep your place. We will call you when it is your turn. Goodbye.",
		"no_callback":     "We cannot call this number back. Please stay on the line.",
		"accept":          "A call from {from} for {queue}. To take it, press 1.",
		"confirm":         "This is your call back. To be connected now, press 1.",
	},
	"de": {
		"position": "Sie sind Nummer %d in der Warteschlange.", "next": "Sie sind als Nächstes an der Reihe.",
		"soon": "Ihre Wartezeit beträgt weniger als eine Minute.", "minute": "Ihre Wartezeit beträgt etwa eine Minute.",
		"minutes": "Ihre Wartezeit beträgt etwa %d Minuten.",
		"span":    "%d Minuten", "span_one": "eine Minute", "span_none": "weniger als eine Minute",
		"callback":        "Wenn Sie zurückgerufen werden und Ihren Platz behalten möchten, drücken Sie die %s.",
		"callback_agreed": "Sie behalten Ihren Platz. Wir rufen Sie an, sobald Sie an der Reihe sind. Auf Wiederhören.",
		"no_callback":     "Diese Nummer können wir nicht zurückrufen. Bitte bleiben Sie in der Leitung.",
		"accept":          "Ein Anruf von {from} für {queue}. Zum Annehmen drücken Sie die 1.",
		"confirm":         "Dies ist Ihr Rückruf. Um jetzt verbunden zu werden, drücken Sie die 1.",
	},
	"fr": {
		"position": "Vous êtes en position %d dans la file d'attente.", "next": "Vous êtes la prochaine personne dans la file d'attente.",
		"soon": "Votre temps d'attente est de moins d'une minute.", "minute": "Votre temps d'attente est d'environ une minute.",
		"minutes": "Votre temps d'attente est d'environ %d minutes.",
		"span":    "%d minutes", "span_one": "une minute", "span_none": "moins d'une minute",
		"callback":        "Pour être rappelé sans perdre votre place, appuyez sur %s.",
		"callback_agreed": "Vous gardez votre place. Nous vous rappellerons quand ce sera votre tour. Au revoir.",
		"no_callback":     "Nous ne pouvons pas rappeler ce numéro. Veuillez rester en ligne.",
		"accept":          "Un appel de {from} pour {queue}. Pour l'accepter, appuyez sur 1.",
		"confirm":         "Nous vous rappelons comme convenu. Pour être mis en relation, appuyez sur 1.",
	},
	"es": {
		"position": "Usted es el número %d en la cola.", "next": "Usted es el siguiente en la cola.",
		"soon": "Su tiempo de espera es de menos de un minuto.", "minute": "Su tiempo de espera es de aproximadamente un minuto.",
		"minutes": "Su tiempo de espera es de aproximadamente %d minutos.",
		"span":    "%d minutos", "span_one": "un minuto", "span_none": "menos de un minuto",
		"callback":        "Para que le devolvamos la llamada sin perder su lugar, pulse %s.",
		"callback_agreed": "Conserva su lugar. Le llamaremos cuando sea su turno. Adiós.",
		"no_callback":     "No podemos devolver la llamada a este número. Por favor, permanezca en línea.",
		"accept":          "Una llamada de {from} para {queue}. Para aceptarla, pulse 1.",
		"confirm":         "Le devolvemos la llamada. Para hablar ahora, pulse 1.",
	},
}

// phrase is a text in the caller's language.
func (w *waiting) phrase(name string) string { return phraseIn(w.req.Language, name) }

func phraseIn(language, name string) string {
	tag, _, _ := strings.Cut(strings.ToLower(language), "-")
	if texts, ok := phrases[tag]; ok {
		return texts[name]
	}
	return phrases["en"][name]
}

// span is a time in words.
func (w *waiting) span(d time.Duration) string {
	switch n := int(d.Round(time.Minute) / time.Minute); {
	case n < 1:
		return w.phrase("span_none")
	case n == 1:
		return w.phrase("span_one")
	default:
		return fmt.Sprintf(w.phrase("span"), n)
	}
}

// announce tells the caller the position, the time and what can be done. On the
// flow's goroutine.
func (w *waiting) announce(ctx context.Context) {
	place, err := w.ticket.Place(ctx)
	if err != nil || place.Position == 0 {
		return
	}
	_ = w.call.loop.Call(ctx, func() { w.place = place })
	w.say(ctx, w.announcement(place.Position, place.Estimate, place.Callback))
}

func (w *waiting) announcement(position int, wait time.Duration, callback bool) string {
	q := w.req.Queue
	var texts []string
	if q.Announce != nil && q.Announce.Position {
		text := w.phrase("next")
		if position > 1 {
			text = fmt.Sprintf(w.phrase("position"), position)
		}
		texts = append(texts, text)
	}
	if q.Announce != nil && q.Announce.WaitTime && wait > 0 {
		text := w.phrase("soon")
		switch n := int((wait + time.Minute/2) / time.Minute); {
		case n == 1:
			text = w.phrase("minute")
		case n > 1:
			text = fmt.Sprintf(w.phrase("minutes"), n)
		}
		texts = append(texts, text)
	}
	if callback && q.Callback != nil { // the queue may have learned it since this call came
		text := q.Callback.Prompt
		if text == "" {
			text = fmt.Sprintf(w.phrase("callback"), q.Callback.Key)
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, " ")
}
