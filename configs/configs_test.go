package configs_test

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"b2bua/configs"
	"b2bua/internal/strict"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "b2bua.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSampleIsTheDefaults(t *testing.T) {
	got, err := configs.Parse(configs.Sample)
	if err != nil {
		t.Fatalf("the sample is not valid: %v", err)
	}
	if want := configs.Default(); !reflect.DeepEqual(got, want) {
		t.Errorf("the sample says\n%+v\nbut the defaults are\n%+v", got, want)
	}
}

func TestSampleDocumentsEveryKey(t *testing.T) {
	sample := string(configs.Sample)
	var look func(reflect.Type, string)
	look = func(ty reflect.Type, path string) {
		for ty.Kind() == reflect.Pointer || ty.Kind() == reflect.Slice {
			ty = ty.Elem()
		}
		if ty.Kind() != reflect.Struct || ty == reflect.TypeFor[time.Time]() {
			return
		}
		for _, f := range strict.Fields(ty) {
			switch f.Name {
			case "created_at", "updated_at", "revision": // set by the switch
				continue
			}
			if !strings.Contains(sample, f.Name+":") {
				t.Errorf("the sample does not mention %s.%s", path, f.Name)
			}
			look(f.Type, path+"."+f.Name)
		}
	}
	look(reflect.TypeFor[configs.Config](), "")
}

func TestSampleExamplesAreValid(t *testing.T) {
	var doc strings.Builder
	for _, block := range []string{"trunks", "devices", "phone_numbers"} {
		inside := false
		for _, l := range strings.Split(string(configs.Sample), "\n") {
			switch {
			case l == "# "+block+":":
				inside = true
			case !strings.HasPrefix(l, "# "):
				inside = false
			}
			if inside {
				doc.WriteString(strings.TrimPrefix(l, "# ") + "\n")
			}
		}
	}
	c, err := configs.Parse([]byte(doc.String()))
	if err != nil {
		t.Fatalf("the commented examples are not valid: %v\n%s", err, doc.String())
	}
	if len(c.Trunks) != 1 || len(c.Devices) != 1 || len(c.PhoneNumbers) != 1 {
		t.Errorf("got %d trunks, %d devices, %d numbers; want one each", len(c.Trunks), len(c.Devices), len(c.PhoneNumbers))
	}
}

func TestFirstStartWithoutFile(t *testing.T) {
	c, err := configs.Load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	if !c.Demo || len(c.Trunks) != 1 {
		t.Fatalf("demo %v, trunks %+v; want the demonstration trunk", c.Demo, c.Trunks)
	}
	trunk := c.Trunks[0]
	if trunk.Name != configs.DemoTrunk || trunk.Outbound != nil || !reflect.DeepEqual(trunk.Hosts, []string{"127.0.0.0/8", "::1"}) {
		t.Errorf("trunk is %+v", trunk)
	}
	if c.RecordingsDir() != filepath.Join("data", "recordings") || c.VoicemailDir() != filepath.Join("data", "voicemail") {
		t.Errorf("directories are %s and %s", c.RecordingsDir(), c.VoicemailDir())
	}
	c, err = configs.Load("", []string{"B2BUA_DEMO=false"})
	if err != nil || len(c.Trunks) != 0 {
		t.Errorf("with B2BUA_DEMO=false: %v, %+v", err, c)
	}
}

func TestFixedKeys(t *testing.T) {
	c, err := configs.Load(write(t, `
data_dir: /var/lib/b2bua
sip:
  listen: ["udp://127.0.0.1:5060", "tcp://127.0.0.1:5060"]   # tls:// ws:// wss:// too
  advertise: 127.0.0.1
media:
  advertise: 127.0.0.1
  ports: 20000-29999
http:
  listen: 127.0.0.1:8443
  tls: {mode: self_signed}
  admin_key: ""
webhooks:
  allow_private: false
trunks:
  - name: carrier
    hosts: ["127.0.0.0/8"]
    outbound: {uri: "sip:127.0.0.1:5070;transport=udp"}
drain_timeout: 30
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Demo || len(c.Trunks) != 1 || c.Trunks[0].Outbound == nil || c.Trunks[0].Outbound.URI != "sip:127.0.0.1:5070;transport=udp" {
		t.Errorf("trunks are %+v, demo %v", c.Trunks, c.Demo)
	}
	if c.DrainTimeout.Std() != 30*time.Second || c.DataDir != "/var/lib/b2bua" {
		t.Errorf("drain %v, data %s", c.DrainTimeout, c.DataDir)
	}
	if low, high, err := c.Media.PortRange(); err != nil || low != 20000 || high != 29999 {
		t.Errorf("ports %d–%d, %v", low, high, err)
	}
}

func TestEnvironmentWins(t *testing.T) {
	c, err := configs.Load(write(t, "http: {listen: \"127.0.0.1:1\"}\nlog: {level: warn}\n"), []string{
		"HOME=/root",
		"B2BUA_DATA_DIR=/srv/b2bua",
		"B2BUA_HTTP_LISTEN=0.0.0.0:8443",
		"B2BUA_HTTP_TLS_MODE=off",
		"B2BUA_HTTP_ADMIN_KEY=0123456789abcdef0",
		"B2BUA_HTTP_RATE_LIMIT_PER_SECOND=2.5",
		"B2BUA_SIP_LISTEN=udp://127.0.0.1:5062, tcp://127.0.0.1:5062",
		"B2BUA_WEBHOOKS_ALLOW_PRIVATE=true",
		"B2BUA_DRAIN_TIMEOUT=5s",
		`B2BUA_TRUNKS=[{"name":"carrier","hosts":["192.0.2.1"]}]`,
		"B2BUA_PHONE_NUMBERS=[{phone_number: '+14155552671'}]",
		"B2BUA_HTTP_LISTN=x",
		"B2BUA_SERVICE_PORT_METRICS=1",
	})
	if err != nil {
		t.Fatal(err)
	}
	checks := []struct{ got, want any }{
		{c.DataDir, "/srv/b2bua"}, {c.HTTP.Listen, "0.0.0.0:8443"}, {c.HTTP.TLS.Mode, configs.TLSOff},
		{c.HTTP.AdminKey, "0123456789abcdef0"}, {c.HTTP.RateLimit.PerSecond, 2.5}, {c.Webhooks.AllowPrivate, true},
		{c.SIP.Listen, []string{"udp://127.0.0.1:5062", "tcp://127.0.0.1:5062"}}, {c.DrainTimeout.Std(), 5 * time.Second},
		{c.Log.Level, "warn"}, {len(c.Trunks), 1}, {c.Trunks[0].Hosts, []string{"192.0.2.1"}},
		{c.PhoneNumbers[0].Number, "+14155552671"},
		{c.Warnings, []string{
			"the environment variable B2BUA_HTTP_LISTN is not known; did you mean B2BUA_HTTP_LISTEN?",
			"the environment variable B2BUA_SERVICE_PORT_METRICS is not known",
		}},
	}
	for i, k := range checks {
		if !reflect.DeepEqual(k.got, k.want) {
			t.Errorf("check %d: got %v, want %v", i, k.got, k.want)
		}
	}
}

// Every key must be reachable from the environment under its documented name.
func TestEveryKeyFromEnvironment(t *testing.T) {
	file := write(t, "")
	var look func(reflect.Type, string)
	look = func(ty reflect.Type, env string) {
		for _, f := range strict.Fields(ty) {
			name := env + "_" + strings.ToUpper(f.Name)
			if f.Type.Kind() == reflect.Struct {
				look(f.Type, name)
				continue
			}
			c, err := configs.Load(file, []string{name + "=7"})
			if err == nil && len(c.Warnings) > 0 {
				t.Errorf("%s is not known", name)
			}
		}
	}
	look(reflect.TypeFor[configs.Config](), "B2BUA")
}

func TestProblems(t *testing.T) {
	cases := []struct {
		name, yaml string
		env        []string
		want       []string // all must be in the error
	}{
		{"unknown key", "htp:\n  listen: x\n", nil, []string{`line 1: htp: unknown field "htp"; did you mean "http"?`}},
		{"unknown nested key", "http:\n  tls:\n    mod: off\n", nil, []string{"line 3", "http.tls.mod", `did you mean "mode"?`}},
		{"unknown trunk key", "trunks:\n  - name: a\n    outbond: {uri: x}\n", nil, []string{"line 3", "trunks[0].outbond", `"outbound"`}},
		{"wrong types", "demo: maybe\nsip:\n  listen: udp://0.0.0.0:5060\n", nil,
			[]string{"line 1: demo: must be true or false, not a string", "line 3: sip.listen: must be a list, not a string"}},
		{"all at once", "log: {level: loud, format: jsn}\nmedia: {ports: 5-6}\nhttp: {listen: nowhere, tls: {mode: selfsigned}}\n", nil,
			[]string{"log.level", "log.format", `did you mean "json"`, "media.ports", "http.listen", "http.tls.mode", `did you mean "self_signed"`}},
		{"bad listener", "sip: {listen: ['xdp://0.0.0.0:5060', '0.0.0.0:5060', 'udp://0.0.0.0']}\n", nil,
			[]string{"sip.listen[0]", `did you mean "udp"`, "sip.listen[1]", "sip.listen[2]"}},
		{"bad DNS server", "sip: {dns: ['192.0.2.53', 'ns.example:53', '127.0.0.1:53']}\n", nil, []string{"sip.dns[0]", "sip.dns[1]", "192.0.2.53:53"}},
		{"files need names", "http: {tls: {mode: files, cert: a.pem}}\n", nil, []string{"http.tls: mode files needs both cert and key"}},
		{"half a pair", "sip: {tls: {cert: a.pem}}\n", nil, []string{"sip.tls: cert and key belong together"}},
		{"odd origin", "sip: {ws: {origins: ['a b', '[']}}\n", nil, []string{"sip.ws.origins[0]", "sip.ws.origins[1]"}},
		{"dialled browser", "trunks: [{name: a, outbound: {uri: 'sip:a', transport: wss}}]\n", nil, []string{"trunks[0].outbound.transport", "cannot be dialled"}},
		{"short key", "http: {admin_key: short}\n", nil, []string{"http.admin_key"}},
		{"unknown country", "calls: {country: xx}\n", nil, []string{`calls.country: no call-progress tones are known for country "xx"`, "de, dk"}},
		{"duration", "drain_timeout: soon\n", nil, []string{"line 1: drain_timeout", "60s"}},
		{"twice", "demo: true\ndemo: false\n", nil, []string{"line 2", "demo"}},
		{"two documents", "demo: true\n---\ndemo: false\n", nil, []string{"only one document"}},
		{"alias", "sip: &a {realm: x}\nmedia: *a\n", nil, []string{"line 1", "anchor"}},
		{"plain words stay words", "http: {tls: {mode: off}}\nlog: {level: no}\n", nil, []string{`log.level: "no" is not one of`}},
		{"not yaml", "sip: [1,\n", nil, []string{"line"}},
		{"same trunk", "trunks: [{name: a, hosts: [192.0.2.1]}, {name: a, hosts: [192.0.2.2]}]\n", nil, []string{"trunks[1].name"}},
		{"noun problem", "phone_numbers: [{phone_number: '12'}]\n", nil, []string{"phone_numbers[0].phone_number"}},
		{"env type", "", []string{"B2BUA_DEMO=perhaps"}, []string{"B2BUA_DEMO", "true or false"}},
		{"env list", "", []string{"B2BUA_TRUNKS=[{nam: x}]"}, []string{"B2BUA_TRUNKS", `did you mean "name"`}},
		{"session timer", "sip: {min_se: 60s, session_expires: -1s}\n", nil, []string{"sip.min_se", "sip.session_expires"}},
		{"session timer below its least", "sip: {min_se: 600s, session_expires: 300s}\n", nil, []string{"sip.session_expires"}},
		{"header injection", "sip: {realm: \"a\\r\\nX: y\"}\n", nil, []string{"sip.realm"}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			_, err := configs.Load(write(t, tc.yaml), tc.env)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %q:\n%v", want, err)
				}
			}
		})
	}
	if _, err := configs.Load(filepath.Join(t.TempDir(), "none.yaml"), nil); err == nil {
		t.Error("a missing file is no error")
	}
}

func TestPrintMasksSecrets(t *testing.T) {
	c, err := configs.Load(write(t, `
http: {admin_key: "correct-horse-battery"}
devices: [{username: desk, password: "hunter2hunter2"}]
trunks: [{name: carrier, hosts: [192.0.2.1], outbound: {uri: "sip:192.0.2.1", username: us, password: "trunk-secret"}}]
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := c.Print(&out); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"correct-horse", "hunter2", "trunk-secret"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%q is shown:\n%s", secret, out.String())
		}
	}
	if n := strings.Count(out.String(), configs.Masked); n != 3 {
		t.Errorf("%d secrets are masked, want 3:\n%s", n, out.String())
	}
	again, err := configs.Parse(bytes.ReplaceAll(out.Bytes(), []byte(configs.Masked), []byte("0123456789abcdef")))
	if err != nil {
		t.Fatalf("what was printed cannot be read: %v\n%s", err, out.String())
	}
	if again.SIP.Realm != c.SIP.Realm || again.Calls != c.Calls || again.Trunks[0].Name != "carrier" {
		t.Errorf("printed and read again: %+v", again)
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{`"90s"`: 90 * time.Second, "5": 5 * time.Second, `"1h30m"`: 90 * time.Minute, "0.5": time.Second / 2} {
		var d configs.Duration
		if err := d.UnmarshalJSON([]byte(text)); err != nil || d.Std() != want {
			t.Errorf("%s is %v, %v", text, d, err)
		}
		b, _ := d.MarshalJSON()
		var e configs.Duration
		if err := e.UnmarshalJSON(b); err != nil || e != d {
			t.Errorf("%s does not survive: %s", text, b)
		}
	}
	for _, text := range []string{`"soon"`, "true", "[]", `""`, "1e300"} {
		var d configs.Duration
		if d.UnmarshalJSON([]byte(text)) == nil {
			t.Errorf("%s was accepted", text)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(configs.Sample)
	f.Add([]byte("sip: {listen: [udp://0.0.0.0:5060]}"))
	f.Add([]byte("a: &x [*x]"))
	f.Add([]byte("? {a: b}\n: c"))
	f.Add([]byte("trunks:\n- name: !!str 1\n  hosts: ~\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := configs.Parse(data)
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := c.Print(&out); err != nil {
			t.Fatalf("valid but cannot be printed: %v", err)
		}
	})
}
