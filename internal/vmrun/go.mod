module github.com/hyperlight-go/hyperlight-js/internal/vmrun

go 1.26.0

require (
	github.com/cavaliergopher/cpio v1.0.1
	github.com/hashicorp/yamux v0.1.2
	github.com/hyperlight-go/hyperlight-js v0.0.0
	github.com/klauspost/compress v1.20.3
	github.com/spf13/pflag v1.1.0
	github.com/ulikunitz/xz v0.5.17
	golang.org/x/sys v0.49.0
)

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/ebitengine/purego v0.11.3 // indirect
	go.opentelemetry.io/otel v1.47.0 // indirect
	go.opentelemetry.io/otel/trace v1.47.0 // indirect
)

replace github.com/hyperlight-go/hyperlight-js => ../../
