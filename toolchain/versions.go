// Package toolchain holds what install.sh and the plugins must agree on.
package toolchain

import (
	_ "embed"
	"fmt"
	"strings"
)

//go:embed versions.env
var versions string

// PluginVersion is the version of a plugin as written in versions.env: that of
// the npm SDK it serves.
func PluginVersion(name string) string {
	key := strings.ToUpper(name) + "_VERSION="
	for line := range strings.Lines(versions) {
		if v, ok := strings.CutPrefix(line, key); ok {
			return strings.TrimSpace(v)
		}
	}
	panic(fmt.Sprintf("versions.env has no %s", key))
}
