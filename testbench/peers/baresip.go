package peers

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const baresipConfig = `poll_method epoll
sip_listen 127.0.0.1:%d
net_interface 127.0.0.1
rtp_ports %d-%d
audio_source aufile,%s
audio_player aufile,none
audio_alert aufile,none
sip_verify_server no
module_path %s
%smodule g711.so
module aufile.so
module sndfile.so
snd_path %s
module_tmp uuid.so
module_tmp account.so
module_app menu.so
statmode_default off
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:%d
`

// Account is how a Baresip is known and how it behaves when called.
type Account struct {
	User, Password string
	Registrar      string // host:port it registers at; empty: it does not
	Transport      string // of the registration: udp (default), tcp, or tls, with any certificate
	Codec          string // the only one it speaks: PCMU, PCMA, G722/16000, opus/48000/2 or GSM; empty: both kinds of G.711
	Encryption     string // srtp-mand: no call without SRTP; srtp: where the other side has it, with its keys in RTP/AVP (RFC 8643); empty: none
	Lamp           bool   // it subscribes to message-summary where it registers; what it is told are MWI_NOTIFY events
	Manual         bool   // wait for Accept; else every call is answered at once
}

// line is the account as baresip's file of accounts has it.
func (a Account) line(port int) string {
	line := fmt.Sprintf("<sip:%s@%s:%d>;regint=0", a.User, Loopback, port)
	if a.Registrar != "" {
		line = fmt.Sprintf("<sip:%s@%s;transport=%s>;auth_pass=%s;regint=300", a.User, a.Registrar, or(a.Transport, "udp"), a.Password)
	}
	if a.Codec != "" {
		line += ";audio_codecs=" + a.Codec
	}
	if a.Encryption != "" {
		line += ";mediaenc=" + a.Encryption
	}
	if a.Manual {
		return line + ";answermode=manual\n"
	}
	return line + ";answermode=auto\n"
}

// Baresip is baresip steered through its control socket.
type Baresip struct {
	*Process
	Port    int // of its SIP socket
	dir     string
	control net.Conn

	mu     sync.Mutex
	events []BaresipEvent
	taken  int
	more   chan struct{}
}

// BaresipEvent is something baresip told: CALL_INCOMING, CALL_ESTABLISHED, CALL_CLOSED …
type BaresipEvent struct {
	Class string `json:"class"`
	Type  string `json:"type"`
	Param string `json:"param"`
	Peer  string `json:"peeruri"`
}

// StartBaresip starts a baresip that plays the sound file (mono, of its codec's rate, not empty) into its calls, and waits until
// it has registered where it has an account.
func StartBaresip(tb testing.TB, play string, a Account) *Baresip {
	tb.Helper()
	// The port after the SIP port is its TLS port: four in a row keep the control socket clear of it.
	b := &Baresip{Port: Ports(tb, 4), dir: tb.TempDir(), more: make(chan struct{})}
	control, rtp := b.Port+3, Ports(tb, 8)
	further := ""
	for codec, module := range map[string]string{"opus": "opus", "G722": "g722", "GSM": "gsm"} {
		if strings.HasPrefix(a.Codec, codec) {
			further += "module " + module + ".so\n"
		}
	}
	if a.Encryption != "" {
		further += "module srtp.so\n"
	}
	if a.Lamp {
		further += "module_app mwi.so\n"
	}
	config := fmt.Sprintf(baresipConfig, b.Port, rtp, rtp+8, play, modulePath(tb), further, b.dir, control)
	accounts := a.line(b.Port)
	if a.Lamp {
		accounts = "" // see afterwards
	}
	for name, text := range map[string]string{"config": config, "accounts": accounts, "contacts": ""} {
		if err := os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o600); err != nil {
			tb.Fatalf("configure baresip: %v", err)
		}
	}
	b.Process = Start(tb, b.dir, nil, "baresip", "-f", b.dir)
	b.Expect("baresip is ready", 10*time.Second)
	b.connect(control)
	if a.Lamp {
		b.afterwards(a)
	}
	if a.Registrar != "" {
		// Its output tells, not its events: they do not reach a control socket that connects a moment too late.
		b.Expect(`200 OK .*\[\d+ binding`, 10*time.Second)
	}
	return b
}

// mwiTimer is when the mwi module of baresip walks through its subscriptions, once, counted from when it is loaded.
const mwiTimer = time.Millisecond

// afterwards gives baresip its account once it runs. On its walk mwi subscribes once for each subscription that there
// is, and appends it to the list that it walks through: a phone that has registered before then subscribes for ever and
// reads nothing any more. With its account in the file it has done so after two exchanges with its registrar, now and
// then before that timer. A command that is sent when the timer is due is read by the round of baresip's loop that ends
// with the walk, or by a later one, and its REGISTER is answered after that.
func (b *Baresip) afterwards(a Account) {
	b.tb.Helper()
	Talk(2 * mwiTimer) // its clock counts whole milliseconds
	b.Command("uanew", strings.TrimSpace(a.line(b.Port)))
}

func modulePath(tb testing.TB) string {
	tb.Helper()
	for _, pattern := range []string{"/usr/lib/baresip/modules", "/usr/lib/*/baresip/modules"} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return found[0]
		}
	}
	tb.Fatal("baresip's modules are not installed")
	return ""
}

func (b *Baresip) connect(port int) {
	b.tb.Helper()
	d := net.Dialer{Timeout: 5 * time.Second}
	c, err := d.DialContext(context.Background(), "tcp4", net.JoinHostPort(Loopback, strconv.Itoa(port)))
	if err != nil {
		b.tb.Fatalf("control baresip: %v", err)
	}
	b.control = c
	read := make(chan struct{})
	go func() {
		defer close(read)
		b.readEvents(c)
	}()
	b.tb.Cleanup(func() {
		c.Close()
		<-read
	})
}

// readEvents reads netstrings ("12:{json},") until the connection closes.
func (b *Baresip) readEvents(c net.Conn) {
	for {
		message, err := readNetstring(c)
		if err != nil {
			return
		}
		var e BaresipEvent
		if json.Unmarshal(message, &e) != nil || e.Type == "" {
			continue
		}
		b.mu.Lock()
		b.events = append(b.events, e)
		close(b.more)
		b.more = make(chan struct{})
		b.mu.Unlock()
	}
}

// Await waits for the next event of a type, skipping others.
func (b *Baresip) Await(kind string, within time.Duration) BaresipEvent {
	b.tb.Helper()
	timeout := time.NewTimer(within)
	defer timeout.Stop()
	for {
		b.mu.Lock()
		for b.taken < len(b.events) {
			e := b.events[b.taken]
			b.taken++
			if e.Type == kind {
				b.mu.Unlock()
				return e
			}
		}
		more, seen := b.more, b.events
		b.mu.Unlock()
		select {
		case <-more:
		case <-timeout.C:
			b.tb.Fatalf("baresip did not tell %s within %v; it told %v", kind, within, seen)
		}
	}
}

// Command runs a command of baresip's menu: dial, accept, hangup, hold, resume, sndcode …
func (b *Baresip) Command(name, params string) {
	b.tb.Helper()
	text, err := json.Marshal(map[string]string{"command": name, "params": params, "token": name})
	if err == nil {
		_, err = fmt.Fprintf(b.control, "%d:%s,", len(text), text)
	}
	if err != nil {
		b.tb.Fatalf("baresip %s: %v", name, err)
	}
}

// Call calls a URI and waits until somebody answered.
func (b *Baresip) Call(uri string, within time.Duration) {
	b.tb.Helper()
	b.Command("dial", uri)
	b.Await("CALL_ESTABLISHED", within)
}

// Press presses one key.
func (b *Baresip) Press(key string) { b.Command("sndcode", key) }

// Hangup ends the call.
func (b *Baresip) Hangup() { b.Command("hangup", "") }

// Heard is the path of the WAV with what baresip heard in its last call; complete once the call has ended.
func (b *Baresip) Heard() string {
	b.tb.Helper()
	found, _ := filepath.Glob(filepath.Join(b.dir, "dump-*-dec.wav"))
	if len(found) == 0 {
		b.tb.Fatal("baresip recorded nothing")
	}
	return found[len(found)-1]
}
