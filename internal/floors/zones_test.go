package floors

import (
	"slices"
	"testing"
)

// TestZoneDataIsEmbedded: hours must not depend on what a machine has installed,
// and a container may have no zones at all.
func TestZoneDataIsEmbedded(t *testing.T) {
	for _, p := range listPackages(t) {
		if p.ImportPath == "b2bua/flows" && slices.Contains(p.Imports, "time/tzdata") {
			return
		}
	}
	t.Error("the zones are not part of the program: import time/tzdata in flows")
}
