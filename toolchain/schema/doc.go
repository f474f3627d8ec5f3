// Package schema proves that the plugins built here have the inputs and
// outputs of the npm SDKs whose place they take.
package schema
