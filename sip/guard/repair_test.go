package guard

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func torture(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/rfc*/*.dat")
	if err != nil || len(files) != 61 {
		t.Fatalf("%d messages, %v", len(files), err)
	}
	all := map[string][]byte{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(f), ".dat")] = b
	}
	return all
}

// Which messages of RFC 4475 and RFC 5118 are refused, and how. The others pass,
// among them invalid ones whose fault is not one of form.
func TestTorture(t *testing.T) {
	refused := map[string]*refusal{
		"badaspec": errAddress, "baddn": errAddress, "quotbal": errAddress,
		"badinv01": errVia, "badvers": errVersion, "bigcode": errStartLine, "clerr": errBody,
		"insuf": errMissing, "ltgtruri": errStartLine, "lwsruri": errStartLine, "lwsstart": errStartLine,
		"mcl01": errTwice, "multi01": errTwice, "mismatch01": errMismatch, "mismatch02": errMismatch,
		"ncl": errLength, "novelsc": errScheme, "unkscm": errScheme, "scalar02": errCSeq, "scalarlg": errCSeq,
		"ipv6-bad": errStartLine,
	}
	var r repairer
	for name, data := range torture(t) {
		_, _, err := r.message(data)
		switch want := refused[name]; {
		case want == nil && err != nil:
			t.Errorf("%s refused: %v", name, err)
		case want != nil && !errors.Is(err, want):
			t.Errorf("%s: %v instead of %v", name, err, want)
		}
	}
}

const headers = "Via: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n"

const head = "INVITE sip:b@h SIP/2.0\r\n" + headers

func TestRepairs(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"nothing to do", head + "\r\n", head + "\r\n"},
		{"leading CRLF", "\r\n\r\n" + head + "\r\n", head + "\r\n"},
		{"LF only", strings.ReplaceAll(head+"\r\n", "\r\n", "\n"), head + "\r\n"},
		{"two spaces in CSeq", strings.Replace(head, "1 INVITE", "1  INVITE", 1) + "\r\n", head + "\r\n"},
		{"spaces in Via", strings.Replace(head, "SIP/2.0/UDP a;branch=", "SIP / 2.0 /UDP   a ; branch = ", 1) + "\r\n", head + "\r\n"},
		{"space before the colon", strings.Replace(head, "Call-ID: ", "Call-ID \t :", 1) + "\r\n", head + "\r\n"},
		{"smuggled name", head + "X-Admin : 1\r\n\r\n", head + "X-Admin: 1\r\n\r\n"},
		{"folded", strings.Replace(head, ";tag=1", "\r\n ;\r\n\ttag=1", 1) + "\r\n", head + "\r\n"},
		{"two Via values", strings.Replace(head, "SIP/2.0/UDP a", "SIP/2.0/UDP b , SIP/2.0/UDP a", 1) + "\r\n",
			strings.Replace(head, "Via: ", "Via: SIP/2.0/UDP b\r\nVia: ", 1) + "\r\n"},
		{"empty Contact", head + "Contact:\r\n\r\n", head + "\r\n"},
		{"escaped quote in Contact", head + "m: \"a\\\", b\" <sip:x>, <sip:y>\r\n\r\n", head + "m: <sip:x>,<sip:y>\r\n\r\n"},
		{"Content-Length twice", head + "l: 2\r\nContent-Length: 2\r\n\r\nab", head + "l: 2\r\n\r\nab"},
		{"more than the body", head + "l: 2\r\n\r\nabOPTIONS", head + "l: 2\r\n\r\nab"},
		{"LF in the body stays", head + "\r\na\nb", head + "\r\na\nb"},
		{"no reason phrase", "SIP/2.0 200\r\n" + headers + "\r\n", "SIP/2.0 200 \r\n" + headers + "\r\n"},
	} {
		var r repairer
		got, changed, err := r.message([]byte(c.in))
		if err != nil || string(got) != c.want || changed != (c.in != c.want) {
			t.Errorf("%s: %v, changed %v, %q", c.name, err, changed, got)
		}
	}
}

func TestRefuses(t *testing.T) {
	for _, c := range []struct {
		name, old, new string
		want           *refusal
	}{
		{"CR inside", "Call-ID: c", "Call-ID: c\rX: y", errHeader},
		{"space in a name", "Call-ID: c", "Call-ID: c\r\nX Y: z", errHeader},
		{"no name", "Call-ID: c", "Call-ID: c\r\n: z", errHeader},
		{"second From", "Call-ID: c", "Call-ID: c\r\nf: <sip:x@h>", errTwice},
		{"two lengths", "Call-ID: c", "Call-ID: c\r\nl: 0\r\nl: 1", errTwice},
		{"hexadecimal length", "Call-ID: c", "Call-ID: c\r\nl: 0x0", errLength},
		{"Max-Forwards", "Call-ID: c", "Call-ID: c\r\nMax-Forwards: 256", errForwards},
		{"no call id", "Call-ID: c", "Call-ID:", errHeader},
		{"CSeq too large", "CSeq: 1", "CSeq: 2147483648", errCSeq},
		{"CSeq of one word", "CSeq: 1 INVITE", "CSeq: 1", errCSeq},
		{"many headers", "Call-ID: c", "Call-ID: c" + strings.Repeat("\r\nAccept: x", 200), errTooMany},
		{"many Via values", "Via: ", "Via: " + strings.Repeat("SIP/2.0/UDP x,", 200), errTooMany},
		{"port of Via", "UDP a;", "UDP a:x;", errVia},
		{"port beyond", "UDP a;", "UDP a:70000;", errVia},
		{"no host in Via", "UDP a;", "UDP ;", errVia},
		{"bare method in Via", "SIP/2.0/UDP a", "UDP a", errVia},
		{"no scheme in From", "<sip:a@h>", "<a@h>", errAddress},
		{"star in To", "<sip:b@h>", "*", errAddress},
		{"open bracket", "<sip:a@h>", "<sip:a@h", errAddress},
		{"no host", "INVITE sip:b@h", "INVITE sip:b@", errStartLine},
	} {
		var r repairer
		in := strings.Replace(head, c.old, c.new, 1) + "\r\n"
		if _, _, err := r.message([]byte(in)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// What is repaired needs no second repair, its parts are whole lines, and an
// answer is never longer than the request by more than its own words.
func FuzzRepair(f *testing.F) {
	for _, data := range torture(f) {
		f.Add(data)
	}
	f.Add([]byte(head + "\r\n"))
	f.Add([]byte("\r\n\r\n"))
	var r, second repairer
	f.Fuzz(func(t *testing.T, data []byte) {
		looksLikeSIP(data)
		isKeepalive(data)
		before := bytes.Clone(data)
		message, _, err := r.message(data)
		if !bytes.Equal(before, data) {
			t.Fatal("the datagram was written to")
		}
		if err != nil {
			checkAnswer(t, r.badRequest(), data)
			return
		}
		again, changed, err := second.message(message)
		if err != nil || changed {
			t.Errorf("%q\nchanges to %q, %v", message, again, err)
		}
		section, _, _ := bytes.Cut(message, []byte("\r\n\r\n"))
		for _, line := range bytes.Split(section, []byte("\r\n")) {
			if bytes.ContainsAny(line, "\r\n") {
				t.Errorf("line %q", line)
			}
		}
	})
}

func checkAnswer(t *testing.T, answer, request []byte) {
	if answer == nil {
		return
	}
	if len(answer) > 2*len(request)+150 {
		t.Errorf("%d bytes answered with %d", len(request), len(answer))
	}
	if !bytes.HasSuffix(answer, []byte("\r\nContent-Length: 0\r\n\r\n")) || bytes.Count(answer, []byte("\r\n\r\n")) != 1 {
		t.Errorf("answer %q", answer)
	}
}
