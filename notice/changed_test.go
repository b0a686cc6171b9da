package notice

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"b2bua/flows"
)

// Whom the box does not name any more is not told, however long the notice waits.
func TestNotifyIsChangedWhileANoticeWaits(t *testing.T) {
	for name, now := range map[string]*flows.Notify{
		"removed":         nil,
		"somebody else":   {Email: "ben@example.com", Webhook: "https://other.example/x"},
		"nobody of these": {Webhook: "https://other.example/x"},
	} {
		t.Run(name, func(t *testing.T) {
			s := startServer(t, false)
			p := newPost(t, s.mail())
			p.receives(&flows.Notify{Email: "anna@example.com", Webhook: "https://hooks.example/x"}, "+14155552672", "")
			_, err := p.store.Boxes().Update(t.Context(), "vm", "", func(b *flows.VoicemailBox) error {
				b.Notify = now
				return nil
			})
			p.must(err)
			o := p.round()
			if got := s.got(); len(got) != 0 || len(p.calls) != 0 || len(p.waiting()) != 0 || o.Stats().Failed != 0 {
				t.Errorf("%d e-mails, calls %v, waiting %v, %+v", len(got), p.calls, p.waiting(), o.Stats())
			}
		})
	}
}

// A panic is an attempt that failed, and is told without its cause.
func TestPanicOfANotice(t *testing.T) {
	p := newPost(t, Mail{})
	p.cfg.Post = func(context.Context, string, []byte) (bool, error) { panic("a bug") }
	p.receives(&flows.Notify{Webhook: "https://hooks.example/x"}, "+14155552672", "")
	o := p.round()
	if list := p.waiting(); len(list) != 1 || list[0].DueAt.Sub(p.now) != 30*time.Second || o.Stats().Retried != 1 {
		t.Errorf("%+v, %+v", list, o.Stats())
	}
	if !strings.Contains(p.logs.String(), "a bug") {
		t.Errorf("%s", p.logs)
	}
}

// A mail server that never says a word holds up no webhook, and is not waited for
// by each e-mail in turn.
func TestSilentMailServer(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	p := newPost(t, Mail{Host: "127.0.0.1", Port: silent.Addr().(*net.TCPAddr).Port, From: "voicemail@example.com", Timeout: 200 * time.Millisecond})
	p.cfg.Parallel = 1
	for range 20 {
		p.receives(&flows.Notify{Email: "anna@example.com"}, "+14155552672", "")
	}
	o := p.round()
	if is := o.Stats(); is.Retried != 1 || is.Waiting != 20 {
		t.Errorf("one round: %+v", is)
	}

	p.cfg.Mail.Timeout = time.Minute
	p.receives(&flows.Notify{Email: "anna@example.com", Webhook: "https://hooks.example/x"}, "+14155552672", "")
	called := make(chan bool, 1)
	p.cfg.Post = func(context.Context, string, []byte) (bool, error) {
		called <- true
		return false, nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	o = New(p.store, p.cfg, slog.New(slog.DiscardHandler))
	done := make(chan error, 1)
	go func() { done <- o.Run(ctx) }()
	<-called // while the e-mail hangs for a minute
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
