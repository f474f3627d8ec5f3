// Package shim reaches the docker provider's internal package: its path lies
// below the provider module's, so Go lets it import internal/provider.
package shim

import (
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/terraform-providers/terraform-provider-docker/internal/provider"
)

// NewProvider makes the upstream provider, which reports version to the Docker daemon.
func NewProvider(version string) *schema.Provider { return provider.New(version)() }
