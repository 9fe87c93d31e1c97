// Package otelmetrics exports the metrics of package hyperlight through OpenTelemetry's SDK: upstream's own
// ([hyperlight.Metrics]) and those of pools, by a [Producer] that any Reader of go.opentelemetry.io/otel/sdk/metric
// takes.
//
//	err := hyperlight.EnableMetrics() // before the first New
//	...
//	producer, err := otelmetrics.NewProducer(otelmetrics.WithPool("requests", pool))
//	...
//	reader := metric.NewPeriodicReader(exporter, metric.WithProducer(producer))
//	provider := metric.NewMeterProvider(metric.WithReader(reader))
//
// It is a module of its own, so that only programs that use it depend on the SDK. Views do not apply to its
// metrics: an SDK has them for its own instruments alone.
//
// # Upstream's metrics
//
// A metric's name is "hyperlight." and upstream's, without the "_total" or "_seconds" at its end, which
// OpenTelemetry wants told by kind and unit. Exporters for Prometheus put both back, so there upstream's
// guest_errors_total is hyperlight_guest_errors_total. Attributes are upstream's labels; values are upstream's,
// unchanged. Each metric exists from its first update on. [hyperlight.Metric] tells more about them.
//
//	name, after "hyperlight."        instrument      unit           attribute
//	active_proto_js_sandboxes        UpDownCounter   {sandbox}
//	active_js_sandboxes              UpDownCounter   {sandbox}
//	active_loaded_js_sandboxes       UpDownCounter   {sandbox}
//	proto_js_sandboxes               Counter         {sandbox}
//	js_sandboxes                     Counter         {sandbox}
//	loaded_js_sandboxes              Counter         {sandbox}
//	sandbox_loads                    Counter         {load}
//	sandbox_unloads                  Counter         {unload}
//	event_handler_calls              Histogram       us             event_handler_name
//	event_handler_calls_with_gc      Histogram       us             event_handler_name
//	monitor_terminations             Counter         {call}         monitor_type
//	guest_errors                     Counter         {error}        code
//	guest_cancellations              Counter         {call}
//	erroneous_vcpu_kicks             Counter         {kick}
//	guest_call_duration              Histogram       s              function_name
//	host_call_duration               Histogram       s              function_name
//	dropped_metric_updates           Counter         {update}
//
// The histograms event_handler_calls and event_handler_calls_with_gc are of microseconds (us), as upstream's; their
// counts are the numbers of calls.
//
// # Pools
//
// Those of [WithPool] are what [hyperlight.PoolStats] says. Each has the attribute hyperlight.pool.name, and sandboxes
// also hyperlight.pool.state: idle, in_use, restoring or booting, whose sum is the pool's size.
//
//	name, after "hyperlight.pool."   instrument      unit
//	sandboxes                        UpDownCounter   {sandbox}
//	waiting                          UpDownCounter   {caller}
//	acquired                         Counter         {sandbox}
//	waited                           Counter         {caller}
//	wait_time                        Counter         s
//	longest_wait                     Gauge           s
//	restores                         Counter         {restore}
//	poisoned                         Counter         {sandbox}
//	replaced                         Counter         {sandbox}
//	failed_boots                     Counter         {boot}
//	tenants                          UpDownCounter   {tenant}
//	tenant_memory                    UpDownCounter   By
//	tenant_hits                      Counter         {tenant}
//	tenant_misses                    Counter         {tenant}
//	tenant_evictions                 Counter         {tenant}
//
// # Time
//
// All aggregations are cumulative, since this package was initialized, that is, since the process began. An exporter
// that wants deltas has to make them itself.
package otelmetrics
