package capi

// BatchResults tells what became of each event that was taken up: its result, a copy, or its error. All results share
// memory, and there are no errors at all if no event failed. The last result is the error that ended the batch, if one
// did: that of the last event, the same pointer, or another one.
//
// void hljs_batch_results(const hljs_batch *batch, const uint8_t **results, size_t *results_len, const size_t **result_lens, const hljs_error *const **errors, size_t *done, const hljs_error **end);
func BatchResults(b Batch) ([][]byte, []*Error, *Error) {
	f := newFrame()
	defer f.done()
	f.uint(b.ptr)
	f.outData()
	f.outLists()
	f.outEnd()
	f.call(symbols.hljs_batch_results)
	errors, end := f.lentErrors()
	return f.lentTexts(), errors, end
}

// BatchStats is what the events took together, and the name of the monitor that fired last.
//
// void hljs_batch_stats(const hljs_batch *batch, uint64_t *calls, uint64_t *wall_clock, uint64_t *cpu_time, uint32_t *has_cpu_time, const uint8_t **terminated_by, size_t *terminated_by_len);
func BatchStats(b Batch) (Stats, string) {
	f := newFrame()
	defer f.done()
	f.uint(b.ptr)
	f.outStats()
	f.outData()
	f.call(symbols.hljs_batch_stats)
	return f.stats, f.lent()
}

// BatchFree frees a batch.
//
// void hljs_batch_free(hljs_batch *batch);
func BatchFree(b Batch) { free(b.ptr, symbols.hljs_batch_free) }
