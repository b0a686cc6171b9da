package guard

import (
	"bytes"
	"net/netip"
	"testing"
	"unicode"
)

// binding is the Binding request of a keep-alive, with these attributes.
func binding(attrs string) []byte {
	return append([]byte{0, 1, 0, byte(len(attrs)), 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, attrs...)
}

const software = "\x80\x22\x00\x05phone\x00\x00\x00"

func TestStunAnswer(t *testing.T) {
	v4, v6 := netip.MustParseAddrPort("192.0.2.1:32853"), netip.MustParseAddrPort("[2001:db8:1234:5678:11:2233:4455:6677]:32853")
	id := "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c"
	for name, c := range map[string]struct {
		request []byte
		from    netip.AddrPort
		want    string
	}{
		"IPv4":   {binding(""), v4, "\x01\x01\x00\x0c\x21\x12\xa4\x42" + id + "\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43"}, // RFC 5769 §2.2
		"mapped": {binding(""), netip.AddrPortFrom(netip.AddrFrom16(v4.Addr().As16()), v4.Port()), "\x01\x01\x00\x0c\x21\x12\xa4\x42" + id + "\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43"},
		"IPv6": {binding(""), v6, "\x01\x01\x00\x18\x21\x12\xa4\x42" + id + "\x00\x20\x00\x14\x00\x02\xa1\x47" +
			"\x01\x13\xa9\xfa" + "\x13\x36\x55\x7c" + "\x05\x17\x25\x3b" + "\x4d\x5f\x6d\x7b"},
		"optional attributes": {binding(software), v4, "\x01\x01\x00\x0c\x21\x12\xa4\x42" + id + "\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43"},
		"CHANGE-REQUEST":      {binding("\x00\x03\x00\x04\x00\x00\x00\x06"), v4, "\x01\x11\x00\x10\x21\x12\xa4\x42" + id + "\x00\x09\x00\x04\x00\x00\x04\x14\x00\x0a\x00\x02\x00\x03\x00\x00"},
		"an indication":       {append([]byte{0, 0x11}, binding("")[2:]...), v4, ""},
		"a response":          {append([]byte{1, 1}, binding("")[2:]...), v4, ""},
		"a wrong length":      {append(binding(""), 0, 0, 0, 0), v4, ""},
		"half an attribute":   {binding("\x80\x22\x00\x09phone\x00\x00\x00"), v4, ""},
	} {
		got := stunAnswer(nil, c.request, c.from)
		if string(got) != c.want {
			t.Errorf("%s: % x\nwant % x", name, got, c.want)
		}
	}
}

// FuzzStun holds that no answer can be a weapon.
func FuzzStun(f *testing.F) {
	f.Add(binding(""))
	f.Add(binding(software))
	f.Add(binding("\x00\x03\x00\x04\x00\x00\x00\x06\x00\x06\x00\x00\x00\x06\x00\x00"))
	f.Add([]byte("0000\x21\x12\xa4\x42 SIp/\n000000"))
	from := netip.MustParseAddrPort("[2001:db8::1]:5060")
	f.Fuzz(func(t *testing.T, data []byte) {
		if !isSTUN(data) {
			return
		}
		if line, _, _ := bytes.Cut(bytes.TrimLeft(data, "\r\n"), []byte("\n")); len(line) > 3 && !bytes.ContainsFunc(line, unicode.IsControl) {
			t.Errorf("% x is SIP, too", data)
		}
		var buf [stunHeader + 12 + 2*maxUnknown + 16]byte
		got := stunAnswer(buf[:0], data, from)
		if len(got) > 3*len(data) || len(got) > len(buf) || len(got)%4 != 0 || got != nil && !bytes.Equal(got[4:stunHeader], data[4:stunHeader]) {
			t.Errorf("% x answered by % x", data, got)
		}
	})
}
