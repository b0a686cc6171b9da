package sdp

import "bytes"

// Versions stamps the descriptions of one dialog: the o= version is one higher
// when, and only when, anything else changed (RFC 3264 §8).
type Versions struct {
	id      uint64
	version uint64
	last    []byte
}

// NewVersions starts a dialog's descriptions with a session id.
func NewVersions(id uint64) *Versions { return &Versions{id: id, version: id} }

// Stamp writes d with the version due.
func (v *Versions) Stamp(d *Description) []byte {
	d.Origin.ID = v.id
	d.Origin.Version = v.version
	body := d.Bytes()
	if v.last != nil && !bytes.Equal(body, v.last) {
		v.version++
		d.Origin.Version = v.version
		body = d.Bytes()
	}
	v.last = body
	return bytes.Clone(body)
}
