package srtp

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// secret is base64 of n octets that are easily found in a text.
func secret(n int) string {
	return base64.StdEncoding.EncodeToString([]byte(strings.Repeat("tell-nobody-", 12)[:n]))
}

var (
	key30 = secret(30)
	key28 = secret(28)
	key44 = secret(44)
)

// Attributes that are taken, and how they are written again.
var casesParse = map[string]struct{ value, again string }{
	"RFC 4568 §9.1 plain":                    {"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30, "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30},
	"RFC 4568 §6.2.2 short tag":              {"2 AES_CM_128_HMAC_SHA1_32 inline:" + key30, "2 AES_CM_128_HMAC_SHA1_32 inline:" + key30},
	"RFC 7714 §14.2 GCM":                     {"3 AEAD_AES_128_GCM inline:" + key28, "3 AEAD_AES_128_GCM inline:" + key28},
	"RFC 7714 §14.2 GCM, 256":                {"4 AEAD_AES_256_GCM inline:" + key44, "4 AEAD_AES_256_GCM inline:" + key44},
	"RFC 4568 §6.1 lifetime as a power":      {"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^20", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^20"},
	"RFC 4568 §6.1 lifetime as a number":     {"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|1048575", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|1048575"},
	"RFC 4568 §6.1 lifetime and MKI":         {"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^31|1066:4", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^31|1066:4"},
	"RFC 4568 §6.1 MKI alone":                {"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|1:4", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|1:4"},
	"RFC 4568 §6.1 two keys":                 {"1 AEAD_AES_128_GCM inline:" + key28 + "|1:1;inline:" + key28 + "|2:1", "1 AEAD_AES_128_GCM inline:" + key28 + "|1:1;inline:" + key28 + "|2:1"},
	"RFC 4568 §6.3.6 window size hint":       {"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + " WSH=64", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30},
	"RFC 4568 §6.3.7 what is not needed":     {"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + " -FUNNY=1", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30},
	"RFC 4648 §3.2 no padding":               {"1 AEAD_AES_128_GCM inline:" + strings.TrimRight(key28, "="), "1 AEAD_AES_128_GCM inline:" + key28},
	"in any case, with spaces":               {" 9  aes_cm_128_hmac_sha1_80   INLINE:" + key30 + " ", "9 AES_CM_128_HMAC_SHA1_80 inline:" + key30},
	"RFC 4568 §9.1 the largest tag":          {"999999999 AES_CM_128_HMAC_SHA1_80 inline:" + key30, "999999999 AES_CM_128_HMAC_SHA1_80 inline:" + key30},
	"RFC 3711 §9.2 the longest lifetime":     {"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^48", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^48"},
	"RFC 3711 §9.2 as a number, the longest": {"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|281474976710656", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^48"},
}

// Attributes that are passed over.
var casesRefused = map[string]struct {
	value string
	err   error
}{
	"empty":                                 {"", ErrSyntax},
	"no key":                                {"1 AES_CM_128_HMAC_SHA1_80", ErrSyntax},
	"RFC 4568 §9.1 tag 0":                   {"0 AES_CM_128_HMAC_SHA1_80 inline:" + key30, ErrSyntax},
	"RFC 4568 §9.1 tag of ten digits":       {"1000000000 AES_CM_128_HMAC_SHA1_80 inline:" + key30, ErrSyntax},
	"tag below 0":                           {"-1 AES_CM_128_HMAC_SHA1_80 inline:" + key30, ErrSyntax},
	"RFC 4568 §6.2.3 another suite":         {"1 F8_128_HMAC_SHA1_80 inline:" + key30, ErrUnsupported},
	"the suite that is none":                {"1 none inline:" + key30, ErrUnsupported},
	"RFC 4568 §6.1 another method":          {"1 AES_CM_128_HMAC_SHA1_80 uri:" + key30, ErrUnsupported},
	"key too short":                         {"1 AES_CM_128_HMAC_SHA1_80 inline:" + secret(16), ErrSyntax},
	"key too long":                          {"1 AES_CM_128_HMAC_SHA1_80 inline:" + secret(31), ErrSyntax},
	"key of another suite":                  {"1 AEAD_AES_128_GCM inline:" + key30, ErrSyntax},
	"key of a megabyte":                     {"1 AEAD_AES_128_GCM inline:" + secret(100), ErrSyntax},
	"key that is not base64":                {"1 AES_CM_128_HMAC_SHA1_80 inline:" + strings.Repeat("*", 40), ErrSyntax},
	"RFC 4568 §6.1 lifetime too long":       {"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^49", ErrSyntax},
	"lifetime 0":                            {"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|0", ErrSyntax},
	"lifetime that is a word":               {"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|long", ErrSyntax},
	"RFC 4568 §6.1 MKI of 0 octets":         {"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|1:0", ErrSyntax},
	"RFC 4568 §6.1 MKI of 129 octets":       {"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|1:129", ErrSyntax},
	"MKI of nine octets":                    {"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|1:9", ErrUnsupported},
	"MKI larger than its length":            {"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|256:1", ErrSyntax},
	"more behind the MKI":                   {"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^20|1:1|2", ErrSyntax},
	"RFC 4568 §6.1 two keys, no MKI":        {"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + ";inline:" + key30, ErrSyntax},
	"RFC 4568 §6.1 two keys, one MKI":       {"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|1:1;inline:" + key30 + "|1:1", ErrSyntax},
	"five keys":                             {"1 AES_CM_128_HMAC_SHA1_80 inline:" + strings.Repeat(key30+"|1:1;inline:", 4) + key30 + "|1:1", ErrUnsupported},
	"RFC 4568 §6.3.1 key derivation rate":   {"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + " KDR=1", ErrUnsupported},
	"RFC 4568 §6.3.2 no encryption":         {"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + " UNENCRYPTED_SRTP", ErrUnsupported},
	"RFC 4568 §6.3.2 RTCP not encrypted":    {"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + " UNENCRYPTED_SRTCP", ErrUnsupported},
	"RFC 4568 §6.3.3 no authentication":     {"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + " UNAUTHENTICATED_SRTP", ErrUnsupported},
	"RFC 4568 §6.3.4 FEC":                   {"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + " FEC_ORDER=SRTP_FEC", ErrUnsupported},
	"RFC 4568 §6.3.6 window size too small": {"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + " WSH=63", ErrUnsupported},
	"RFC 4568 §6.3.7 what is needed":        {"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + " FUNNY=1", ErrUnsupported},
}

func TestParse(t *testing.T) {
	for name, c := range casesParse {
		t.Run(name, func(t *testing.T) {
			got, err := Parse(c.value)
			if err != nil {
				t.Fatal(err)
			}
			if got.Attribute() != c.again {
				t.Errorf("got  %s\nwant %s", got.Attribute(), c.again)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for name, c := range casesRefused {
		t.Run(name, func(t *testing.T) {
			got, err := Parse(c.value)
			if !errors.Is(err, c.err) {
				t.Fatalf("%v, %v", got, err)
			}
			for _, key := range []string{key30[:8], key28[:8], key44[:8]} {
				if strings.Contains(err.Error(), key) {
					t.Errorf("the error tells the key: %v", err)
				}
			}
		})
	}
}

// Whatever is done with a key but writing the line of a description, it is told
// to nobody.
func TestAttackKeysAreToldToNobody(t *testing.T) {
	c, err := Parse("1 AES_CM_128_HMAC_SHA1_80 inline:" + key30)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%q", "%d", "%o", "%b", "%c", "%U"} {
		fmt.Fprintf(&all, verb+"\n", c.Masters[0].Key)
		fmt.Fprintf(&all, verb+"\n", &c.Masters[0].Key)
		fmt.Fprintf(&all, verb+"\n", c.Masters)
		fmt.Fprintf(&all, verb+"\n", struct{ C *Crypto }{&c})
	}
	for _, v := range []any{c, c.Masters, c.Masters[0].Key} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
		slog.New(slog.NewTextHandler(&all, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&all, nil)).Info("x", "v", v)
	}
	text := strings.ToLower(all.String())
	octets, _ := base64.StdEncoding.DecodeString(key30)
	for _, form := range []string{key30, "tell-nobody", fmt.Sprintf("%x", octets), "116 101 1", fmt.Sprintf("%#v", octets[:3])[7:15]} {
		if strings.Contains(text, strings.ToLower(form)) {
			t.Errorf("%q is told", form)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range casesParse {
		f.Add(c.value)
	}
	for _, c := range casesRefused {
		f.Add(c.value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		c, err := Parse(value)
		if err != nil {
			if !errors.Is(err, ErrSyntax) && !errors.Is(err, ErrUnsupported) {
				t.Fatal(err)
			}
			return
		}
		again, err := Parse(c.Attribute())
		if err != nil || !again.Same(c) || again.Tag != c.Tag {
			t.Fatalf("%v became %v, %v", c, again, err)
		}
		if _, err := NewReceiver(c); err != nil {
			t.Fatalf("no receiver for %v: %v", c, err)
		}
		if _, err := NewSender(c); err != nil {
			t.Fatalf("no sender for %v: %v", c, err)
		}
	})
}

// Both sides come to one suite and know each other's key.
func TestBothSidesAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		offerer, answerer := NewSet(), NewSet()
		offered := rapid.Permutation(offerer).Draw(t, "offered")[:rapid.IntRange(1, len(offerer)).Draw(t, "n")]
		if rapid.Bool().Draw(t, "again") {
			offered = offered.First(offered[rapid.IntRange(0, len(offered)-1).Draw(t, "in use")])
		}
		tags := map[int]bool{}
		for _, c := range offered {
			if tags[c.Tag] {
				t.Fatalf("tag %d twice", c.Tag)
			}
			tags[c.Tag] = true
		}
		ours, theirs, ok := answerer.Answer(offered)
		if !ok || ours.Tag != theirs.Tag || ours.Suite != theirs.Suite || !theirs.Same(offered[0]) || ours.Same(theirs) {
			t.Fatalf("%v for %v", ours, theirs)
		}
		mine, yours, ok := offered.Accept([]Crypto{ours})
		if !ok || !mine.Same(theirs) || !yours.Same(ours) {
			t.Fatalf("offered %v, answered %v: %v and %v", offered, ours, mine, yours)
		}
	})
}

// An answer that takes what was not offered is none (RFC 4568 §5.1.3).
func TestAnswersThatAreNone(t *testing.T) {
	set := NewSet()
	other := set[0]
	other.Tag = 7
	swapped := set[0]
	swapped.Tag = set[1].Tag
	for name, answered := range map[string][]Crypto{
		"none": nil, "two": {New(1, set[0].Suite), New(2, set[1].Suite)}, "another tag": {other}, "another suite": {swapped},
	} {
		if _, _, ok := set.Accept(answered); ok {
			t.Errorf("%s: taken", name)
		}
	}
	if _, _, ok := set[:1].Answer([]Crypto{New(1, AESCM128SHA1x32)}); ok {
		t.Error("answers a suite that is not there")
	}
}

func TestKeysAreFresh(t *testing.T) {
	seen := map[string]bool{}
	for range 8 {
		for _, c := range NewSet() {
			if seen[c.Attribute()] {
				t.Fatal("a key twice")
			}
			seen[c.Attribute()] = true
		}
	}
}
