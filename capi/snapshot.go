package capi

// SnapshotSave saves a snapshot under a tag; the result is the digest of its manifest, text.
//
// hljs_code hljs_snapshot_save(const hljs_snapshot *snapshot, const uint8_t *dir, size_t dir_len, const uint8_t *tag, size_t tag_len, uint8_t **digest, size_t *digest_len, hljs_error **error);
func SnapshotSave(s Snapshot, dir, tag string) ([]byte, *Error) {
	f := newFrame()
	defer f.done()
	f.uint(s.ptr)
	f.text(dir)
	f.text(tag)
	f.outData()
	if err := f.fallible(symbols.hljs_snapshot_save); err != nil {
		return nil, err
	}
	return f.given(), nil
}

// SnapshotLoad loads a snapshot by its tag or digest.
//
// hljs_code hljs_snapshot_load(const uint8_t *dir, size_t dir_len, const uint8_t *reference, size_t reference_len, uint32_t verify, hljs_snapshot **snapshot, hljs_error **error);
func SnapshotLoad(dir, reference string, verify bool) (Snapshot, *Error) {
	f := newFrame()
	defer f.done()
	f.text(dir)
	f.text(reference)
	f.flag(verify)
	f.outObject()
	err := f.fallible(symbols.hljs_snapshot_load)
	return Snapshot{f.object}, err
}

// SnapshotGetConfig reads the sizes that come with the snapshot; the rest of the result is zero.
//
// hljs_code hljs_snapshot_get_config(const hljs_snapshot *snapshot, uint64_t *heap_size, uint64_t *scratch_size, uint64_t *input_buffer_size, uint64_t *output_buffer_size, hljs_error **error);
func SnapshotGetConfig(s Snapshot) (Config, *Error) {
	f := newFrame()
	defer f.done()
	f.uint(s.ptr)
	f.outSizes()
	err := f.fallible(symbols.hljs_snapshot_get_config)
	return f.config, err
}

// SnapshotSize is how many bytes of guest memory the snapshot holds.
//
// hljs_code hljs_snapshot_size(const hljs_snapshot *snapshot, uint64_t *size, hljs_error **error);
func SnapshotSize(s Snapshot) (uint64, *Error) {
	f := newFrame()
	defer f.done()
	f.uint(s.ptr)
	f.outSize()
	err := f.fallible(symbols.hljs_snapshot_size)
	return f.size, err
}

// SnapshotFree frees a snapshot.
//
// void hljs_snapshot_free(hljs_snapshot *snapshot);
func SnapshotFree(s Snapshot) { free(s.ptr, symbols.hljs_snapshot_free) }
