package parity_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func flip(content []byte, at int, bits byte) []byte {
	content = bytes.Clone(content)
	content[at] ^= bits
	return content
}

// testAccepted are changes of a layout that do no harm.
func (f snapshotFiles) testAccepted(t *testing.T) {
	for name, change := range map[string]func(ociLayout){
		"missing_index_media_type_accepted": func(l ociLayout) {
			l.rewriteIndex(func(index object) { delete(index, "mediaType") })
		},
		"missing_manifest_media_type_accepted": func(l ociLayout) {
			l.rewriteManifest(func(manifest object) { delete(manifest, "mediaType") })
		},
		"manifest_and_index_annotations_tolerated": func(l ociLayout) {
			l.rewriteManifest(func(manifest object) {
				manifest["annotations"] = object{
					"org.opencontainers.image.created": "2024-01-01T00:00:00Z",
					"dev.sigstore.cosign/signature":    "MEUCIQDsignature",
				}
			})
			l.rewriteIndex(func(index object) { index["annotations"] = object{refName: "v1.2.3"} })
		},
		"other_descriptor_annotations_do_not_interfere": func(l ociLayout) {
			l.rewriteIndex(func(index object) {
				annotations := first(index["manifests"])["annotations"].(object)
				annotations["dev.sigstore.cosign/signature"] = "MEUCIQDfake"
				annotations["io.example.build.id"] = "12345"
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := f.saved(t)
			change(l)
			assert.Equal(t, "0", f.sum(t, l.load("latest")))
		})
	}
}

// rejected is a change of a layout that must be found, by verified loads and by unverified ones.
type rejected struct {
	name     string
	change   func(ociLayout)
	sentinel error
	text     string // part of the message
}

// config, manifest and index make changes of one JSON object, in which digests and sizes stay right.
func config(change func(object)) func(ociLayout) {
	return func(l ociLayout) { l.rewriteConfig(change) }
}

func layoutField(name string, value func(layout, config object) any) func(ociLayout) {
	return config(func(config object) {
		layout := config["layout"].(object)
		layout[name] = value(layout, config)
	})
}

func manifest(change func(object)) func(ociLayout) {
	return func(l ociLayout) { l.rewriteManifest(change) }
}

func index(change func(object)) func(ociLayout) {
	return func(l ociLayout) { l.rewriteIndex(change) }
}

const (
	page    = 4096
	oneMiB  = 1 << 20
	base    = 0x4000 // where the guest's code begins
	another = "application/vnd.example.unknown.v1+json"
)

var rejectedConfigs = []rejected{
	{
		"arch_mismatch_rejected", config(func(c object) { c["arch"] = "aarch64" }), hyperlight.ErrSnapshotIncompatible,
		"snapshot architecture mismatch: file is Aarch64, current host is X86_64 (snapshot produced by hyperlight 0.17.0)",
	},
	{
		"load_still_validates_config_fields", config(func(c object) { c["arch"] = "aarch64" }), hyperlight.ErrSnapshotIncompatible,
		"snapshot architecture mismatch: file is Aarch64, current host is X86_64",
	},
	{
		"abi_version_mismatch_rejected", config(func(c object) { c["abi_version"] = 9999 }), hyperlight.ErrSnapshotIncompatible,
		"snapshot ABI version mismatch: file has version 9999, this build expects 2. " +
			"The snapshot must be regenerated from the guest binary (snapshot produced by hyperlight 0.17.0).",
	},
	{
		"hypervisor_mismatch_rejected", config(func(c object) {
			c["hypervisor"] = map[any]string{"kvm": "mshv", "mshv": "kvm"}[c["hypervisor"]]
		}), hyperlight.ErrSnapshotIncompatible,
		"snapshot hypervisor mismatch: file was created on ",
	},
	{
		"cpu_vendor_mismatch_rejected", config(func(c object) { c["cpu_vendor"] = "not-this-cpu-vendor" }), hyperlight.ErrSnapshotIncompatible,
		"snapshot CPU vendor mismatch: file was created on not-this-cpu-vendor but the current CPU is ",
	},
	{
		"call_snapshot_without_sregs_rejected", config(func(c object) { delete(c, "sregs") }), hyperlight.ErrSnapshotCorrupt,
		"failed to parse Hyperlight config JSON: missing field `sregs`",
	},
	{
		"snapshot_without_msrs_key_is_rejected", config(func(c object) { delete(c, "msrs") }), hyperlight.ErrSnapshotCorrupt,
		"failed to parse Hyperlight config JSON: missing field `msrs`",
	},
	{
		"snapshot_layout_snapshot_size_zero_rejected",
		layoutField("snapshot_size", func(_, _ object) any { return 0 }), hyperlight.ErrSnapshotCorrupt,
		"snapshot snapshot_size must be nonzero",
	},
	{
		"snapshot_layout_snapshot_size_unaligned_rejected",
		layoutField("snapshot_size", func(layout, _ object) any { return number(layout["snapshot_size"]) + 1 }), hyperlight.ErrSnapshotCorrupt,
		"is not a multiple of PAGE_SIZE",
	},
	{
		"snapshot_layout_snapshot_size_must_match_memory_size",
		layoutField("snapshot_size", func(_, config object) any { return number(config["memory_size"]) + page }), hyperlight.ErrSnapshotCorrupt,
		"does not equal memory_size",
	},
	{
		// The sum stays right: what the guest sees shrinks to code and half of the heap, the page tables grow.
		"snapshot_size_smaller_than_layout_rejected", config(func(c object) {
			layout, memory := c["layout"].(object), number(c["memory_size"])
			short := (number(layout["code_size"]) + number(layout["heap_size"])/2) / page * page
			layout["snapshot_size"], layout["pt_size"], layout["scratch_size"] = short, memory-short, memory+page
		}), hyperlight.ErrSnapshotCorrupt,
		"is smaller than the layout size",
	},
	{
		"snapshot_layout_pt_size_unaligned_rejected",
		layoutField("pt_size", func(layout, _ object) any { return number(layout["pt_size"]) + 1 }), hyperlight.ErrSnapshotCorrupt,
		"is not a multiple of PAGE_SIZE",
	},
	{
		"snapshot_layout_missing_pt_size_rejected", config(func(c object) {
			layout := c["layout"].(object)
			layout["snapshot_size"], layout["pt_size"] = c["memory_size"], nil
		}), hyperlight.ErrSnapshotCorrupt,
		"snapshot pt_size is missing",
	},
	{
		"snapshot_layout_zero_pt_size_rejected", config(func(c object) {
			layout := c["layout"].(object)
			layout["snapshot_size"], layout["pt_size"] = c["memory_size"], 0
		}), hyperlight.ErrSnapshotCorrupt,
		"snapshot pt_size must be nonzero",
	},
	{
		"memory_size_zero_rejected", config(func(c object) { c["memory_size"] = 0 }), hyperlight.ErrSnapshotCorrupt,
		"snapshot memory_size (0) is out of range",
	},
	{
		"memory_size_unaligned_rejected", config(func(c object) { c["memory_size"] = number(c["memory_size"]) + 1 }), hyperlight.ErrSnapshotCorrupt,
		"is not a multiple of PAGE_SIZE",
	},
	{
		"memory_size_too_large_rejected", config(func(c object) { c["memory_size"] = 16 << 30 }), hyperlight.ErrSnapshotCorrupt,
		"snapshot memory_size (17179869184) is out of range",
	},
	{
		"layout_field_too_large_rejected",
		layoutField("heap_size", func(_, _ object) any { return 64 << 30 }), hyperlight.ErrSnapshotCorrupt,
		"snapshot layout field heap_size (68719476736) exceeds maximum allowed ",
	},
	{
		"bad_init_data_permissions_rejected",
		layoutField("init_data_permissions", func(_, _ object) any { return 0x8000_0000 }), hyperlight.ErrSnapshotCorrupt,
		"snapshot init_data_permissions 0x80000000 contains unknown flag bits",
	},
	{
		"entrypoint_addr_outside_snapshot_region_rejected",
		config(func(c object) { c["entrypoint_addr"] = 0xdead_beef_0000 }), hyperlight.ErrSnapshotCorrupt,
		"snapshot entrypoint addr 0xdeadbeef0000 is outside the code region",
	},
	{
		"entrypoint_addr_below_base_address_rejected",
		config(func(c object) { c["entrypoint_addr"] = 0 }), hyperlight.ErrSnapshotCorrupt,
		"snapshot entrypoint addr 0x0 is outside the code region",
	},
	{
		"entrypoint_addr_outside_code_rejected", config(func(c object) {
			code := number(c["layout"].(object)["code_size"])
			c["entrypoint_addr"] = base + (code+page-1)/page*page
		}), hyperlight.ErrSnapshotCorrupt,
		"is outside the code region",
	},
	{
		"original_entrypoint_addr_outside_snapshot_region_rejected",
		config(func(c object) { c["original_entrypoint_addr"] = 0xdead_beef_0000 }), hyperlight.ErrSnapshotCorrupt,
		"snapshot original entrypoint addr 0xdeadbeef0000 is outside the snapshot region",
	},
	{
		"original_entrypoint_addr_zero_rejected",
		config(func(c object) { c["original_entrypoint_addr"] = 0 }), hyperlight.ErrSnapshotCorrupt,
		"snapshot original entrypoint addr 0x0 is outside the snapshot region",
	},
	{
		"stack_top_gva_zero_rejected", config(func(c object) { c["stack_top_gva"] = 0 }), hyperlight.ErrSnapshotCorrupt,
		"snapshot stack_top_gva 0x0 is outside the valid range",
	},
	{
		"stack_top_gva_out_of_range_rejected",
		config(func(c object) { c["stack_top_gva"] = json.Number("18446744073709551615") }), hyperlight.ErrSnapshotCorrupt,
		"snapshot stack_top_gva 0xffffffffffffffff is outside the valid range",
	},
	{
		"stack_top_gva_misaligned_rejected", config(func(c object) {
			top := []byte(c["stack_top_gva"].(json.Number)) // It does not fit into an int64, and ends with a multiple of 16.
			top[len(top)-1]++
			c["stack_top_gva"] = json.Number(top)
		}), hyperlight.ErrSnapshotCorrupt,
		"is not 16-byte aligned",
	},
}

var rejectedManifests = []rejected{
	{
		"wrong_manifest_media_type_rejected",
		manifest(func(m object) { m["mediaType"] = "application/vnd.oci.image.index.v1+json" }), hyperlight.ErrSnapshotCorrupt,
		"OCI manifest has unexpected media type application/vnd.oci.image.index.v1+json (expected application/vnd.oci.image.manifest.v1+json)",
	},
	{
		"wrong_manifest_schema_version_rejected", manifest(func(m object) { m["schemaVersion"] = 99 }), hyperlight.ErrSnapshotIncompatible,
		"unsupported OCI manifest schemaVersion 99 (expected 2)",
	},
	{
		"unknown_config_media_type_rejected",
		manifest(func(m object) { m["config"].(object)["mediaType"] = another }), hyperlight.ErrSnapshotIncompatible,
		`unexpected config media type "` + another + `"`,
	},
	{
		"empty_layers_rejected", manifest(func(m object) { m["layers"] = []any{} }), hyperlight.ErrSnapshotCorrupt,
		"expected exactly one OCI layer (the snapshot), found 0",
	},
	{
		"extra_layers_rejected", manifest(func(m object) { m["layers"] = append(m["layers"].([]any), m["layers"].([]any)...) }), hyperlight.ErrSnapshotCorrupt,
		"expected exactly one OCI layer (the snapshot), found 2",
	},
	{
		"unknown_snapshot_layer_media_type_rejected",
		manifest(func(m object) { first(m["layers"])["mediaType"] = another }), hyperlight.ErrSnapshotIncompatible,
		`unexpected snapshot layer media type "` + another + `"`,
	},
	{
		"config_blob_size_descriptor_mismatch_rejected", manifest(func(m object) {
			descriptor := m["config"].(object)
			descriptor["size"] = number(descriptor["size"]) + 1
		}), hyperlight.ErrSnapshotCorrupt,
		"config blob size mismatch: descriptor says ",
	},
	{
		"snapshot_descriptor_size_disagrees_with_file_rejected", manifest(func(m object) {
			descriptor := first(m["layers"])
			descriptor["size"] = number(descriptor["size"]) + 1
		}), hyperlight.ErrSnapshotCorrupt,
		"disagrees with OCI descriptor size",
	},
	{
		"manifest_missing_artifact_type_rejected", manifest(func(m object) { delete(m, "artifactType") }), hyperlight.ErrSnapshotCorrupt,
		"OCI manifest is missing required artifactType",
	},
	{
		"manifest_mismatched_artifact_type_rejected", manifest(func(m object) { m["artifactType"] = another }), hyperlight.ErrSnapshotCorrupt,
		`OCI manifest artifactType "` + another + `" does not match config media type`,
	},
	{
		"bad_config_descriptor_digest_format_rejected",
		manifest(func(m object) { m["config"].(object)["digest"] = "md5:deadbeef" }), hyperlight.ErrSnapshotCorrupt,
		`OCI descriptor digest "md5:deadbeef" is not a sha256 digest (only sha256 is supported)`,
	},
	{
		"bad_snapshot_layer_descriptor_digest_format_rejected",
		manifest(func(m object) { first(m["layers"])["digest"] = "sha256:tooshort" }), hyperlight.ErrSnapshotCorrupt,
		"failed to parse OCI manifest JSON: ",
	},
}

var rejectedIndexes = []rejected{
	{
		"wrong_index_schema_version_rejected", index(func(i object) { i["schemaVersion"] = 99 }), hyperlight.ErrSnapshotIncompatible,
		"unsupported OCI index schemaVersion 99 (expected 2)",
	},
	{
		"wrong_index_media_type_rejected",
		index(func(i object) { i["mediaType"] = "application/vnd.oci.image.manifest.v1+json" }), hyperlight.ErrSnapshotCorrupt,
		"OCI index has unexpected media type application/vnd.oci.image.manifest.v1+json (expected application/vnd.oci.image.index.v1+json)",
	},
	{
		"empty_index_rejected", index(func(i object) { i["manifests"] = []any{} }), hyperlight.ErrSnapshotNotFound,
		`no manifest tagged "latest" in OCI layout`,
	},
	{
		"checked_load_rejects_duplicate_tag_in_index",
		index(func(i object) { i["manifests"] = append(i["manifests"].([]any), i["manifests"].([]any)...) }), hyperlight.ErrSnapshotCorrupt,
		`has multiple manifests tagged "latest"; tags must be unique`,
	},
	{
		"bad_digest_format_rejected", index(func(i object) { first(i["manifests"])["digest"] = "deadbeef" }), hyperlight.ErrSnapshotCorrupt,
		"failed to parse index.json: ",
	},
	{
		"manifest_descriptor_non_image_manifest_rejected",
		index(func(i object) { first(i["manifests"])["mediaType"] = "application/vnd.oci.image.index.v1+json" }), hyperlight.ErrSnapshotCorrupt,
		"manifest descriptor for latest has unexpected media type application/vnd.oci.image.index.v1+json",
	},
	{
		"ref_name_annotation_key_is_case_sensitive", index(func(i object) {
			annotations := first(i["manifests"])["annotations"].(object)
			annotations["org.OpenContainers.image.ref.name"] = annotations[refName]
			delete(annotations, refName)
		}), hyperlight.ErrSnapshotNotFound,
		`no manifest tagged "latest" in OCI layout`,
	},
}

// Files that are missing, cut, too big, or no files at all.
var rejectedFiles = []rejected{
	{
		"missing_oci_layout_rejected", func(l ociLayout) { l.remove(l.file("oci-layout")) }, hyperlight.ErrSnapshotNotFound,
		"failed to read oci-layout: blob file ",
	},
	{
		"wrong_image_layout_version_rejected",
		func(l ociLayout) { l.write(l.file("oci-layout"), []byte(`{"imageLayoutVersion":"99.0.0"}`)) }, hyperlight.ErrSnapshotIncompatible,
		`unsupported OCI image layout version "99.0.0" (expected "1.0.0")`,
	},
	{
		"malformed_oci_layout_rejected",
		func(l ociLayout) { l.write(l.file("oci-layout"), []byte("not-valid-json{")) }, hyperlight.ErrSnapshotCorrupt,
		"oci-layout is not valid JSON: ",
	},
	{
		"oci_layout_missing_version_field_rejected",
		func(l ociLayout) { l.write(l.file("oci-layout"), []byte(`{"unrelated":"field"}`)) }, hyperlight.ErrSnapshotCorrupt,
		"oci-layout missing imageLayoutVersion field",
	},
	{
		"oci_layout_too_large_rejected", func(l ociLayout) { l.write(l.file("oci-layout"), make([]byte, oneMiB+16)) }, hyperlight.ErrSnapshotCorrupt,
		"exceeds maximum allowed 1048576 bytes",
	},
	{
		"missing_index_rejected", func(l ociLayout) { l.remove(l.file("index.json")) }, hyperlight.ErrSnapshotCorrupt,
		"failed to read index.json: blob file ",
	},
	{
		"malformed_index_json_rejected", func(l ociLayout) { l.write(l.file("index.json"), []byte("{not json")) }, hyperlight.ErrSnapshotCorrupt,
		"failed to parse index.json: ",
	},
	{
		"index_json_too_large_rejected", func(l ociLayout) { l.write(l.file("index.json"), make([]byte, oneMiB+16)) }, hyperlight.ErrSnapshotCorrupt,
		"exceeds maximum allowed 1048576 bytes",
	},
	{
		"missing_manifest_blob_rejected", func(l ociLayout) { l.remove(l.manifestPath()) }, hyperlight.ErrSnapshotCorrupt,
		" not found",
	},
	{
		"missing_config_blob_rejected", func(l ociLayout) { l.remove(l.configPath()) }, hyperlight.ErrSnapshotCorrupt,
		" not found",
	},
	{
		"missing_snapshot_blob_rejected", func(l ociLayout) { l.remove(l.memoryPath()) }, hyperlight.ErrSnapshotCorrupt,
		" not found",
	},
	{
		"snapshot_blob_size_mismatch_rejected", func(l ociLayout) {
			memory := l.read(l.memoryPath())
			l.write(l.memoryPath(), memory[:len(memory)-1])
		}, hyperlight.ErrSnapshotCorrupt,
		"snapshot blob size mismatch: file is ",
	},
	{
		"manifest_blob_too_large_rejected", func(l ociLayout) { l.replaceManifest(make([]byte, oneMiB+16)) }, hyperlight.ErrSnapshotCorrupt,
		"exceeds maximum allowed 1048576 bytes",
	},
	{
		"config_blob_too_large_rejected", func(l ociLayout) { l.replaceConfig(make([]byte, oneMiB+16)) }, hyperlight.ErrSnapshotCorrupt,
		"exceeds maximum allowed 1048576 bytes",
	},
	{
		"symlink_snapshot_blob_rejected", func(l ociLayout) { moveBehindLink(l.t, l.memoryPath()) }, hyperlight.ErrSnapshotCorrupt,
		"Too many levels of symbolic links (os error 40)",
	},
	{
		"symlink_config_blob_rejected", func(l ociLayout) { moveBehindLink(l.t, l.configPath()) }, hyperlight.ErrSnapshotCorrupt,
		"Too many levels of symbolic links (os error 40)",
	},
}

// Damage that only digests tell, and what an unverified load says instead: nothing, if text is empty.
var rejectedByDigest = []rejected{
	{
		"checked_load_rejects_snapshot_blob_byte_mutation", mutateMemory, hyperlight.ErrSnapshotCorrupt, "",
	},
	{
		"load_accepts_digest_mismatched_snapshot_blob", mutateMemory, hyperlight.ErrSnapshotCorrupt, "",
	},
	{
		"checked_load_rejects_config_blob_byte_mutation",
		func(l ociLayout) { l.write(l.configPath(), flip(l.read(l.configPath()), 0, '{'^' ')) }, hyperlight.ErrSnapshotCorrupt,
		"failed to parse Hyperlight config JSON: ",
	},
	{
		"checked_load_rejects_manifest_blob_byte_mutation",
		func(l ociLayout) { l.write(l.manifestPath(), flip(l.read(l.manifestPath()), 0, 0x20)) }, hyperlight.ErrSnapshotCorrupt,
		"failed to parse OCI manifest JSON: ",
	},
	{
		"malformed_manifest_json_rejected", func(l ociLayout) { l.replaceManifest([]byte("{not json")) }, hyperlight.ErrSnapshotCorrupt,
		"failed to parse OCI manifest JSON: ",
	},
	{
		"malformed_config_json_rejected", func(l ociLayout) { l.replaceConfig([]byte("{not json")) }, hyperlight.ErrSnapshotCorrupt,
		"failed to parse Hyperlight config JSON: ",
	},
}

func mutateMemory(l ociLayout) {
	memory := l.read(l.memoryPath())
	l.write(l.memoryPath(), flip(memory, len(memory)/2, 0xff))
}

func (l ociLayout) remove(path string) {
	l.t.Helper()
	require.NoError(l.t, os.Remove(path))
}

// replaceManifest replaces its content, and the size in the index, but not the digest.
func (l ociLayout) replaceManifest(content []byte) {
	l.t.Helper()
	l.write(l.manifestPath(), content)
	l.rewriteIndex(func(index object) { first(index["manifests"])["size"] = len(content) })
}

// replaceConfig replaces its content, and the size in the manifest, but not the digest.
func (l ociLayout) replaceConfig(content []byte) {
	l.t.Helper()
	l.write(l.configPath(), content)
	l.rewriteManifest(func(manifest object) { manifest["config"].(object)["size"] = len(content) })
}

func (f snapshotFiles) testRejected(t *testing.T) {
	for _, table := range [][]rejected{rejectedConfigs, rejectedManifests, rejectedIndexes, rejectedFiles} {
		for _, test := range table {
			t.Run(test.name, func(t *testing.T) {
				l := f.saved(t)
				test.change(l)
				for _, opts := range [][]hyperlight.LoadOption{nil, {hyperlight.WithoutVerification()}} {
					_, err := hyperlight.LoadSnapshot(l.path, "latest", opts...)
					require.ErrorIs(t, err, test.sentinel)
					require.ErrorContains(t, err, test.text)
				}
			})
		}
	}
	for _, test := range rejectedByDigest {
		t.Run(test.name, func(t *testing.T) {
			l := f.saved(t)
			test.change(l)
			_, err := hyperlight.LoadSnapshot(l.path, "latest")
			require.ErrorIs(t, err, test.sentinel)
			require.ErrorContains(t, err, " blob digest mismatch: descriptor declares sha256:")
			unverified, err := hyperlight.LoadSnapshot(l.path, "latest", hyperlight.WithoutVerification())
			if test.text == "" {
				require.NoError(t, err)
				require.NoError(t, unverified.Close())
				return
			}
			require.ErrorIs(t, err, test.sentinel)
			require.ErrorContains(t, err, test.text)
		})
	}
}

// testOutsideOfALayout is about folders that are no layouts, and about layouts that cannot take more.
func (f snapshotFiles) testOutsideOfALayout(t *testing.T) {
	t.Run("checked_load_nonexistent_path_returns_error", func(t *testing.T) {
		_, err := hyperlight.LoadSnapshot("/nonexistent/path/to/oci", "latest")
		refused(t, err, hyperlight.ErrSnapshotNotFound,
			`load failed to stat "/nonexistent/path/to/oci": No such file or directory (os error 2)`)
	})

	t.Run("checked_load_file_not_directory_rejected", func(t *testing.T) {
		l := f.empty(t)
		l.write(l.path, []byte("hello"))
		_, err := hyperlight.LoadSnapshot(l.path, "latest")
		refused(t, err, hyperlight.ErrSnapshotNotFound, `load path "`+l.path+`" is not a directory`)
	})

	t.Run("save_requires_parent_dir_to_exist", func(t *testing.T) {
		missing := f.empty(t).path
		_, err := f.snapshot.Save(missing+"/store", "latest")
		refused(t, err, hyperlight.ErrSnapshotIO,
			`save: parent directory "`+missing+`" not accessible: No such file or directory (os error 2)`)
		assert.NoDirExists(t, missing)
	})

	t.Run("save_rejects_regular_file_at_path", func(t *testing.T) {
		l := f.empty(t)
		l.write(l.path, []byte("i am a file"))
		_, err := f.snapshot.Save(l.path, "latest")
		refused(t, err, hyperlight.ErrSnapshotIO, `save: "`+l.path+`" exists and is not a directory`)
		assert.Equal(t, "i am a file", string(l.read(l.path)))
	})

	for name, test := range map[string]struct {
		marker   string
		sentinel error
		text     string
	}{
		"save_rejects_unsupported_existing_layout_version": {
			`{"imageLayoutVersion":"99.0.0"}`, hyperlight.ErrSnapshotIncompatible,
			`save: existing imageLayoutVersion "99.0.0" is unsupported (expected "1.0.0")`,
		},
		"save_rejects_malformed_existing_oci_layout_json": {
			"not json", hyperlight.ErrSnapshotCorrupt,
			"save: existing oci-layout is not valid JSON: expected ident at line 1 column 2",
		},
		"save_rejects_existing_oci_layout_missing_version": {
			`{"other":"field"}`, hyperlight.ErrSnapshotCorrupt,
			"save: existing oci-layout is missing imageLayoutVersion",
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := ociLayout{t, t.TempDir()}
			l.write(l.file("oci-layout"), []byte(test.marker))
			_, err := f.snapshot.Save(l.path, "latest")
			refused(t, err, test.sentinel, test.text)
			assert.NoFileExists(t, l.file("index.json"))
		})
	}

	t.Run("save_rejects_malformed_existing_index_json", func(t *testing.T) {
		l := ociLayout{t, t.TempDir()}
		l.write(l.file("oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`))
		l.write(l.file("index.json"), []byte("{not valid json"))
		_, err := f.snapshot.Save(l.path, "latest")
		refused(t, err, hyperlight.ErrSnapshotCorrupt,
			"save: existing index.json is not a valid OCI image index: key must be a string at line 1 column 2")
		assert.Equal(t, "{not valid json", string(l.read(l.file("index.json"))))
	})

	t.Run("index_json_too_large_on_write_rejected", func(t *testing.T) {
		l := f.empty(t)
		l.save(f.snapshot, "keep")
		fill := func(bytes int) {
			l.rewriteIndex(func(index object) {
				annotations := first(index["manifests"])["annotations"].(object)
				annotations["dev.hyperlight.test.filler"] = strings.Repeat("a", bytes)
			})
		}
		fill(0)
		fill(oneMiB - 50 - len(l.read(l.file("index.json"))))
		before := l.read(l.file("index.json"))
		require.Len(t, before, oneMiB-50, "it can still be read")
		_, err := f.snapshot.Save(l.path, "latest")
		require.ErrorIs(t, err, hyperlight.ErrSnapshotIO)
		require.ErrorContains(t, err, "bytes exceeds the 1048576 byte maximum for a snapshot artifact")
		assert.Equal(t, before, l.read(l.file("index.json")))
	})
}
