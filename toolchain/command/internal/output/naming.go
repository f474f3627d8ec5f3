package output

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
)

// maxShownScript bounds what an error message shows of a script.
const maxShownScript = 200

// NewID makes the ID of a resource of the given name.
func NewID(name string) string {
	var suffix [4]byte
	_, _ = rand.Read(suffix[:]) // never fails, as documented
	return name + hex.EncodeToString(suffix[:])
}

// Failure is the error of a script that ran: what it is, and all that it printed.
func Failure(err error, script string, captured *Capture) error {
	if shown := []rune(script); len(shown) > maxShownScript {
		script = string(shown[:maxShownScript]) + "..."
	}
	return fmt.Errorf("%w: running %q:\n%s", err, script, captured.Both())
}
