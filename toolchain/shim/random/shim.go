// Package shim reaches the random provider's internal package: its path lies
// below the provider module's, so Go lets it import internal/provider.
package shim

import (
	fw "github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/terraform-providers/terraform-provider-random/internal/provider"
)

// NewProvider makes the upstream provider.
func NewProvider() fw.Provider { return provider.New() }
