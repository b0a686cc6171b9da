package stir

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// fetch fills k, whatever happens: others wait for it.
func (v *Verifier) fetch(ctx context.Context, u string, k *kept) {
	chain, keep, err := v.get(ctx, u)
	v.mu.Lock()
	defer v.mu.Unlock()
	k.chain, k.err, k.until = chain, err, v.cfg.Now().Add(keep)
	close(k.ready)
}

func (v *Verifier) get(ctx context.Context, u string) (chain []*x509.Certificate, keep time.Duration, err error) {
	select {
	case v.busy <- struct{}{}:
		defer func() { <-v.busy }()
	default:
		return nil, 0, errors.New("too many certificates are being fetched")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return nil, keepFailure, fmt.Errorf("fetch: %w", err)
	}
	req.Header.Set("Accept", "application/pem-certificate-chain, application/x-pem-file, application/pkix-cert")
	res, err := v.client.Do(req)
	if err != nil {
		return nil, keepFailure, fmt.Errorf("fetch: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, keepFailure, fmt.Errorf("fetch %s: %s", u, res.Status)
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, keepFailure, fmt.Errorf("fetch %s: %w", u, err)
	case len(data) > maxBody:
		return nil, keepFailure, fmt.Errorf("fetch %s: more than %d octets", u, maxBody)
	}
	if chain, err = certificatesOf(data, maxChain); err != nil {
		return nil, keepFailure, fmt.Errorf("fetch %s: %w", u, err)
	}
	return chain, lifetime(res.Header.Get("Cache-Control")), nil
}

// lifetime reads max-age (RFC 9111 §5.2.2.1), within bounds: a file that may not
// be kept at all would be fetched for every call.
func lifetime(cacheControl string) time.Duration {
	for _, d := range strings.Split(cacheControl, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(d), "=")
		switch strings.ToLower(name) {
		case "no-store", "no-cache":
			return keepShortest
		case "max-age":
			if n, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31); err == nil {
				return min(max(time.Duration(n)*time.Second, keepShortest), keepLongest)
			}
		}
	}
	return keepFor
}
