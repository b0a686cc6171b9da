package phone

// Fork is what a forking proxy makes of an incoming call: another phone rings for
// the same INVITE, in a dialog of its own (RFC 3261 §12.1).
func (c *Call) Fork() (*Call, error) {
	p := c.phone
	other, err := p.newCall(Options{})
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s := c.invite
	other.from, other.to, other.headers, other.callID = c.from, c.to, c.headers, c.callID
	other.local, other.remote = s.request.get("To")+";tag="+other.tag, s.request.get("From")
	other.learn(s.request, s.from)
	other.invite = &server{born: s.born, request: s.request, from: s.from, acked: make(chan struct{})}
	other.state = Trying
	p.calls[other.callID+other.tag] = other
	return other, nil
}
