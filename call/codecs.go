package call

import (
	"slices"
	"strings"

	"b2bua/media"
	"b2bua/media/sdp"
)

// spoken lists which of our codecs the caller offers, best first. An offer
// without any is media.ErrNoCommonCodec: known before anything rings.
func spoken(offer []byte, ours []string) ([]string, error) {
	d, err := sdp.Parse(offer)
	if err != nil {
		return nil, err
	}
	var common []string
	for _, m := range d.Media {
		if m.Kind != "audio" || m.Port == 0 {
			continue
		}
		for _, f := range m.Formats {
			if slices.ContainsFunc(ours, func(o string) bool { return strings.EqualFold(o, f.Name) }) {
				common = append(common, strings.ToUpper(f.Name))
			}
		}
	}
	if len(common) == 0 {
		return nil, media.ErrNoCommonCodec
	}
	return common, nil
}

// codec is what the caller speaks: the one agreed on, or before that the one
// the caller would rather have.
func (c *Call) codec() string {
	if name := c.caller.sound.Codec(); name != "" {
		return name
	}
	if len(c.speaks) > 0 {
		return c.speaks[0]
	}
	return ""
}
