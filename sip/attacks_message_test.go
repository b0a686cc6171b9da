package sip_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// invited is an INVITE of the trunk with lines added or changed.
func invited(edit func(string) string) string {
	return edit(request("INVITE", "UDP 10.0.0.2:5060;branch=z9hG4bKa1;rport", "a1", 1, "<sip:+15551000@10.0.0.1>", offerSDP, "Contact: <sip:far@10.0.0.2>"))
}

// reaction is the final answer to one message of the trunk: "" for silence. Calls
// that get through are refused with 486. Afterwards OPTIONS is answered.
func reaction(t *testing.T, text string) string {
	t.Helper()
	code := ""
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		far.write(text)
		for code == "" {
			m, ok := far.next(time.Second)
			if !ok {
				break
			}
			if code = m.start[len("SIP/2.0 "):][:3]; code == "100" {
				code = ""
				b.invitation().Reject(486, "")
			}
		}
		alive(b)
	})
	return code
}

// alive asks from an address that nothing was sent from.
func alive(b *bench) {
	b.t.Helper()
	other := b.peer(otherAt)
	other.write(request("OPTIONS", "UDP 10.0.0.2:5070;branch=z9hG4bKalive;rport", "alive", 1, "<sip:10.0.0.1>", ""))
	other.expect("200")
}

// Parts of four thousand octets overflow nothing, and what no sender
// means is refused.
func TestAttack10LongParts(t *testing.T) {
	long := strings.Repeat("a", 4096)
	for name, c := range map[string]struct{ old, with, want string }{
		"CSeq method":  {"CSeq: 1 INVITE", "CSeq: 1 " + long, "400"},
		"CSeq number":  {"CSeq: 1 INVITE", "CSeq: " + strings.Repeat("1", 4096) + " INVITE", "400"},
		"method":       {"INVITE sip:", long + " sip:", "400"},
		"From tag":     {";tag=far", ";tag=" + long, "486"},
		"branch":       {"branch=z9hG4bKa1", "branch=z9hG4bK" + long, "486"},
		"Call-ID":      {"Call-ID: a1", "Call-ID: " + long, "486"},
		"Contact":      {"<sip:far@", "<sip:" + long + "@", "486"},
		"display name": {"From: <", `From: "` + long + `" <`, "486"},
		"user":         {"INVITE sip:+15551000@", "INVITE sip:" + long + "@", "486"},
		"host":         {"From: <sip:+15559999@127.0.0.1>", "From: <sip:a@" + long + ">", "486"},
		"header name":  {"Max-Forwards", long + ": 1\r\nMax-Forwards", "486"},
	} {
		text := invited(func(s string) string { return strings.Replace(s, c.old, c.with, 1) })
		if got := reaction(t, text); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// More headers than anybody sends are refused before they are read.
func TestAttack12ManyHeaders(t *testing.T) {
	for name, c := range map[string]struct{ line, want string }{
		"200 Accept":      {strings.Repeat("Accept: application/sdp\r\n", 200), "400"},
		"2,000 headers":   {strings.Repeat("X: 1\r\n", 2000), "400"},
		"1,500 Via":       {strings.Repeat("Via: SIP/2.0/UDP h\r\n", 700), "400"},
		"Via in one line": {"Via: SIP/2.0/UDP h" + strings.Repeat(",SIP/2.0/UDP h", 1000) + "\r\n", "400"},
		"50 X":            {strings.Repeat("X: 1\r\n", 50), "486"},
	} {
		text := invited(func(s string) string { return strings.Replace(s, "Contact:", c.line+"Contact:", 1) })
		if got := reaction(t, text); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// Bodies of many parts, whole and broken.
func TestAttack13Multipart(t *testing.T) {
	part := "Content-Type: application/sdp\r\n\r\n" + offerSDP
	deep := ""
	for i := range 50 {
		deep += fmt.Sprintf("--b%d\r\nContent-Type: multipart/mixed;boundary=b%d\r\n\r\n", i, i+1)
	}
	for name, c := range map[string]struct{ kind, body, want string }{
		"whole":            {"multipart/mixed;boundary=b", "--b\r\n" + part + "\r\n--b--\r\n", "486"},
		"no boundary":      {"multipart/mixed", "--b\r\n" + part + "\r\n--b--\r\n", "415"},
		"empty boundary":   {`multipart/mixed;boundary=""`, "--\r\n" + part + "\r\n----\r\n", "415"},
		"empty":            {"multipart/mixed;boundary=b", "", "486"}, // no body is no offer
		"no parts":         {"multipart/mixed;boundary=b", "--b--\r\n", "415"},
		"endless":          {"multipart/mixed;boundary=b", strings.Repeat("--b\r\n\r\nx\r\n", 1000), "415"},
		"nested":           {"multipart/mixed;boundary=b0", deep + part, "415"},
		"never closed":     {"multipart/mixed;boundary=b", "--b\r\n" + part, "415"},
		"boundary of 4 kB": {"multipart/mixed;boundary=" + strings.Repeat("b", 4096), "--b\r\n" + part, "415"},
		"broken type":      {"multipart/;;=", part, "415"},
	} {
		text := invited(func(s string) string {
			head, _, _ := strings.Cut(s, "Content-Type:")
			return head + "Content-Type: " + c.kind + "\r\nContent-Length: " + fmt.Sprint(len(c.body)) + "\r\n\r\n" + c.body
		})
		if got := reaction(t, text); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// Odd spaces hide no header from us, and none is trusted.
func TestAttack33HeaderSmuggling(t *testing.T) {
	story(t, func(b *bench) {
		far := b.peer(trunkAt)
		far.write(invited(func(s string) string {
			return strings.Replace(s, "Max-Forwards: 70", "Max-Forwards : 70\r\nX-Admin : 1\r\nx-ADMIN\t:2\r\nP-Asserted-Identity \t : <sip:boss@h>", 1)
		}))
		far.expect("100")
		in := b.invitation()
		if in.Header("X-Admin") != "1, 2" || in.Header("p-asserted-identity") != "<sip:boss@h>" || in.MaxForwards != 69 || in.From.User != "+15559999" {
			t.Errorf("%+v: %q", in, in.Header("X-Admin"))
		}
		in.Reject(486, "")
		far.expect("486")
	})
	for name, text := range map[string]string{
		"two lengths":       invited(func(s string) string { return strings.Replace(s, "Content-Length:", "Content-Length: 0\r\nl:", 1) }),
		"name with a space": invited(func(s string) string { return strings.Replace(s, "Max-Forwards:", "Max Forwards:", 1) }),
		"two Call-IDs":      invited(func(s string) string { return strings.Replace(s, "Call-ID:", "i: other\r\nCall-ID:", 1) }),
		"two CSeq":          invited(func(s string) string { return strings.Replace(s, "CSeq:", "CSeq: 9 BYE\r\nCSeq:", 1) }),
		"method and CSeq":   invited(func(s string) string { return strings.Replace(s, "1 INVITE", "1 OPTIONS", 1) }),
		"bare CR in a header": invited(func(s string) string {
			return strings.Replace(s, "Max-Forwards: 70", "Max-Forwards: 70\rX-Admin: 1", 1)
		}),
	} {
		if got := reaction(t, text); got != "400" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// Whatever comes, again and again, nothing of it stays.
func TestAttack45NothingGrows(t *testing.T) {
	var seeds []string
	for _, dir := range []string{"rfc4475", "rfc5118"} {
		files, _ := filepath.Glob("testdata/" + dir + "/*.dat")
		for _, f := range files {
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			seeds = append(seeds, string(data))
		}
	}
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same messages every time
	story(t, func(b *bench) {
		done := make(chan struct{})
		defer close(done)
		go func() {
			for {
				select {
				case in := <-b.invited:
					in.Reject(486, "")
				case <-done:
					return
				}
			}
		}()
		far, stranger := b.peer(trunkAt), b.peer(strangerAt)
		round := func() {
			for i, s := range seeds {
				for range 40 {
					far.write(mutated(s, random))
				}
				stranger.write(mutated(s, random))
				_, _ = stranger.next(time.Millisecond)
				if i%8 == 0 {
					time.Sleep(time.Second) // the answers pile up at nobody's
				}
			}
			time.Sleep(2 * time.Minute)
		}
		round()
		before, goroutines := inUse(), runtime.NumGoroutine()
		for range 3 {
			round()
		}
		if after := inUse(); after > before+8<<20 {
			t.Errorf("%d kB in use before, %d kB after", before>>10, after>>10)
		}
		if n := runtime.NumGoroutine(); n > goroutines+4 {
			t.Errorf("%d goroutines before, %d after", goroutines, n)
		}
		alive(b)
	})
}

func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}

// mutated changes a few octets of a message.
func mutated(s string, random *rand.Rand) string {
	out := []byte(s)
	for range random.IntN(6) {
		at := random.IntN(len(out))
		switch random.IntN(4) {
		case 0:
			out[at] = byte(random.Uint32())
		case 1:
			out = append(out[:at], out[min(at+random.IntN(20), len(out)):]...)
		case 2:
			out = append(out[:at:at], append([]byte(strings.Repeat(string(out[at]), random.IntN(40))), out[at:]...)...)
		default:
			out[at] = "\r\n:;,<>\"\\@= \x00"[random.IntN(13)]
		}
		if len(out) == 0 {
			return s
		}
	}
	return string(out)
}

// What strangers write is not written into the log as it came, nor a
// line for each of their messages.
func TestAttack46LogsAreNotFlooded(t *testing.T) {
	story(t, func(b *bench) {
		stranger := b.peer(strangerAt)
		for i := range 500 {
			stranger.register(10+i, "User-Agent: evil\x1b[31m", `Authorization: Digest username="evil`+"\x1b[31m"+`", realm="b2bua", nonce="x", uri="sip:10.0.0.1", response="x", qop=auth, nc=00000001, cnonce="x"`)
			stranger.call("Subject: evil")
		}
		time.Sleep(time.Second)
		if logs := b.logs.String(); strings.Contains(logs, "evil") || strings.Count(logs, "\n") > 20 {
			t.Errorf("%d lines of log", strings.Count(logs, "\n"))
		}
	})
}
