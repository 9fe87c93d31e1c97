package parity_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// snapshotFiles is what the tests of snapshots on disk have in common.
type snapshotFiles struct {
	snapshot *hyperlight.Snapshot        // of a fresh sandbox
	pristine string                      // a layout with it, tagged "latest"
	target   *hyperlight.LoadedJSSandbox // where loaded snapshots are tried
}

// TestSnapshotFileTests is hyperlight-host's src/sandbox/snapshot/file_tests.rs, with a JavaScript guest.
// Where upstream makes a sandbox of a snapshot, which hyperlight-js cannot, a snapshot is restored.
func TestSnapshotFileTests(t *testing.T) {
	f := snapshotFiles{
		pristine: filepath.Join(t.TempDir(), "pristine"),
		target:   loadHandler(t, `function handler() { return "mine"; }`),
	}
	f.snapshot = takeSnapshot(t, loadHandler(t, adder))
	_, err := f.snapshot.Save(f.pristine, "latest")
	require.NoError(t, err)

	f.testRoundTrips(t)
	f.testSaves(t)
	f.testLineage(t)
	f.testReferences(t)
	f.testHostFunctions(t)
	f.testAccepted(t)
	f.testRejected(t)
	f.testOutsideOfALayout(t)
}

// saved is a layout of its own with the fresh snapshot, tagged "latest".
func (f snapshotFiles) saved(t *testing.T) ociLayout {
	t.Helper()
	l := f.empty(t)
	require.NoError(t, os.CopyFS(l.path, os.DirFS(f.pristine)))
	return l
}

// empty is a place for a layout that does not exist yet.
func (f snapshotFiles) empty(t *testing.T) ociLayout {
	t.Helper()
	return ociLayout{t, filepath.Join(t.TempDir(), "snap")}
}

// sum restores a snapshot and asks for the sum.
func (f snapshotFiles) sum(t *testing.T, snapshot *hyperlight.Snapshot) string {
	t.Helper()
	restore(t, f.target, snapshot)
	return handle(t, f.target, "handler", "0")
}

// add restores a snapshot, adds a number and takes the next one.
func (f snapshotFiles) add(t *testing.T, snapshot *hyperlight.Snapshot, number string) *hyperlight.Snapshot {
	t.Helper()
	restore(t, f.target, snapshot)
	handle(t, f.target, "handler", number)
	return takeSnapshot(t, f.target)
}

func (f snapshotFiles) testRoundTrips(t *testing.T) {
	t.Run("from_snapshot_already_initialized_in_memory", func(t *testing.T) {
		assert.Equal(t, "0", f.sum(t, f.snapshot))
	})

	t.Run("round_trip_save_load_call", func(t *testing.T) {
		l := f.empty(t)
		l.save(f.snapshot, "latest")
		assert.Equal(t, "0", f.sum(t, l.load("latest")))
	})

	t.Run("load_round_trips", func(t *testing.T) {
		l := f.saved(t)
		assert.Equal(t, "0", f.sum(t, l.load("latest", hyperlight.WithoutVerification())))
	})

	// What these compare cannot be seen from outside, but is in the config: it has to survive a second trip.
	for _, test := range []struct {
		name   string
		values func(config object) []any
	}{
		{"snapshot_and_pt_size_round_trip", func(config object) []any {
			layout := config["layout"].(object)
			return []any{layout["snapshot_size"], layout["pt_size"]}
		}},
		{"snapshot_generation_round_trip", func(config object) []any { return []any{config["snapshot_generation"]} }},
		{"msrs_round_trip_via_disk", func(config object) []any { return config["msrs"].([]any) }},
		{"round_trip_preserves_stack_top_gva", func(config object) []any { return []any{config["stack_top_gva"]} }},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, again := f.saved(t), f.empty(t)
			again.save(l.load("latest"), "latest")
			require.NotEmpty(t, test.values(l.config()))
			assert.Equal(t, test.values(l.config()), test.values(again.config()))
		})
	}

	t.Run("round_trip_preserves_non_default_scratch_size", func(t *testing.T) {
		const scratch = 2560 << 10
		l := f.empty(t)
		l.save(takeSnapshot(t, loadHandler(t, adder, hyperlight.WithScratchSize(scratch))), "latest")
		assert.Equal(t, scratch, l.load("latest").Config().ScratchSize)
	})

	t.Run("persisted_non_default_layout_loads_and_runs", func(t *testing.T) {
		want := hyperlight.Config{
			InputBufferSize: 0x8000, OutputBufferSize: 0x8000, HeapSize: 0x600_000, ScratchSize: 0x800_000,
		}
		source := loadHandler(t, `
			let sum = 0;
			function handler(event) {
				if (event.echo) return event.echo;
				if (event.fill) return new Uint8Array(event.fill).fill(1).length;
				return sum += event.add;
			}`,
			hyperlight.WithInputBufferSize(want.InputBufferSize), hyperlight.WithOutputBufferSize(want.OutputBufferSize),
			hyperlight.WithHeapSize(want.HeapSize), hyperlight.WithScratchSize(want.ScratchSize))
		assert.Equal(t, "42", handle(t, source, "handler", `{"add":42}`))
		l := f.empty(t)
		l.save(takeSnapshot(t, source), "latest")

		loaded := l.load("latest")
		assert.Equal(t, want, loaded.Config())
		restore(t, f.target, loaded)
		assert.Equal(t, "42", handle(t, f.target, "handler", `{"add":0}`))
		large := `"` + strings.Repeat("x", 0x5000) + `"`
		assert.Equal(t, large, handle(t, f.target, "handler", `{"echo":`+large+`}`))
		assert.Equal(t, "1048576", handle(t, f.target, "handler", `{"fill":1048576}`))
	})

	t.Run("snapshot_config_records_entrypoint_and_sregs", func(t *testing.T) {
		config := f.saved(t).config()
		assert.Positive(t, number(config["entrypoint_addr"]))
		assert.NotEmpty(t, config["sregs"].(object))
	})

	t.Run("cow_does_not_mutate_backing_file", func(t *testing.T) {
		l := f.saved(t)
		before := l.blobs()
		f.add(t, l.load("latest"), "99")
		assert.Equal(t, before, l.blobs())
	})

	t.Run("from_snapshot_silently_ignores_layout_overrides", func(t *testing.T) {
		want := f.snapshot.Config()
		double := loadHandler(t, adder, hyperlight.WithInputBufferSize(2*want.InputBufferSize),
			hyperlight.WithOutputBufferSize(2*want.OutputBufferSize), hyperlight.WithHeapSize(2*want.HeapSize),
			hyperlight.WithScratchSize(2*want.ScratchSize))
		restore(t, double, f.snapshot)
		assert.Equal(t, "0", handle(t, double, "handler", "0"))
		assert.Equal(t, want, takeSnapshot(t, double).Config())
	})
}

func (f snapshotFiles) testSaves(t *testing.T) {
	t.Run("save_self_heals_same_length_wrong_content_snapshot_blob", func(t *testing.T) {
		l := f.saved(t)
		l.write(l.memoryPath(), bytes.Repeat([]byte{0xaa}, len(l.read(l.memoryPath()))))
		l.save(f.snapshot, "latest")
		assert.Equal(t, "0", f.sum(t, l.load("latest")))
	})

	t.Run("save_appends_into_existing_layout_with_new_tag", func(t *testing.T) {
		l := f.empty(t)
		l.save(f.snapshot, "a")
		l.save(f.add(t, f.snapshot, "1"), "b")
		assert.Equal(t, "0", f.sum(t, l.load("a")))
		assert.Equal(t, "1", f.sum(t, l.load("b")))
		assert.ElementsMatch(t, []string{"a", "b"}, l.tags())
		for _, descriptor := range l.index()["manifests"].([]any) {
			annotations := descriptor.(object)["annotations"].(object)
			assert.Equal(t, "x86_64", annotations["dev.hyperlight.snapshot.arch"])
			assert.Contains(t, []string{"kvm", "mshv"}, annotations["dev.hyperlight.snapshot.hypervisor"])
			assert.NotEmpty(t, annotations["dev.hyperlight.snapshot.cpu.vendor"])
		}
	})

	t.Run("save_replaces_descriptor_for_same_tag", func(t *testing.T) {
		l := f.saved(t)
		l.save(f.add(t, f.snapshot, "2"), "latest")
		assert.Equal(t, "2", f.sum(t, l.load("latest")))
		assert.Equal(t, []string{"latest"}, l.tags())
	})

	t.Run("save_replace_in_middle_preserves_other_tags", func(t *testing.T) {
		l := f.empty(t)
		second := f.add(t, f.snapshot, "1")
		third := f.add(t, second, "1")
		l.save(f.snapshot, "a")
		l.save(second, "b")
		l.save(third, "c")
		l.save(f.add(t, third, "1"), "b")
		assert.ElementsMatch(t, []string{"a", "b", "c"}, l.tags())
		assert.Equal(t, "3", f.sum(t, l.load("b")))
	})

	t.Run("save_into_empty_existing_directory", func(t *testing.T) {
		l := ociLayout{t, t.TempDir()}
		l.save(f.snapshot, "latest")
		assert.NoError(t, l.load("latest").Close())
		assert.FileExists(t, l.file("oci-layout"))
		assert.FileExists(t, l.file("index.json"))
	})

	t.Run("save_preserves_unrelated_files_in_layout_dir", func(t *testing.T) {
		l := ociLayout{t, t.TempDir()}
		l.write(l.file("README.md"), []byte("keep me"))
		l.save(f.snapshot, "latest")
		assert.Equal(t, "keep me", string(l.read(l.file("README.md"))))
	})

	t.Run("save_same_tag_same_content_is_idempotent", func(t *testing.T) {
		l := f.saved(t)
		before := l.blobs()
		l.save(f.snapshot, "latest")
		assert.Equal(t, before, l.blobs())
		assert.Equal(t, []string{"latest"}, l.tags())
	})

	t.Run("save_shares_blobs_across_tags_with_identical_content", func(t *testing.T) {
		l := f.empty(t)
		l.save(f.snapshot, "a")
		l.save(f.snapshot, "b")
		assert.Len(t, l.blobs(), 3)
	})

	t.Run("save_new_tag_into_loaded_layout_preserves_live_mapping", func(t *testing.T) {
		l := f.empty(t)
		l.save(f.snapshot, "a")
		live := l.load("a")
		before := l.blobs()
		l.save(f.add(t, f.snapshot, "42"), "b")
		after := l.blobs()
		for name, content := range before {
			assert.Equal(t, content, after[name])
		}
		assert.Equal(t, "7", f.sum(t, f.add(t, live, "7")))
		assert.Equal(t, "0", f.sum(t, live))
		assert.Equal(t, "0", f.sum(t, l.load("a")))
		assert.Equal(t, "42", f.sum(t, l.load("b")))
	})

	t.Run("save_replaces_symlink_snapshot_blob_with_regular_file", func(t *testing.T) {
		l := f.saved(t)
		moveBehindLink(t, l.memoryPath())
		l.save(f.snapshot, "latest")
		info, err := os.Lstat(l.memoryPath())
		require.NoError(t, err)
		assert.True(t, info.Mode().IsRegular())
		assert.Equal(t, "0", f.sum(t, l.load("latest")))
	})

	t.Run("save_writes_oci_layout_marker", func(t *testing.T) {
		l := f.saved(t)
		assert.Equal(t, object{"imageLayoutVersion": "1.0.0"}, l.readObject(l.file("oci-layout")))
	})

	t.Run("manifest_descriptor_carries_ref_name_annotation", func(t *testing.T) {
		l := f.empty(t)
		l.save(f.snapshot, "production-v3")
		assert.Equal(t, []string{"production-v3"}, l.tags())
	})

	t.Run("manifest_descriptor_uses_image_manifest_media_type", func(t *testing.T) {
		descriptor := first(f.saved(t).index()["manifests"])
		assert.Equal(t, "application/vnd.oci.image.manifest.v1+json", descriptor["mediaType"])
	})

	t.Run("manifest_uses_correct_config_and_layer_media_types", func(t *testing.T) {
		manifest := f.saved(t).manifest()
		const config = "application/vnd.hyperlight.snapshot.config.v1+json"
		assert.Equal(t, config, manifest["config"].(object)["mediaType"])
		assert.Len(t, manifest["layers"], 1)
		assert.Equal(t, "application/vnd.hyperlight.snapshot.memory.v1", first(manifest["layers"])["mediaType"])
		assert.Equal(t, config, manifest["artifactType"])
	})
}

func moveBehindLink(t *testing.T, path string) {
	t.Helper()
	require.NoError(t, os.Rename(path, path+".real"))
	require.NoError(t, os.Symlink(path+".real", path))
}

func (f snapshotFiles) testLineage(t *testing.T) {
	t.Run("restore_from_loaded_snapshot", func(t *testing.T) {
		loaded := f.saved(t).load("latest")
		assert.Equal(t, "5", f.sum(t, f.add(t, loaded, "5")))
		assert.Equal(t, "0", f.sum(t, loaded))
	})

	t.Run("restore_across_independent_oci_loads_succeeds", func(t *testing.T) {
		one, two := f.saved(t).load("latest"), f.saved(t).load("latest")
		restore(t, f.target, two)
		assert.Equal(t, "0", f.sum(t, one))
	})

	t.Run("linear_chain_restore_in_order", func(t *testing.T) {
		ten := f.add(t, f.snapshot, "10")
		thirty := f.add(t, ten, "20")
		assert.Equal(t, "0", f.sum(t, f.snapshot))
		assert.Equal(t, "10", f.sum(t, ten))
		assert.Equal(t, "30", f.sum(t, thirty))
	})

	t.Run("restore_idempotent", func(t *testing.T) {
		eleven := f.add(t, f.snapshot, "11")
		assert.Equal(t, "33", handle(t, f.target, "handler", "22"))
		assert.Equal(t, "11", f.sum(t, eleven))
		assert.Equal(t, "11", f.sum(t, eleven))
		assert.Equal(t, "12", handle(t, f.target, "handler", "1"))
	})

	t.Run("separate_oci_loads_are_mutually_restore_compatible", func(t *testing.T) {
		l := f.saved(t)
		one, two := l.load("latest"), l.load("latest")
		for _, snapshot := range []*hyperlight.Snapshot{one, two, one} {
			assert.Equal(t, "0", f.sum(t, snapshot))
		}
	})

	t.Run("oci_loaded_snapshot_supports_full_lifecycle", func(t *testing.T) {
		loaded := f.saved(t).load("latest")
		one := f.add(t, loaded, "1")
		three := f.add(t, one, "2")
		handle(t, f.target, "handler", "4")
		assert.Equal(t, "1", f.sum(t, one))
		assert.Equal(t, "3", f.sum(t, three))
		assert.Equal(t, "0", f.sum(t, loaded))

		after := takeSnapshot(t, f.target)
		assert.Equal(t, "50", handle(t, f.target, "handler", "50"))
		assert.Equal(t, "0", f.sum(t, after))
		assert.Equal(t, "3", f.sum(t, three))
	})
}

func (f snapshotFiles) testReferences(t *testing.T) {
	t.Run("save_returns_manifest_digest_that_loads", func(t *testing.T) {
		l := f.empty(t)
		digest := l.save(f.add(t, f.snapshot, "3"), "latest")
		assert.Equal(t, "3", f.sum(t, l.load(digest)))
	})

	t.Run("save_returns_digest_matching_index_manifest_descriptor", func(t *testing.T) {
		l := f.empty(t)
		digest := l.save(f.snapshot, "latest")
		assert.Equal(t, digest, first(l.index()["manifests"])["digest"])
		assert.Equal(t, digest, digestOf(l.read(l.manifestPath())))
	})

	t.Run("checked_load_by_digest_selects_correct_manifest_among_tags", func(t *testing.T) {
		l := f.empty(t)
		one := l.save(f.add(t, f.snapshot, "1"), "a")
		two := l.save(f.add(t, f.snapshot, "2"), "b")
		assert.NotEqual(t, one, two)
		assert.Equal(t, "1", f.sum(t, l.load(one)))
		assert.Equal(t, "2", f.sum(t, l.load(two)))
	})

	t.Run("checked_load_accepts_reference_value", func(t *testing.T) {
		l := f.empty(t)
		l.save(f.snapshot, "v1")
		assert.Equal(t, "0", f.sum(t, l.load("v1")))
	})

	t.Run("unknown_digest_reports_missing_manifest", func(t *testing.T) {
		l := f.saved(t)
		digest := "sha256:" + strings.Repeat("0", 64)
		_, err := hyperlight.LoadSnapshot(l.path, digest)
		refused(t, err, hyperlight.ErrSnapshotNotFound, "no manifest with digest "+digest+` in OCI layout "`+l.path+`"`)
	})

	t.Run("oci_digest_parsing_accepts_canonical_sha256", func(t *testing.T) {
		_, err := hyperlight.LoadSnapshot(f.pristine, "sha256:"+strings.Repeat("a", 64))
		assert.ErrorIs(t, err, hyperlight.ErrSnapshotNotFound)
	})

	t.Run("oci_digest_parsing_rejects_malformed_values", func(t *testing.T) {
		for _, digest := range []string{
			"sha256:" + strings.Repeat("A", 64), "sha256:deadbeef", "sha512:" + strings.Repeat("a", 128),
		} {
			_, err := hyperlight.LoadSnapshot(f.pristine, digest)
			assert.ErrorIs(t, err, hyperlight.ErrInvalidArgument, digest)
		}
	})

	t.Run("oci_reference_parsing_disambiguates_on_colon", func(t *testing.T) {
		l := f.saved(t)
		assert.NoError(t, l.load("latest").Close())
		_, err := hyperlight.LoadSnapshot(l.path, strings.Repeat("a", 64)) // A tag, since it has no colon.
		assert.ErrorContains(t, err, "no manifest tagged")
		_, err = hyperlight.LoadSnapshot(l.path, "sha256:"+strings.Repeat("a", 64))
		assert.ErrorContains(t, err, "no manifest with digest")
	})

	for name, tags := range map[string][]string{
		"empty_tag_rejected":                     {""},
		"tag_with_illegal_leading_char_rejected": {".dotleader", "-dashleader"},
		"tag_with_illegal_chars_rejected":        {"with/slash", "with space"},
		"over_long_tag_rejected":                 {strings.Repeat("a", 129)},
	} {
		t.Run(name, func(t *testing.T) {
			for _, tag := range tags {
				l := f.empty(t)
				_, err := f.snapshot.Save(l.path, tag)
				require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
				assert.NoDirExists(t, l.path)
				_, err = hyperlight.LoadSnapshot(f.pristine, tag)
				require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
			}
		})
	}
	for name, tag := range map[string]string{
		"long_tag_within_limit_accepted":            strings.Repeat("a", 128),
		"tag_with_all_valid_special_chars_accepted": "v1.2.3-rc.1_build",
	} {
		t.Run(name, func(t *testing.T) {
			l := f.empty(t)
			l.save(f.snapshot, tag)
			assert.NoError(t, l.load(tag).Close())
		})
	}

	t.Run("tag_lookup_is_case_sensitive", func(t *testing.T) {
		l := f.empty(t)
		l.save(f.snapshot, "MyTag")
		_, err := hyperlight.LoadSnapshot(l.path, "mytag")
		refused(t, err, hyperlight.ErrSnapshotNotFound,
			`no manifest tagged "mytag" in OCI layout "`+l.path+`". Available tags: ["MyTag"]`)
		assert.NoError(t, l.load("MyTag").Close())
	})

	t.Run("checked_load_unknown_tag_lists_available_tags", func(t *testing.T) {
		l := f.empty(t)
		l.save(f.snapshot, "alpha")
		_, err := hyperlight.LoadSnapshot(l.path, "missing")
		refused(t, err, hyperlight.ErrSnapshotNotFound,
			`no manifest tagged "missing" in OCI layout "`+l.path+`". Available tags: ["alpha"]`)
	})
}

// The host functions that a snapshot needs are those of hyperlight-js itself, which are the same in every
// sandbox, so these tests change what the file says.
func (f snapshotFiles) testHostFunctions(t *testing.T) {
	add := object{"function_name": "Add", "parameter_types": []any{"int", "int"}, "return_type": "int"}
	functions := func(config object) []any { return config["host_functions"].([]any) }

	t.Run("from_snapshot_accepts_matching_host_functions", func(t *testing.T) {
		l := f.saved(t)
		require.NotEmpty(t, functions(l.config()))
		assert.Equal(t, "0", f.sum(t, l.load("latest")))
	})

	t.Run("from_snapshot_rejects_missing_host_function", func(t *testing.T) {
		l := f.saved(t)
		l.rewriteConfig(func(config object) { config["host_functions"] = append(functions(config), add) })
		refused(t, f.target.Restore(t.Context(), l.load("latest")), hyperlight.ErrSnapshotMismatch,
			"Snapshot host function mismatch: missing=[Add], signature mismatches=[]")
	})

	t.Run("from_snapshot_rejects_signature_mismatch", func(t *testing.T) {
		l := f.saved(t)
		var name string
		l.rewriteConfig(func(config object) {
			changed := first(functions(config))
			changed["parameter_types"] = []any{"double", "u_int"}
			name = changed["function_name"].(string)
		})
		err := f.target.Restore(t.Context(), l.load("latest"))
		require.ErrorIs(t, err, hyperlight.ErrSnapshotMismatch)
		assert.ErrorContains(t, err, "Snapshot host function mismatch: missing=[], signature mismatches=["+name+
			": snapshot has Some([Double, UInt]) -> ")
	})

	t.Run("from_snapshot_accepts_extra_host_functions", func(t *testing.T) {
		l := f.saved(t)
		l.rewriteConfig(func(config object) { config["host_functions"] = functions(config)[1:] })
		assert.Equal(t, "0", f.sum(t, l.load("latest")))
	})

	t.Run("from_snapshot_accepts_zero_arg_host_function", func(t *testing.T) {
		l := f.saved(t)
		assert.True(t, slices.ContainsFunc(functions(l.config()), func(function any) bool {
			return len(function.(object)["parameter_types"].([]any)) == 0
		}))
		assert.Equal(t, "0", f.sum(t, l.load("latest")))
	})

	t.Run("round_trip_preserves_host_function_signatures", func(t *testing.T) {
		l, again := f.saved(t), f.empty(t)
		l.rewriteConfig(func(config object) { config["host_functions"] = append(functions(config), add) })
		again.save(l.load("latest"), "latest")
		assert.Equal(t, functions(l.config()), functions(again.config()))
	})

	t.Run("snapshot_with_no_host_functions_round_trips", func(t *testing.T) {
		l := f.saved(t)
		l.rewriteConfig(func(config object) { config["host_functions"] = []any{} })
		assert.Equal(t, "0", f.sum(t, l.load("latest", hyperlight.WithoutVerification())))
	})

	// The micro-VM gives the guest no model-specific register that a snapshot could bring along.
	t.Run("disk_snapshot_non_superset_guest_msrs_rejected", func(t *testing.T) {
		l := f.saved(t)
		l.rewriteConfig(func(config object) {
			config["msrs"] = append(config["msrs"].([]any), object{"index": 0x174, "value": 0x1234})
		})
		err := f.target.Restore(t.Context(), l.load("latest"))
		require.ErrorIs(t, err, hyperlight.ErrVMFailure)
		assert.Equal(t, hyperlight.StatusPoisoned, f.target.Status())
		assert.Equal(t, "0", f.sum(t, f.snapshot))
	})
}
