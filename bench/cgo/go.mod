module github.com/hyperlight-go/hyperlight-js/bench/cgo

go 1.26.0

require github.com/hyperlight-go/hyperlight-js v0.0.0

replace github.com/hyperlight-go/hyperlight-js => ../..
