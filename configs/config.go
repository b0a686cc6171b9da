package configs

import (
	"path/filepath"
	"time"

	"b2bua/flows"
	"b2bua/notice"
)

// Config is the whole configuration. The JSON tags are the keys of the file;
// a key's environment variable is B2BUA_ and its path in capitals, with an
// underscore for each dot: http.tls.mode is B2BUA_HTTP_TLS_MODE.
type Config struct {
	DataDir      string              `json:"data_dir"`
	SIP          SIP                 `json:"sip"`
	Media        Media               `json:"media"`
	HTTP         HTTP                `json:"http"`
	Webhooks     Webhooks            `json:"webhooks"`
	Calls        Calls               `json:"calls"`
	Speech       Speech              `json:"speech"`
	Recordings   Recordings          `json:"recordings"`
	Voicemail    Voicemail           `json:"voicemail"`
	Mail         Mail                `json:"mail"`
	Trunks       []flows.Trunk       `json:"trunks"`
	Devices      []flows.Device      `json:"devices"`
	PhoneNumbers []flows.PhoneNumber `json:"phone_numbers"`
	DrainTimeout Duration            `json:"drain_timeout"`
	Log          Log                 `json:"log"`
	Demo         bool                `json:"demo"`

	// Warnings are things worth a line in the log that stop nothing, such as
	// an environment variable that looks like a misspelt key.
	Warnings []string `json:"-"`
}

// SIP is where the switch listens for signalling and what it calls itself.
type SIP struct {
	Listen    []string `json:"listen"`
	Advertise string   `json:"advertise"`
	DNS       []string `json:"dns"`
	Realm     string   `json:"realm"`
	UserAgent string   `json:"user_agent"`
	TLS       SIPTLS   `json:"tls"`
	WS        SIPWS    `json:"ws"`

	SessionExpires Duration `json:"session_expires"`
	MinSE          Duration `json:"min_se"`

	MaxCPS     float64 `json:"max_cps"`
	MaxPending int     `json:"max_pending"`

	Capture Capture `json:"capture"`
	STIR    STIR    `json:"stir"`
}

// Capture says which SIP messages are kept to be looked at, and sent elsewhere.
type Capture struct {
	Megabytes int `json:"megabytes"`
	HEP       HEP `json:"hep"`
}

// HEP is a collector that gets a copy of every SIP message.
type HEP struct {
	Collector string `json:"collector"`
	Node      int    `json:"node"`
	Key       string `json:"key" secret:"true"`
}

// SIPTLS is who the switch is on tls and wss listeners, and whom it believes.
type SIPTLS struct {
	Cert string `json:"cert"`
	Key  string `json:"key"`
	CA   string `json:"ca"`
}

// SIPWS says which web pages may open a WebSocket.
type SIPWS struct {
	Origins []string `json:"origins"`
}

// STIR says whose word on callers' numbers counts (STIR/SHAKEN).
type STIR struct {
	Roots     string            `json:"roots"`
	Certs     map[string]string `json:"certs"` // URL to file
	FetchFrom []string          `json:"fetch_from"`
}

// Media is where sound flows.
type Media struct {
	Bind      string   `json:"bind"`
	Advertise string   `json:"advertise"`
	Ports     string   `json:"ports"`
	Timeout   Duration `json:"timeout"`
}

// HTTP is the listener of the API.
type HTTP struct {
	Listen    string    `json:"listen"`
	TLS       TLS       `json:"tls"`
	AdminKey  string    `json:"admin_key" secret:"true"`
	RateLimit RateLimit `json:"rate_limit"`
}

// TLS says how the API is protected on the wire.
type TLS struct {
	Mode string `json:"mode"`
	Cert string `json:"cert"`
	Key  string `json:"key"`
}

// The modes of TLS.
const (
	TLSSelfSigned = "self_signed" // a certificate is made and kept in the data directory
	TLSFiles      = "files"
	TLSOff        = "off" // behind a proxy that does it
)

// RateLimit is a bucket of requests for each API key.
type RateLimit struct {
	PerSecond float64 `json:"per_second"`
	Burst     int     `json:"burst"`
}

// Webhooks says where event and routing webhooks may go.
type Webhooks struct {
	AllowPrivate bool `json:"allow_private"`
}

// Calls are limits and habits of every call.
type Calls struct {
	ApplicationTimeout Duration `json:"application_timeout"`
	MaxDuration        Duration `json:"max_duration"`
	MaxConcurrent      int      `json:"max_concurrent"`
	DeclinedCode       int      `json:"declined_code"`
	Country            string   `json:"country"`
}

// Recordings says where recordings are kept.
type Recordings struct {
	Dir           string `json:"dir"`
	RetentionDays int    `json:"retention_days"`
	MinFree       int    `json:"min_free"`
}

// Voicemail says where voicemail messages are kept, and for how long.
type Voicemail struct {
	Dir           string `json:"dir"`
	RetentionDays int    `json:"retention_days"`
}

// Log says how much is told, and how.
type Log struct {
	Level  string `json:"level"`
	Format string `json:"format"`
}

// Default is the configuration of an empty file.
func Default() *Config {
	return &Config{
		DataDir: "./data",
		SIP: SIP{
			Listen:    []string{"udp://0.0.0.0:5060", "tcp://0.0.0.0:5060"},
			DNS:       []string{},
			Realm:     "b2bua",
			UserAgent: "b2bua",
			WS:        SIPWS{Origins: []string{}},

			SessionExpires: seconds(1800),
			MinSE:          seconds(90),
			MaxPending:     4000,
			Capture:        Capture{Megabytes: 32, HEP: HEP{Node: 2001}},
			STIR:           STIR{Certs: map[string]string{}, FetchFrom: []string{}},
		},
		Media: Media{Bind: "0.0.0.0", Ports: "20000-29999", Timeout: seconds(60)},
		HTTP: HTTP{
			Listen:    "127.0.0.1:8443",
			TLS:       TLS{Mode: TLSSelfSigned},
			RateLimit: RateLimit{PerSecond: 500, Burst: 2000},
		},
		Calls: Calls{
			ApplicationTimeout: seconds(60),
			MaxDuration:        Duration(4 * time.Hour),
			MaxConcurrent:      0,
			DeclinedCode:       486,
			Country:            "us",
		},
		Mail:         Mail{TLS: notice.STARTTLS, Timeout: seconds(30)},
		Trunks:       []flows.Trunk{},
		Devices:      []flows.Device{},
		PhoneNumbers: []flows.PhoneNumber{},
		DrainTimeout: seconds(60),
		Speech:       defaultSpeech(),
		Log:          Log{Level: "info", Format: "text"},
	}
}

// demonstrate lets this machine call in, so that a first start without any
// file can be tried with a softphone or SIPp at once. Nothing from outside is
// trusted by it, and nothing can be dialled through it.
func (c *Config) demonstrate() {
	for i := range c.Trunks {
		if c.Trunks[i].Name == DemoTrunk {
			return
		}
	}
	c.Trunks = append(c.Trunks, flows.Trunk{Name: DemoTrunk, Hosts: []string{"127.0.0.0/8", "::1"}})
}

// DemoTrunk is the name of the trunk that demo adds.
const DemoTrunk = "this-machine"

// RecordingsDir is where recordings are kept.
func (c *Config) RecordingsDir() string { return c.under(c.Recordings.Dir, "recordings") }

// VoicemailDir is where voicemail messages are kept.
func (c *Config) VoicemailDir() string { return c.under(c.Voicemail.Dir, "voicemail") }

// PromptsDir is where spoken prompts are cached.
func (c *Config) PromptsDir() string { return c.under("", "prompts") }

func (c *Config) under(dir, name string) string {
	if dir != "" {
		return dir
	}
	return filepath.Join(c.DataDir, name)
}
