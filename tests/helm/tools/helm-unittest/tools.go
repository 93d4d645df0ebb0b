//go:build tools

// Package tools names the command that is built here, so that go.mod keeps what it needs.
package tools

import _ "github.com/helm-unittest/helm-unittest/cmd/helm-unittest"
