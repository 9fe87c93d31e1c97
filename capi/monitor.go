package capi

// MonitorNewWallClock makes a monitor of the time that a call takes.
//
// hljs_code hljs_monitor_new_wall_clock(uint64_t nanoseconds, hljs_monitor **monitor, hljs_error **error);
func MonitorNewWallClock(nanoseconds uint64) (Monitor, *Error) {
	return monitorOf(nanoseconds, symbols.hljs_monitor_new_wall_clock)
}

// MonitorNewCPUTime makes a monitor of the processor time of the thread that makes a call.
//
// hljs_code hljs_monitor_new_cpu_time(uint64_t nanoseconds, hljs_monitor **monitor, hljs_error **error);
func MonitorNewCPUTime(nanoseconds uint64) (Monitor, *Error) {
	return monitorOf(nanoseconds, symbols.hljs_monitor_new_cpu_time)
}

// MonitorNewTrigger makes a monitor that fires when it is told to.
//
// hljs_code hljs_monitor_new_trigger(const uint8_t *name, size_t name_len, hljs_monitor **monitor, hljs_error **error);
func MonitorNewTrigger(name string) (Monitor, *Error) {
	f := newFrame()
	defer f.done()
	f.text(name)
	f.outObject()
	err := f.fallible(symbols.hljs_monitor_new_trigger)
	return Monitor{f.object}, err
}

// MonitorFire fires a trigger.
//
// hljs_code hljs_monitor_fire(const hljs_monitor *monitor, hljs_error **error);
func MonitorFire(m Monitor) *Error {
	f := newFrame()
	defer f.done()
	f.uint(m.ptr)
	return f.fallible(symbols.hljs_monitor_fire)
}

// MonitorReset makes a trigger usable again.
//
// hljs_code hljs_monitor_reset(const hljs_monitor *monitor, hljs_error **error);
func MonitorReset(m Monitor) *Error {
	f := newFrame()
	defer f.done()
	f.uint(m.ptr)
	return f.fallible(symbols.hljs_monitor_reset)
}

// MonitorName is the monitor's name, or "" for NULL.
//
// void hljs_monitor_name(const hljs_monitor *monitor, const uint8_t **text, size_t *len);
func MonitorName(m Monitor) string {
	f := newFrame()
	defer f.done()
	f.uint(m.ptr)
	f.outData()
	f.call(symbols.hljs_monitor_name)
	return f.lent()
}

// MonitorFree frees a monitor; calls that run with it keep what they need.
//
// void hljs_monitor_free(hljs_monitor *monitor);
func MonitorFree(m Monitor) { free(m.ptr, symbols.hljs_monitor_free) }

// monitorOf calls one of the functions that make a monitor with a limit.
func monitorOf(nanoseconds uint64, symbol uintptr) (Monitor, *Error) {
	f := newFrame()
	defer f.done()
	f.uint(uintptr(nanoseconds))
	f.outObject()
	err := f.fallible(symbol)
	return Monitor{f.object}, err
}
