package certificate

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// lookEvery is how often the files are looked at, at most.
const lookEvery = time.Second

// Files is a certificate and its key in PEM files. A pair that was renewed is
// used from the next handshake on; one that cannot be used leaves the old one in
// place.
type Files struct {
	cert, key string
	log       *slog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	read    stamp // of the files as they were last tried
	looked  time.Time
}

// stamp tells whether files have changed.
type stamp struct {
	cert, key         time.Time
	certSize, keySize int64
}

// Load reads the files for the first time.
func Load(cert, key string, log *slog.Logger) (*Files, error) {
	f := &Files{cert: cert, key: key, log: log, looked: time.Now()}
	f.read = f.stamp()
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("load certificate %s: %w", cert, err)
	}
	f.current = &pair
	return f, nil
}

// Get is for tls.Config.GetCertificate.
func (f *Files) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := time.Now(); now.Sub(f.looked) >= lookEvery {
		f.looked = now
		f.reload()
	}
	return f.current, nil
}

func (f *Files) reload() {
	now := f.stamp()
	if now == f.read {
		return
	}
	f.read = now // tried once: what is broken is told once
	pair, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		f.log.Warn("new certificate not usable, the old one stays", "file", f.cert, "err", err)
		return
	}
	f.current = &pair
	f.log.Info("new certificate", "file", f.cert, "until", pair.Leaf.NotAfter)
}

// stamp is zero for files that are not there.
func (f *Files) stamp() stamp {
	var s stamp
	if i, err := os.Stat(f.cert); err == nil {
		s.cert, s.certSize = i.ModTime(), i.Size()
	}
	if i, err := os.Stat(f.key); err == nil {
		s.key, s.keySize = i.ModTime(), i.Size()
	}
	return s
}
