package sip

import "net/netip"

// Trunk is a peer known by its address, or by its password.
type Trunk struct {
	ID   string
	Name string
	// Believed says that its P-Asserted-Identity tells who calls, whatever From
	// says (RFC 3325).
	Believed bool
}

// Device is a softphone that registers and is challenged by digest.
type Device struct {
	ID          string
	Username    string
	Password    string
	DisplayName string
	Number      string
}

// Directory knows who may call. Its methods are called on network goroutines
// and must not block.
type Directory interface {
	// TrunkBySource finds the trunk that an address belongs to.
	TrunkBySource(netip.Addr) (Trunk, bool)
	// TrunkByUsername finds a trunk that proves by digest who it is, by the user
	// name of its credentials.
	TrunkByUsername(username string) (t Trunk, password string, ok bool)
	// Device finds a device by the user name of its credentials. No name is both.
	Device(username string) (Device, bool)
}

// Handler is told of calls that have been admitted.
type Handler interface {
	// Invited is called on a goroutine of its own, after 100 Trying, and must
	// Take or Reject the invitation.
	Invited(*Invitation)
}
