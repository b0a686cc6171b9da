package peers

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// linphoneConfig keeps Linphone on loopback, on one transport, without STUN and video. No authority knows the
// certificate that the switch makes for itself.
const linphoneConfig = `[sip]
sip_port=%[1]d
sip_tcp_port=%[2]d
sip_tls_port=%[3]d
verify_server_certs=0
verify_server_cn=0
use_ipv6=0
guess_hostname=0
default_proxy=-1
register_only_when_network_is_up=0
%[6]s[rtp]
audio_rtp_port=%[4]d
[net]
firewall_policy=none
[video]
enabled=0
[sound]
echocancellation=0
%[5]s`

// Linphone is linphonec with sound files in place of a sound card.
type Linphone struct {
	*Process
	Port      int    // of its SIP socket
	Transport string // udp, tcp or tls
	Recording string // WAV of what it heard, complete once a call has ended
	dir       string
}

// LinphoneSetup says how a Linphone differs from others.
type LinphoneSetup struct {
	Transport string // the only one it speaks: udp (default), tcp or tls
	Codec     string // the only one it speaks: PCMU, PCMA or opus; empty: those it usually does
	Suite     string // it encrypts its sound by this suite of SRTP, and makes and takes no call in the clear; empty: it does not encrypt
	Trace     bool   // keep what goes over its socket, for Wire
}

// codecs are the rows of its configuration about codecs: what is not listed is added by itself and enabled.
func (o LinphoneSetup) codecs() string {
	if o.Codec == "" {
		return ""
	}
	rows := "[misc]\nadd_missing_audio_codecs=0\n"
	for i, name := range []string{"PCMU", "PCMA", "opus"} {
		enabled, rate, channels := 0, 8000, 1
		if name == o.Codec {
			enabled = 1
		}
		if name == "opus" {
			rate, channels = 48000, 2
		}
		rows += fmt.Sprintf("[audio_codec_%d]\nmime=%s\nrate=%d\nchannels=%d\nenabled=%d\n", i, name, rate, channels, enabled)
	}
	return rows
}

// encryption are the rows of its configuration about SRTP.
func (o LinphoneSetup) encryption() string {
	if o.Suite == "" {
		return ""
	}
	return "media_encryption=srtp\nmedia_encryption_mandatory=1\nsrtp_crypto_suites=" + o.Suite + "\n"
}

// StartLinphone starts a Linphone that plays the sound file into its calls.
func StartLinphone(tb testing.TB, play string) *Linphone {
	tb.Helper()
	return StartLinphoneWith(tb, play, LinphoneSetup{})
}

// StartLinphoneWith starts a Linphone so set up.
func StartLinphoneWith(tb testing.TB, play string, o LinphoneSetup) *Linphone {
	tb.Helper()
	dir := tb.TempDir()
	rtp := Ports(tb, 2)
	l := &Linphone{Port: Ports(tb, 2), Transport: or(o.Transport, "udp"), Recording: filepath.Join(dir, "heard.wav"), dir: dir}
	rc := filepath.Join(dir, "linphonerc")
	only := func(transport string) int {
		if transport == l.Transport {
			return l.Port
		}
		return -1
	}
	text := fmt.Appendf(nil, linphoneConfig, only("udp"), only("tcp"), only("tls"), rtp, o.codecs(), o.encryption())
	if err := os.WriteFile(rc, text, 0o600); err != nil {
		tb.Fatalf("configure linphone: %v", err)
	}
	for _, d := range []string{".local/share/linphone", ".config/linphone"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			tb.Fatalf("configure linphone: %v", err)
		}
	}
	args := []string{"-c", rc}
	if o.Trace {
		args = append(args, "-d", "6", "-l", l.log())
	}
	l.Process = Start(tb, dir, nil, "linphonec", args...)
	l.Expect("linphonec>", 10*time.Second)
	l.Type("ipv6 disable") // with IPv6 on, it takes the wrong local address
	l.Type("soundcard use files")
	l.Expect("Using wav files", 10*time.Second)
	l.Type("play " + play)
	l.Type("record " + l.Recording)
	return l
}

func (l *Linphone) log() string { return filepath.Join(l.dir, "wire.log") }

// Wire is what has gone over its socket so far, among other things; it is empty without Trace.
func (l *Linphone) Wire() string {
	l.tb.Helper()
	text, err := os.ReadFile(l.log())
	if err != nil {
		l.tb.Fatalf("read linphone's log: %v", err)
	}
	return string(text)
}

// Register registers user at the switch that listens on address, and waits until that has worked. It does not
// tell by itself, so it is asked.
func (l *Linphone) Register(user, address, password string) {
	l.tb.Helper()
	l.Type(fmt.Sprintf("register sip:%s@%s sip:%s;transport=%s %s", user, address, address, l.Transport, password))
	tick, timeout := time.NewTicker(200*time.Millisecond), time.NewTimer(15*time.Second)
	defer tick.Stop()
	defer timeout.Stop()
	for !l.Said("registered, identity=") {
		select {
		case <-tick.C:
			l.Type("status register")
		case <-timeout.C:
			l.tb.Fatalf("linphone did not register %s at %s", user, address)
		}
	}
}

// Call calls a URI and waits until somebody answered.
func (l *Linphone) Call(uri string, within time.Duration) {
	l.tb.Helper()
	l.Dial(uri)
	l.Expect("Media streams established", within)
}

// Dial calls a URI and does not wait.
func (l *Linphone) Dial(uri string) { l.Type("call " + uri) }

// Answer waits for a call to come in and answers it.
func (l *Linphone) Answer(within time.Duration) {
	l.tb.Helper()
	l.Expect("(?i)contacting you|incoming", within)
	l.Type("answer")
	l.Expect("Media streams established", 10*time.Second)
}

// AutoAnswer answers every call from now on.
func (l *Linphone) AutoAnswer() { l.Type("autoanswer enable") }

// RecordAfresh has the next call recorded in a file of its own: at another rate it would be written over what the call
// before has left.
func (l *Linphone) RecordAfresh() {
	l.Recording = filepath.Join(l.tb.TempDir(), "heard.wav")
	l.Type("record " + l.Recording)
}

// Press presses keys, one after the other, as RFC 4733 events.
func (l *Linphone) Press(keys string) { l.Type(strings.TrimSpace(keys)) }

// Hangup ends the call and waits until it is over.
func (l *Linphone) Hangup() {
	l.tb.Helper()
	l.Type("terminate")
	l.Over(10 * time.Second)
}

// Over waits until the call has ended, whoever ended it.
func (l *Linphone) Over(within time.Duration) {
	l.tb.Helper()
	l.Expect(`Call \d+ with .* (ended|error)`, within)
}
