package dtmf

import (
	"errors"
	"testing"
	"time"
)

var casesInfo = map[string]struct {
	kind, body string
	symbol     byte
	duration   time.Duration
	err        error
}{
	"relay":          {TypeRelay, "Signal=5\r\nDuration=160\r\n", '5', 160 * time.Millisecond, nil},
	"relay, spaces":  {"Application/DTMF-Relay; x=y", " signal = * \n duration = 250", '*', 250 * time.Millisecond, nil},
	"relay, code":    {TypeRelay, "Signal=11\r\n", '#', DefaultDuration, nil},
	"relay, letter":  {TypeRelay, "Signal=b\r\nDuration=0\r\n", 'B', DefaultDuration, nil},
	"relay, quoted":  {TypeRelay, "Signal=\"7\"\r\n", '7', DefaultDuration, nil},
	"long":           {TypeRelay, "Signal=1\r\nDuration=4000000000\r\n", '1', 5 * time.Second, nil},
	"plain":          {TypePlain, "#", '#', DefaultDuration, nil},
	"plain, newline": {TypePlain, "9\r\n", '9', DefaultDuration, nil},
	"plain as relay": {TypePlain, "Signal=3\r\nDuration=100", '3', 100 * time.Millisecond, nil},
	"empty":          {TypeRelay, "", 0, 0, ErrBody},
	"no signal":      {TypeRelay, "Duration=100\r\n", 0, 0, ErrBody},
	"not a key":      {TypeRelay, "Signal=x\r\n", 0, 0, ErrBody},
	"flash":          {TypeRelay, "Signal=16\r\n", Flash, DefaultDuration, nil},
	"flash, named":   {TypeRelay, "Signal=hf\r\nDuration=300\r\n", Flash, 300 * time.Millisecond, nil},
	"flash, plain":   {TypePlain, "!", Flash, DefaultDuration, nil},
	"a tone":         {TypeRelay, "Signal=17\r\n", 0, 0, ErrBody},
	"two":            {TypePlain, "1 2", 0, 0, ErrBody},
	"other type":     {"application/sdp", "5", 0, 0, ErrContentType},
	"no type":        {"", "5", 0, 0, ErrContentType},
	"huge":           {TypePlain, string(make([]byte, 5000)), 0, 0, ErrBody},
}

func TestParseInfo(t *testing.T) {
	for name, c := range casesInfo {
		t.Run(name, func(t *testing.T) {
			d, err := ParseInfo(c.kind, []byte(c.body))
			if !errors.Is(err, c.err) || d.Symbol != c.symbol || d.Duration != c.duration {
				t.Errorf("%c %s, %v", d.Symbol, d.Duration, err)
			}
		})
	}
}

func FuzzParseInfo(f *testing.F) {
	for _, c := range casesInfo {
		f.Add(c.kind, []byte(c.body))
	}
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		d, err := ParseInfo(kind, body)
		if err != nil {
			return
		}
		for _, kind := range []string{TypeRelay, TypePlain} {
			again, err := ParseInfo(InfoBody(kind, d))
			if err != nil || again.Symbol != d.Symbol || kind == TypeRelay && again.Duration.Milliseconds() != max(d.Duration.Milliseconds(), 1) {
				t.Fatalf("%+v became %+v, %v", d, again, err)
			}
		}
	})
}
