package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"

	"b2bua/store"
)

// sign adds both signature schemes to a request.
//
// X-Audian-Signature is the hex HMAC-SHA256 of "timestamp.body" under the whole
// signing secret as it was shown, whsec_ included. webhook-signature follows
// Standard Webhooks: the base64 HMAC-SHA256 of "id.timestamp.body" under the
// bytes that the part behind whsec_ encodes. Timestamps are seconds since 1970.
func sign(h http.Header, secret, id string, at time.Time, body []byte) {
	ts := strconv.FormatInt(at.Unix(), 10)
	h.Set("X-Audian-Timestamp", ts)
	h.Set("X-Audian-Signature", "sha256="+hex.EncodeToString(mac([]byte(secret), ts, body)))
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", ts)
	if key, ok := store.SecretBytes(secret); ok {
		h.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac(key, id+"."+ts, body)))
	}
}

func mac(key []byte, prefix string, body []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(prefix + "."))
	m.Write(body)
	return m.Sum(nil)
}
