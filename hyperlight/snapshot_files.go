package hyperlight

import "github.com/hyperlight-go/hyperlight-js/capi"

// Save writes the snapshot into the folder dir, an OCI image layout that other snapshots may share, under
// a tag: 1 to 128 letters, digits, '_', '.' or '-', of which the last two do not come first. The folder is
// made if need be, its parent is not. The result is the digest of the snapshot, "sha256:" and 64 digits,
// by which [LoadSnapshot] finds it as well as by its tag. Upstream: Snapshot::save.
//
// A tag that exists is moved to the new snapshot. The old one's files stay, so the folder grows, but
// unless it has another tag, it can be loaded no more.
//
// Files can be loaded on the same architecture, hypervisor and CPU vendor, by the same version of
// upstream. They hold all of the guest's memory, with every secret in it. Saves of one process take
// turns; processes must not save into the same folder at the same time, or tags get lost.
//
// # Errors
//
// [ErrInvalidArgument] for a bad tag or a folder that is not UTF-8 or has a NUL byte; [ErrSnapshotIO] when
// the file system fails, or the parent is missing, or a file is in the folder's place;
// [ErrSnapshotCorrupt] and [ErrSnapshotIncompatible] for a folder that holds a damaged layout, or one of
// another version; [ErrClosed]. Tags are as before then.
func (s *Snapshot) Save(dir, tag string) (digest string, err error) {
	const op = "Save"
	native, release, err := s.use(op)
	if err != nil {
		return "", err
	}
	defer release()
	saved, failure := capi.SnapshotSave(native, dir, tag)
	return string(saved), nativeError(op, failure)
}

// LoadOption configures [LoadSnapshot]. Upstream has a method for each case.
type LoadOption interface{ applyToLoad(*loadOptions) }

type loadOptions struct{ unverified bool }

type loadOption func(*loadOptions)

func (o loadOption) applyToLoad(all *loadOptions) { o(all) }

// WithoutVerification loads a snapshot without reading all of it to compare its digests: a fraction of
// the time, for files that nobody can have damaged. Sizes and structure are still checked. Upstream:
// Snapshot::load.
func WithoutVerification() LoadOption {
	return loadOption(func(o *loadOptions) { o.unverified = true })
}

// LoadSnapshot reads a snapshot from a folder that [Snapshot.Save] wrote, by its tag or its digest. To
// use it, load any handler in a sandbox, and [LoadedJSSandbox.Restore] it there. The digests of all
// its files are checked; that finds damage, but not forgery, so load only what you trust. Upstream:
// Snapshot::checked_load.
//
// The snapshot's memory is mapped, not copied: until the snapshot, and all sandboxes that it was
// restored into, are closed, nobody may change, cut or delete its files, or the process may die of
// SIGBUS. Saving snapshots into the folder is fine.
//
// # Errors
//
// [ErrSnapshotNotFound] when there is no layout, tag or digest like this; [ErrSnapshotIncompatible] when it
// was saved on another kind of host, or by another version; [ErrSnapshotCorrupt]; [ErrSnapshotIO];
// [ErrInvalidArgument] for a malformed tag or digest; [ErrNoHypervisor]; and those of [New] for the
// native library.
func LoadSnapshot(dir, reference string, opts ...LoadOption) (*Snapshot, error) {
	const op = "LoadSnapshot"
	var o loadOptions
	for _, opt := range opts {
		if opt == nil {
			return nil, invalidArgument(op, "an option is nil")
		}
		opt.applyToLoad(&o)
	}
	if _, err := loadLibrary(op); err != nil {
		return nil, err
	}
	native, err := capi.SnapshotLoad(dir, reference, !o.unverified)
	if err != nil {
		return nil, nativeError(op, err)
	}
	return newSnapshot(native), nil
}
