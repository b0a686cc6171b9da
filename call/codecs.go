package call

// codec is what the caller speaks: the one agreed on, or before that the one
// the caller would rather have.
func (c *Call) codec() string {
	if c.caller.sound == nil { // is being called
		return ""
	}
	if name := c.caller.sound.Codec(); name != "" {
		return name
	}
	if len(c.speaks) > 0 {
		return c.speaks[0]
	}
	return ""
}
