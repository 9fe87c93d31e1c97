module github.com/hyperlight-go/hyperlight-js/bench/others

go 1.26.0

replace github.com/hyperlight-go/hyperlight-js => ../../

require (
	github.com/dop251/goja v0.0.0-20260917113740-793a2a65c13b
	github.com/hyperlight-go/hyperlight-js v0.0.0-00010101000000-000000000000
	github.com/stretchr/testify v1.12.1
	github.com/tetratelabs/wazero v1.12.0
)

require (
	github.com/dlclark/regexp2/v2 v2.5.2 // indirect
	github.com/go-sourcemap/sourcemap v2.1.3+incompatible // indirect
	github.com/google/pprof v0.0.0-20230207041349-798e818bf904 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)
