package peers

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"text/template"
	"time"
)

// KamailioRun describes a carrier's proxy made of Kamailio: it challenges calls for Callee, passes them on and
// stays in their path by Record-Route. Calls for Number go to Switch, unchallenged.
type KamailioRun struct {
	Callee string // host:port that calls are passed on to
	Switch string // host:port of the switch, and
	Number string // the number that is reached there

	Realm, Password string // digest: any user with this password; empty takes calls without
	Algorithm       string // "" for MD5, or "SHA-256"
}

// Kamailio is a running proxy.
type Kamailio struct {
	*Process
	Port int
}

var kamailioConfig = template.Must(template.New("kamailio.cfg").Parse(`#!KAMAILIO
debug=2
log_stderror=yes
fork=yes
children=2
tcp_children=2
auto_aliases=no
listen=udp:127.0.0.1:{{.Port}}
listen=tcp:127.0.0.1:{{.Port}}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "xlog.so"
loadmodule "auth.so"
modparam("rr", "enable_full_lr", 1)
{{- if .Algorithm}}
modparam("auth", "algorithm", "{{.Algorithm}}")
{{- end}}

request_route {
	if (!mf_process_maxfwd_header("10")) {
		sl_send_reply("483", "Too Many Hops");
		exit;
	}
	if (is_method("CANCEL")) {
		if (t_check_trans()) t_relay();
		exit;
	}
	if (has_totag()) {
		if (loose_route()) {
			xlog("L_WARN", "in dialog: $rm\n");
			t_relay();
		} else if (is_method("ACK")) {
			if (t_check_trans()) t_relay();
		} else {
			sl_send_reply("404", "Not here");
		}
		exit;
	}
	if (is_method("OPTIONS")) {
		sl_send_reply("200", "OK");
		exit;
	}
{{- if .Number}}
	if ($rU == "{{.Number}}") {
		record_route();
		$du = "sip:{{.Switch}}";
		t_relay();
		exit;
	}
{{- end}}
{{- if .Password}}
	if (!pv_proxy_authenticate("{{.Realm}}", "{{.Password}}", "0")) {
		proxy_challenge("{{.Realm}}", "1");
		exit;
	}
	consume_credentials();
	xlog("L_WARN", "authenticated: $rm $rU\n");
{{- end}}
	record_route();
	$du = "sip:{{.Callee}};transport=udp";
	t_relay();
}
`))

// StartKamailio starts the proxy on loopback, on UDP and TCP, and waits until it listens.
func StartKamailio(tb testing.TB, r KamailioRun) *Kamailio {
	tb.Helper()
	dir := tb.TempDir()
	k := &Kamailio{Port: Ports(tb, 2)}
	file := filepath.Join(dir, "kamailio.cfg")
	f, err := os.Create(file)
	if err != nil {
		tb.Fatal(err)
	}
	err = kamailioConfig.Execute(f, struct {
		KamailioRun
		Port int
	}{r, k.Port})
	if err = errors.Join(err, f.Close()); err != nil {
		tb.Fatalf("write %s: %v", file, err)
	}
	// In the foreground, with little memory, and nothing of it outside its own folder.
	k.Process = Start(tb, dir, nil, "kamailio", "-f", file, "-DD", "-E", "-m", "16", "-M", "4",
		"-Y", dir, "-P", filepath.Join(dir, "kamailio.pid"))
	awaitBound(k.Process, "udp", k.Port, 10*time.Second)
	awaitBound(k.Process, "tcp", k.Port, 10*time.Second)
	return k
}

// Address is where the proxy listens.
func (k *Kamailio) Address() string { return fmt.Sprintf("%s:%d", Loopback, k.Port) }

// Kill ends the proxy and its workers at once, as a power cut does.
func (k *Kamailio) Kill() {
	k.tb.Helper()
	if err := syscall.Kill(-k.Pid(), syscall.SIGKILL); err != nil {
		k.tb.Fatalf("kill Kamailio: %v", err)
	}
	<-k.Ended()
}
