//go:build e2e

package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"b2bua/testbench/peers"
	"b2bua/testbench/phone"
	"b2bua/testbench/sound"
)

// leaves has a caller speak after the beep for so long, and gives the call, which the caller has not ended.
func (s *Switch) leaves(p *phone.Phone, talks time.Duration) *phone.Call {
	s.t.Helper()
	c, err := p.Invite(s.t.Context(), s.URI(did), phone.Options{From: caller})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := c.WaitState(s.t.Context(), phone.Established); err != nil {
		s.t.Fatal(err)
	}
	s.eventually("beep, or say something", 15*time.Second, func() bool { return len(sound.Loud(c.Heard(), -40, 400*time.Millisecond)) > 0 })
	c.SendTone(voiceTone, voiceIs, talks)
	peers.Talk(talks)
	return c
}

func (s *Switch) newPhone() *phone.Phone {
	s.t.Helper()
	conn, err := net.ListenPacket("udp", address(0))
	if err != nil {
		s.t.Fatal(err)
	}
	p, err := phone.New(phone.Config{Name: "caller", Conn: conn})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = p.Close() })
	return p
}

// With no room for messages, or no place at all, the caller is told so and no message is accepted; other calls go on;
// and with room again the next message is taken by the same process.
func TestVoicemailWithoutRoom(t *testing.T) {
	s := StartSwitch(t, answering(t).Address())
	hook := Listen(s)
	s.Create("/v2/voicemail-boxes", doc{"voicemail_box_id": "vmbox_all", "name": "All"})
	s.Flow(rule("voicemail", "vmbox_all"))
	dir := filepath.Join(s.dir, "data", "voicemail")
	p := s.newPhone()
	refused := func(what string) {
		t.Helper()
		hook.Forget()
		c := s.leaves(p, 3*time.Second)
		if e, err := c.WaitEnded(t.Context()); err != nil || e.By != phone.ByThem {
			t.Errorf("%s: %+v, %v", what, e, err)
		}
		if e := hook.Await("voicemail.abandoned", 10*time.Second); e.str("data", "reason") != "write_failed" {
			t.Errorf("%s: %v", what, e)
		}
		hook.Await("call.completed", 10*time.Second)
		if spoken := sound.Loud(c.Heard(), -40, 300*time.Millisecond); spoken[len(spoken)-1].To < sound.Time(len(c.Heard()))-3*time.Second {
			t.Errorf("%s: the caller was told nothing at the end", what)
		}
		if n := len(s.messagesOf(t, "vmbox_all")); n != 0 {
			t.Errorf("%s: %d messages are accepted", what, n)
		}
	}
	accepted := func(what string) {
		t.Helper()
		hook.Forget()
		c := s.leaves(p, 4*time.Second)
		_ = c.Hangup(t.Context())
		id := hook.Await("voicemail.received", 10*time.Second).str("data", "message_id")
		s.Do("DELETE", "/v2/voicemail-boxes/vmbox_all/messages/"+id, nil, 204)
		t.Logf("%s: taken again", what)
	}

	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=16k"); err != nil {
		t.Fatalf("a small disk: %v", err)
	}
	mounted := true
	unmount := func() {
		if mounted {
			mounted = false
			_ = syscall.Unmount(dir, syscall.MNT_DETACH)
		}
	}
	t.Cleanup(unmount)
	if err := os.WriteFile(filepath.Join(dir, "filler"), make([]byte, 8<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	refused("disk full")
	unmount()
	accepted("with room")

	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	refused("no directory")
	if err := os.Rename(dir+".away", dir); err != nil {
		t.Fatal(err)
	}
	accepted("with a directory")
}

// Without LAME messages are WAV files, and say so.
func TestVoicemailWithoutLAME(t *testing.T) {
	s := StartSwitchWith(t, Setup{Trunks: fmt.Sprintf(carrier, nobody(t)), Wrap: withoutLAME})
	hook := Listen(s)
	s.Flow(rule("voicemail", "voicemail_default"))
	s.Do("PATCH", "/v2/voicemail-boxes/voicemail_default", `{"greeting": null, "prompt": null}`, 200)
	c := s.leaves(s.newPhone(), 4*time.Second)
	_ = c.Hangup(t.Context())
	id := hook.Await("voicemail.received", 10*time.Second).str("data", "message_id")
	m := s.Get("/v2/voicemail-boxes/voicemail_default/messages/" + id)
	if m.str("format") != "wav" || m.str("warning") == "" {
		t.Errorf("%v", m)
	}
	peers.ToWAV(t, s.Fetch(m.str("audio_url"), "message.wav"))
}

// withoutLAME runs the switch where the library cannot be found: its file is covered in a mount namespace of its own.
var withoutLAME = []string{"unshare", "-m", "sh", "-c",
	`for f in /usr/lib/*/libmp3lame.so*; do mount --bind /dev/null "$f"; done; exec "$@"`, "sh"}
