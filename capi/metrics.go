package capi

// MetricsInstall starts to record upstream's metrics.
//
// hljs_code hljs_metrics_install(hljs_error **error);
func MetricsInstall() *Error {
	f := newFrame()
	defer f.done()
	return f.fallible(symbols.hljs_metrics_install)
}

// MetricsSnapshot gives all series, as JSON.
//
// hljs_code hljs_metrics_snapshot(uint8_t **json, size_t *len, hljs_error **error);
func MetricsSnapshot() ([]byte, *Error) {
	f := newFrame()
	defer f.done()
	f.outData()
	if err := f.fallible(symbols.hljs_metrics_snapshot); err != nil {
		return nil, err
	}
	return f.given(), nil
}
