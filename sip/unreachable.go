package sip

import (
	"bytes"
	"fmt"
	"net/netip"
	"syscall"
)

// unreachable fails the request that an ICMP error is about, if nobody has answered
// it (RFC 3261 §18.4). The error must quote the branch, whose 80 random bits only
// those on the way have seen: nobody else can end a call by it.
func (e *Endpoint) unreachable(quoted []byte, to netip.AddrPort) {
	method, branch := quotedRequest(quoted)
	tx, ok := e.clients.get(clientKey(branch, method))
	if !ok || branch == "" || tx.way().remote != unmapped(to) {
		return
	}
	e.background(func() {
		if tx.unheard() {
			tx.fail(fmt.Errorf("%s: %w", to, syscall.ECONNREFUSED))
		}
	})
}

// unheard reports whether nobody has answered the request at all.
func (tx *clientTx) unheard() bool {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	return tx.phase == proceeding && !tx.heard
}

// quotedRequest finds the method and the branch in the beginning of a request of
// ours, which has its Via in the second line.
func quotedRequest(quoted []byte) (method, branch string) {
	start, rest, _ := bytes.Cut(quoted, []byte("\r\n"))
	via, _, whole := bytes.Cut(rest, []byte("\r\n"))
	name, _, _ := bytes.Cut(start, []byte(" "))
	_, after, _ := bytes.Cut(via, []byte(";branch="))
	value, _, _ := bytes.Cut(after, []byte(";"))
	if !whole || !bytes.HasPrefix(via, []byte("Via: ")) || !bytes.HasPrefix(value, []byte(branchCookie)) {
		return "", ""
	}
	return string(name), string(value)
}
