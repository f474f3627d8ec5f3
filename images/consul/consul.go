//go:build tools

// Package consul makes `go mod tidy` keep what the image's binary is built from.
package consul

import _ "github.com/hashicorp/consul"
