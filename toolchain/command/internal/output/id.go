package output

import (
	"crypto/rand"
	"encoding/hex"
)

// NewID makes the ID of a resource of the given name.
func NewID(name string) string {
	var suffix [4]byte
	_, _ = rand.Read(suffix[:]) // never fails, as documented
	return name + hex.EncodeToString(suffix[:])
}
