package notice

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"encoding/base64"

	"b2bua/events"
	"b2bua/flows"
	"b2bua/store"
)

// post is an office over a store of its own.
type post struct {
	*testing.T
	dir   string
	store *store.Store
	logs  *bytes.Buffer
	now   time.Time
	cfg   Config
	calls []string // of webhooks
	mu    sync.Mutex
	fails func(n int) (final bool, err error) // of webhooks
}

func newPost(t *testing.T, m Mail) *post {
	t.Helper()
	p := &post{T: t, dir: t.TempDir(), logs: &bytes.Buffer{}, now: time.Date(2024, 1, 15, 10, 30, 0, 0, time.UTC)}
	p.cfg = Config{Mail: m, Now: func() time.Time { return p.now }, Post: p.hook,
		Open: os.Open}
	p.open()
	return p
}

func (p *post) hook(_ context.Context, url string, body []byte) (final bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, url+" "+string(body))
	if p.fails != nil {
		return p.fails(len(p.calls))
	}
	return false, nil
}

func (p *post) open() {
	p.Helper()
	s, err := store.Open(p.dir, store.Options{Now: func() time.Time { return p.now }})
	p.must(err)
	p.store = s
	p.Cleanup(func() { _ = s.Close() })
}

// restarts is a process that dies and another one.
func (p *post) restarts() {
	p.Helper()
	p.must(p.store.Close())
	p.open()
}

func (p *post) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

// receives is a message in a box with this notify.
func (p *post) receives(n *flows.Notify, from, name string) *store.Message {
	p.Helper()
	box := &flows.VoicemailBox{ID: "vm", Name: "Reception", Notify: n}
	if p.store.Plan().Box("vm") == nil {
		p.must(p.store.Boxes().Create(p.Context(), box))
	} else {
		_, err := p.store.Boxes().Update(p.Context(), "vm", "", func(b *flows.VoicemailBox) error { b.Notify = n; return nil })
		p.must(err)
	}
	path := filepath.Join(p.dir, "msg_1.mp3")
	p.must(os.WriteFile(path, []byte("the sound"), 0o600))
	m := &store.Message{ID: events.NewID("msg_"), BoxID: "vm", CallID: "call_1", From: from, FromName: name, Format: "mp3", Duration: 65, Path: path, CreatedAt: p.now}
	told := events.New(m.Received(), p.now)
	p.must(p.store.Receive(p.Context(), m, told, For(box, m, []byte(`{"id":"`+told.ID+`"}`))))
	return m
}

// round lets the office look at its queue once.
func (p *post) round() *Office {
	p.Helper()
	o := New(p.store, p.cfg, slog.New(slog.NewTextHandler(p.logs, &slog.HandlerOptions{Level: slog.LevelDebug})))
	for i := range o.lanes {
		o.round(p.Context(), &o.lanes[i])
	}
	return o
}

func (p *post) waiting() []*store.Notice {
	p.Helper()
	list, _, err := p.store.Notices().List(store.Query[store.Notice]{}, "", store.MaxPage)
	p.must(err)
	return list
}

// read takes an e-mail apart.
func read(t *testing.T, data string) (h mail.Header, text, name string, sound []byte) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := parts.NextPart()
		if err != nil {
			return m.Header, text, name, sound
		}
		raw, _ := io.ReadAll(p)
		if p.FileName() == "" {
			text = string(raw)
			continue
		}
		name = p.FileName() + " " + p.Header.Get("Content-Type")
		sound, _ = base64.StdEncoding.DecodeString(strings.NewReplacer("\r", "", "\n", "").Replace(string(raw)))
	}
}

func TestEmailWithTheMessage(t *testing.T) {
	for _, mode := range []string{STARTTLS, TLS} {
		t.Run(mode, func(t *testing.T) {
			s := startServer(t, mode == TLS)
			m := s.mail()
			m.TLS = mode
			p := newPost(t, m)
			p.receives(&flows.Notify{Email: "Anna <anna@example.com>, ben@example.org"}, "+14155552672", "Zoë")
			p.round()
			got := s.got()
			if len(got) != 2 || len(p.waiting()) != 0 {
				t.Fatalf("%d e-mails, %d wait; %s", len(got), len(p.waiting()), p.logs)
			}
			for _, l := range got {
				h, text, name, sound := read(t, l.data)
				subject, _ := new(mime.WordDecoder).DecodeHeader(h.Get("Subject"))
				if subject != "New voicemail from +14155552672 (1:05)" || !strings.Contains(text, "Zoë") || !strings.Contains(text, "Reception") {
					t.Errorf("%q %q", subject, text)
				}
				if name != `voicemail-2024-01-15-103000.mp3 audio/mpeg; name="voicemail-2024-01-15-103000.mp3"` || string(sound) != "the sound" {
					t.Errorf("%q %q", name, sound)
				}
				if !l.tls || l.user != "us" || !strings.Contains(l.from, "<voicemail@example.com>") || h.Get("Auto-Submitted") != "auto-generated" || h.Get("Message-Id") == "" {
					t.Errorf("%+v %v", l, h)
				}
			}
			if strings.Contains(p.logs.String(), "correct-horse") {
				t.Error("the password is in the log")
			}
		})
	}
}

// What callers are called cannot add a line to the head of an e-mail.
func TestNoHeaderIsInjected(t *testing.T) {
	s := startServer(t, false)
	p := newPost(t, s.mail())
	evil := "Mallory\r\nBcc: all@example.com\r\n\r\nBuy!\u2028X: y\x00"
	p.receives(&flows.Notify{Email: "anna@example.com", Subject: "{name} {from}", Text: "{name}"}, "x\r\nX-Evil: 1", evil)
	p.round()
	got := s.got()
	if len(got) != 1 {
		t.Fatal(p.logs)
	}
	h, _, _, _ := read(t, got[0].data)
	if h.Get("Bcc") != "" || h.Get("X-Evil") != "" || h.Get("X") != "" {
		t.Errorf("%v", h)
	}
	if subject, _ := new(mime.WordDecoder).DecodeHeader(h.Get("Subject")); subject != "Mallory Bcc: all@example.com Buy! X: y x X-Evil: 1" {
		t.Errorf("%q", subject)
	}
	for _, to := range []string{"a@b\r\nBcc: c@d", "not an address", strings.Repeat("a@b.example,", 21) + "a@b.example"} {
		if len((&flows.Notify{Email: to}).Validate()) == 0 {
			t.Errorf("%q is accepted", to)
		}
	}
}

// A server that is busy is asked again, ever later, also by the next process; what
// it refuses for good is not.
func TestEmailIsTriedAgain(t *testing.T) {
	s := startServer(t, false)
	s.refuses(func(try int, verb string) string {
		if try <= 2 && verb == "RCPT" {
			return "451 4.3.0 later"
		}
		return ""
	})
	p := newPost(t, s.mail())
	p.receives(&flows.Notify{Email: "anna@example.com"}, "+14155552672", "")
	p.round()
	list := p.waiting()
	if len(list) != 1 || list[0].Attempts != 1 || list[0].DueAt.Sub(p.now) != 30*time.Second || !strings.Contains(list[0].Error, "451") {
		t.Fatalf("%+v", list)
	}
	p.round() // not due
	if n := s.connections(); n != 1 {
		t.Errorf("%d connections", n)
	}
	p.restarts()
	p.now = p.now.Add(31 * time.Second)
	p.round()
	if list = p.waiting(); len(list) != 1 || list[0].Attempts != 2 || list[0].DueAt.Sub(p.now) != 2*time.Minute {
		t.Fatalf("%+v", list)
	}
	p.now = p.now.Add(3 * time.Minute)
	if o := p.round(); len(s.got()) != 1 || len(p.waiting()) != 0 || o.Stats().Sent != 1 {
		t.Errorf("%d e-mails, %+v", len(s.got()), p.waiting())
	}

	s.refuses(func(_ int, verb string) string {
		if verb == "RCPT" {
			return "550 5.1.1 nobody"
		}
		return ""
	})
	p.receives(&flows.Notify{Email: "nobody@example.com"}, "+14155552672", "")
	if o := p.round(); len(p.waiting()) != 0 || o.Stats().Failed != 1 {
		t.Errorf("what is refused for good still waits: %+v", p.waiting())
	}
}

// Of what cannot be sent for two days nobody wants to hear any more; a password
// that is wrong can be mended until then.
func TestEmailIsGivenUp(t *testing.T) {
	s := startServer(t, false)
	m := s.mail()
	m.Password = "wrong-horse"
	p := newPost(t, m)
	p.receives(&flows.Notify{Email: "anna@example.com"}, "+14155552672", "")
	for range 40 {
		p.round()
		list := p.waiting()
		if len(list) == 0 {
			break
		}
		p.now = list[0].DueAt.Add(time.Second)
	}
	age := p.now.Sub(time.Date(2024, 1, 15, 10, 30, 0, 0, time.UTC))
	if len(p.waiting()) != 0 || age < 48*time.Hour || age > 60*time.Hour || len(s.got()) != 0 {
		t.Errorf("given up after %v, %d wait", age, len(p.waiting()))
	}
	if strings.Contains(p.logs.String(), "wrong-horse") {
		t.Error("the password is in the log")
	}
}

func TestWebhookOfABox(t *testing.T) {
	p := newPost(t, Mail{})
	p.fails = func(n int) (bool, error) {
		if n == 1 {
			return false, errors.New("busy")
		}
		return false, nil
	}
	p.receives(&flows.Notify{Webhook: "https://example.com/new"}, "+14155552672", "")
	p.round()
	p.now = p.now.Add(time.Minute)
	p.round()
	if len(p.calls) != 2 || p.calls[0] != p.calls[1] || !strings.HasPrefix(p.calls[0], `https://example.com/new {"id":"evt_`) || len(p.waiting()) != 0 {
		t.Errorf("%q", p.calls)
	}
	p.fails = func(int) (bool, error) { return true, errors.New("the answer is 404") }
	p.receives(&flows.Notify{Webhook: "https://example.com/new"}, "+14155552672", "")
	if o := p.round(); len(p.waiting()) != 0 || o.Stats().Failed != 1 {
		t.Error("what is refused for good still waits")
	}
}

// A message that was deleted meanwhile is nothing to write about, and one whose
// sound is gone is told of without it.
func TestNoticeOfWhatIsGone(t *testing.T) {
	s := startServer(t, false)
	p := newPost(t, s.mail())
	m := p.receives(&flows.Notify{Email: "anna@example.com"}, "+14155552672", "")
	if _, err := p.store.Messages().Delete(t.Context(), m.ID, ""); err != nil {
		t.Fatal(err)
	}
	p.round()
	if len(s.got()) != 0 || len(p.waiting()) != 0 {
		t.Errorf("%d e-mails", len(s.got()))
	}
	m = p.receives(&flows.Notify{Email: "anna@example.com"}, "+14155552672", "")
	p.must(os.Remove(m.Path))
	p.round()
	if got := s.got(); len(got) != 1 || strings.Contains(got[0].data, "audio/mpeg") {
		t.Errorf("%d e-mails", len(got))
	}
}

// Run sends what comes, and ends when it is told to.
func TestRun(t *testing.T) {
	s := startServer(t, false)
	p := newPost(t, s.mail())
	p.cfg.Now = nil
	o := New(p.store, p.cfg, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- o.Run(ctx) }()
	p.receives(&flows.Notify{Email: "anna@example.com"}, "+14155552672", "")
	o.Wake()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range 2000 {
		if len(s.got()) == 1 && len(p.waiting()) == 0 {
			break
		}
		<-tick.C
	}
	cancel()
	if err := <-ended; err != nil || len(s.got()) != 1 {
		t.Errorf("%v, %d e-mails", err, len(s.got()))
	}
}
