package notice

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// letter is an e-mail as the server got it.
type letter struct {
	from, to, data string
	tls            bool
	user           string
}

// server is an SMTP server (RFC 5321) with STARTTLS (RFC 3207) and AUTH PLAIN (RFC
// 4954), which says what a test wants it to say.
type server struct {
	t     *testing.T
	l     net.Listener
	cert  tls.Certificate
	trust *x509.CertPool
	login string // user and password that are right

	mu      sync.Mutex
	letters []letter
	tries   int
	refuse  func(try int, verb string) string // "" goes on
	wg      sync.WaitGroup
}

func startServer(t *testing.T, implicit bool) *server {
	t.Helper()
	s := &server{t: t, login: "us\x00correct-horse"}
	s.certify()
	var err error
	if s.l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	if implicit {
		s.l = tls.NewListener(s.l, &tls.Config{Certificates: []tls.Certificate{s.cert}})
	}
	s.wg.Go(func() {
		for {
			c, err := s.l.Accept()
			if err != nil {
				return
			}
			s.wg.Go(func() { s.talk(c, implicit) })
		}
	})
	t.Cleanup(func() {
		s.l.Close()
		s.wg.Wait()
	})
	return s
}

func (s *server) certify() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	made := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, made, made, key.Public(), key)
	if err != nil {
		s.t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		s.t.Fatal(err)
	}
	s.cert = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	s.trust = x509.NewCertPool()
	s.trust.AddCert(leaf)
}

// refuses lets the server refuse what says gives an answer to.
func (s *server) refuses(says func(try int, verb string) string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = says
}

func (s *server) refusal(try int, verb string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse == nil {
		return ""
	}
	return s.refuse(try, verb)
}

func (s *server) connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tries
}

func (s *server) port() int { return s.l.Addr().(*net.TCPAddr).Port }

func (s *server) mail() Mail {
	return Mail{
		Host: "127.0.0.1", Port: s.port(), Username: "us", Password: "correct-horse", From: "Voicemail <voicemail@example.com>",
		Timeout: 5 * time.Second, Trust: &tls.Config{RootCAs: s.trust, MinVersion: tls.VersionTLS12},
	}
}

func (s *server) got() []letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]letter(nil), s.letters...)
}

// talk is one connection.
func (s *server) talk(c net.Conn, secure bool) {
	defer func() { c.Close() }()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	s.mu.Lock()
	s.tries++
	try := s.tries
	s.mu.Unlock()
	r := bufio.NewReader(c)
	say := func(format string, args ...any) { fmt.Fprintf(c, format+"\r\n", args...) }
	say("220 mail.example.com ESMTP")
	var l letter
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		verb = strings.ToUpper(verb)
		if answer := s.refusal(try, verb); answer != "" {
			say("%s", answer)
			continue
		}
		switch verb {
		case "EHLO":
			if !secure {
				say("250-mail.example.com\r\n250 STARTTLS")
			} else {
				say("250-mail.example.com\r\n250 AUTH PLAIN")
			}
		case "STARTTLS":
			say("220 go ahead")
			c = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{s.cert}})
			r, secure = bufio.NewReader(c), true
		case "AUTH":
			_, blob, _ := strings.Cut(rest, " ")
			raw, _ := base64.StdEncoding.DecodeString(blob)
			if !strings.HasSuffix(string(raw), s.login) {
				say("535 5.7.8 no")
				continue
			}
			l.user = "us"
			say("235 2.7.0 welcome")
		case "MAIL":
			l.from, l.tls = rest, secure
			say("250 ok")
		case "RCPT":
			l.to = rest
			say("250 ok")
		case "DATA":
			say("354 go ahead")
			l.data = readData(r)
			s.mu.Lock()
			s.letters = append(s.letters, l)
			s.mu.Unlock()
			say("250 ok")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func readData(r *bufio.Reader) string {
	var b strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil || line == ".\r\n" {
			return b.String()
		}
		_, _ = io.WriteString(&b, strings.TrimPrefix(line, "."))
	}
}
