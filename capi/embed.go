//go:build hyperlight_embed

package capi

import _ "embed"

// embedded is the library that build.sh made in this repository.
//
//go:embed embedded/libhyperlight_js_capi.so
var embedded []byte
