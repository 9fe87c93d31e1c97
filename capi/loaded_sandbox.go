package capi

// LoadedSandboxHandleEvent runs a handler; the result is a copy. Event and monitors must not change
// meanwhile. The guard serves its callbacks, if there is one.
//
// hljs_code hljs_loaded_sandbox_handle_event(const hljs_loaded_sandbox *loaded, const uint8_t *name, size_t name_len, const uint8_t *event, size_t event_len, uint32_t gc, const hljs_monitor *const *monitors, size_t monitors_len, const hljs_context *context, uint8_t **result, size_t *result_len, hljs_error **error);
func LoadedSandboxHandleEvent(l LoadedSandbox, name string, event []byte, gc bool, monitors []Monitor, context Context, guard *Guard) ([]byte, *Error) {
	f := newFrame()
	defer f.done()
	f.guarded(guard)
	f.uint(l.ptr)
	f.text(name)
	f.bytes(event)
	f.flag(gc)
	f.objects(monitors)
	f.uint(context.ptr)
	f.outData()
	if err := f.fallible(symbols.hljs_loaded_sandbox_handle_event); err != nil {
		return nil, err
	}
	return f.given(), nil
}

// LoadedSandboxHandleEvents runs a handler with one event after the other. Events and monitors must not change
// meanwhile. The guard serves its callbacks, if there is one.
//
// hljs_code hljs_loaded_sandbox_handle_events(const hljs_loaded_sandbox *loaded, const uint8_t *name, size_t name_len, const uint8_t *const *events, const size_t *event_lens, size_t events_len, uint32_t gc, uint32_t stop_on_error, const hljs_monitor *const *monitors, size_t monitors_len, const hljs_monitor *const *batch_monitors, size_t batch_monitors_len, const hljs_context *context, hljs_batch **batch, hljs_error **error);
func LoadedSandboxHandleEvents(
	l LoadedSandbox, name string, events [][]byte, gc, stopOnError bool, monitors, batchMonitors []Monitor, context Context, guard *Guard,
) (Batch, *Error) {
	f := newFrame()
	defer f.done()
	f.guarded(guard)
	f.uint(l.ptr)
	f.text(name)
	f.list(events)
	f.flag(gc)
	f.flag(stopOnError)
	f.objects(monitors)
	f.objects(batchMonitors)
	f.uint(context.ptr)
	f.outObject()
	err := f.fallible(symbols.hljs_loaded_sandbox_handle_events)
	return Batch{f.object}, err
}

// LoadedSandboxCurrentEvent is the index of the event that LoadedSandboxHandleEvents runs.
//
// uint64_t hljs_loaded_sandbox_current_event(const hljs_loaded_sandbox *loaded);
func LoadedSandboxCurrentEvent(l LoadedSandbox) uint64 {
	f := newFrame()
	defer f.done()
	f.uint(l.ptr)
	return uint64(f.call(symbols.hljs_loaded_sandbox_current_event))
}

// LoadedSandboxStatus is the status as of the last finished call.
//
// hljs_code hljs_loaded_sandbox_status(const hljs_loaded_sandbox *loaded, hljs_status *status, hljs_error **error);
func LoadedSandboxStatus(l LoadedSandbox) (Status, *Error) {
	return status(l.ptr, symbols.hljs_loaded_sandbox_status)
}

// LoadedSandboxLastCallStats is what the last finished call took, and the name of the monitor that ended it.
//
// hljs_code hljs_loaded_sandbox_last_call_stats(const hljs_loaded_sandbox *loaded, uint64_t *calls, uint64_t *wall_clock, uint64_t *cpu_time, uint32_t *has_cpu_time, const uint8_t **terminated_by, size_t *terminated_by_len, hljs_error **error);
func LoadedSandboxLastCallStats(l LoadedSandbox) (Stats, string, *Error) {
	f := newFrame()
	defer f.done()
	f.uint(l.ptr)
	f.outStats()
	f.outData()
	err := f.fallible(symbols.hljs_loaded_sandbox_last_call_stats)
	return f.stats, f.lent(), err
}

// LoadedSandboxInterruptHandle makes a handle that stops the guest from any thread.
//
// hljs_code hljs_loaded_sandbox_interrupt_handle(const hljs_loaded_sandbox *loaded, hljs_interrupt_handle **handle, hljs_error **error);
func LoadedSandboxInterruptHandle(l LoadedSandbox) (InterruptHandle, *Error) {
	object, err := transition(l.ptr, symbols.hljs_loaded_sandbox_interrupt_handle)
	return InterruptHandle{object}, err
}

// LoadedSandboxGetConfig reads what is in effect. It never waits.
//
// hljs_code hljs_loaded_sandbox_get_config(const hljs_loaded_sandbox *loaded, uint64_t *heap_size, uint64_t *scratch_size, uint64_t *input_buffer_size, uint64_t *output_buffer_size, uint64_t *interrupt_retry_delay, uint8_t *interrupt_signal_offset, hljs_error **error);
func LoadedSandboxGetConfig(l LoadedSandbox) (Config, *Error) {
	return config(l.ptr, symbols.hljs_loaded_sandbox_get_config)
}

// LoadedSandboxSnapshot takes a snapshot.
//
// hljs_code hljs_loaded_sandbox_snapshot(const hljs_loaded_sandbox *loaded, hljs_snapshot **snapshot, hljs_error **error);
func LoadedSandboxSnapshot(l LoadedSandbox) (Snapshot, *Error) {
	object, err := transition(l.ptr, symbols.hljs_loaded_sandbox_snapshot)
	return Snapshot{object}, err
}

// LoadedSandboxRestore makes the guest what it was when the snapshot was taken.
//
// hljs_code hljs_loaded_sandbox_restore(const hljs_loaded_sandbox *loaded, const hljs_snapshot *snapshot, hljs_error **error);
func LoadedSandboxRestore(l LoadedSandbox, snapshot Snapshot) *Error {
	f := newFrame()
	defer f.done()
	f.uint(l.ptr)
	f.uint(snapshot.ptr)
	return f.fallible(symbols.hljs_loaded_sandbox_restore)
}

// LoadedSandboxGenerateCrashdump writes a core dump of the guest.
//
// hljs_code hljs_loaded_sandbox_generate_crashdump(const hljs_loaded_sandbox *loaded, hljs_error **error);
func LoadedSandboxGenerateCrashdump(l LoadedSandbox) *Error {
	f := newFrame()
	defer f.done()
	f.uint(l.ptr)
	return f.fallible(symbols.hljs_loaded_sandbox_generate_crashdump)
}

// LoadedSandboxUnload consumes the loaded sandbox, also on failure.
//
// hljs_code hljs_loaded_sandbox_unload(const hljs_loaded_sandbox *loaded, hljs_sandbox **sandbox, hljs_error **error);
func LoadedSandboxUnload(l LoadedSandbox) (Sandbox, *Error) {
	object, err := transition(l.ptr, symbols.hljs_loaded_sandbox_unload)
	return Sandbox{object}, err
}

// LoadedSandboxFree frees a loaded sandbox.
//
// void hljs_loaded_sandbox_free(hljs_loaded_sandbox *loaded);
func LoadedSandboxFree(l LoadedSandbox) { free(l.ptr, symbols.hljs_loaded_sandbox_free) }
