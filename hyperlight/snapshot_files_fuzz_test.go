package hyperlight_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// A layout of a snapshot that is as small as can be. FuzzLoadSnapshot puts the digests and lengths of what
// it writes, and what this host is, where these files have @.
const (
	smallPages  = 9
	smallMarker = `{"imageLayoutVersion":"1.0.0"}`
	smallIndex  = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json",` +
		`"digest":"sha256:@manifest","size":@len-manifest,"annotations":{"org.opencontainers.image.ref.name":"v1"}}]}`
	smallManifest = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/vnd.hyperlight.snapshot.config.v1+json",` +
		`"config":{"mediaType":"application/vnd.hyperlight.snapshot.config.v1+json","digest":"sha256:@config","size":@len-config},` +
		`"layers":[{"mediaType":"application/vnd.hyperlight.snapshot.memory.v1","digest":"sha256:@memory","size":@len-memory}]}`
	segment     = `{"base":0,"limit":4095,"selector":8,"type_":10,"present":1,"dpl":0,"db":0,"s":1,"l":1,"g":0,"avl":0,"unusable":0,"padding":0}`
	smallConfig = `{"hyperlight_version":"0.17.0","arch":"x86_64","abi_version":2,"hypervisor":"@hypervisor","cpu_vendor":"@vendor","stack_top_gva":18446742974197923840,` +
		`"entrypoint_addr":16384,"original_entrypoint_addr":16384,"sregs":{"cs":` + segment + `,"ds":` + segment + `,"es":` + segment + `,"fs":` + segment + `,"gs":` + segment +
		`,"ss":` + segment + `,"tr":` + segment + `,"ldt":` + segment + `,"gdt":{"base":0,"limit":39},"idt":{"base":0,"limit":4095},"cr0":2147811379,"cr2":0,"cr4":1568,"cr8":0,` +
		`"efer":3329,"apic_base":0,"interrupt_bitmap":[0,0,0,0]},"msrs":[{"index":16,"value":1}],"layout":{"input_data_size":8192,"output_data_size":8192,"heap_size":4096,` +
		`"code_size":4096,"init_data_size":0,"init_data_permissions":null,"scratch_size":1048576,"snapshot_size":32768,"pt_size":4096},"memory_size":36864,` +
		`"host_functions":[{"function_name":"HostPrint","parameter_types":["string"],"return_type":"int"}],"snapshot_generation":1}`
)

// Whatever is in a snapshot's files, this process lives: they are refused with a reason that is known, or are a snapshot
// of bounded sizes. With verification, no changed bit gets in.
func FuzzLoadSnapshot(f *testing.F) {
	const marker, pages = smallMarker, smallPages
	f.Add("v1", marker, smallIndex, smallManifest, smallConfig, uint8(pages), uint16(0))
	f.Add("v1", marker, smallIndex, smallManifest, smallConfig, uint8(pages-1), uint16(7))
	f.Add("sha256:"+strings.Repeat("0", 64), marker, smallIndex, smallManifest, smallConfig, uint8(pages), uint16(1))
	f.Add("", "", "", "", "", uint8(0), uint16(0))
	for _, change := range [][2]string{
		{`"heap_size":4096`, `"heap_size":17179869184`}, {`"heap_size":4096`, `"heap_size":18446744073709551615`}, {`"heap_size":4096`, `"heap_size":0`},
		{`"scratch_size":1048576`, `"scratch_size":17179869184`}, {`"scratch_size":1048576`, `"scratch_size":1`},
		{`"input_data_size":8192`, `"input_data_size":17179869184`}, {`"output_data_size":8192`, `"output_data_size":0`},
		{`"memory_size":36864`, `"memory_size":18446744073709547520`}, {`"pt_size":4096`, `"pt_size":null`},
		{`"snapshot_size":32768`, `"snapshot_size":0`}, {`"snapshot_size":32768,"pt_size":4096`, `"snapshot_size":4096,"pt_size":32768`},
		{`"code_size":4096`, `"code_size":17179869184`}, {`"init_data_permissions":null`, `"init_data_permissions":255`},
		{`"stack_top_gva":18446742974197923840`, `"stack_top_gva":18446744073709551600`}, {`"entrypoint_addr":16384`, `"entrypoint_addr":18446744073709551615`},
		{`"hypervisor":"@hypervisor"`, `"hypervisor":"whp"`}, {`"arch":"x86_64"`, `"arch":"aarch64"`}, {`"abi_version":2`, `"abi_version":3`}, {`"msrs":[`, `"msrs":[` + strings.Repeat(" ", 1000)},
	} {
		require.Contains(f, smallConfig, change[0])
		f.Add("v1", marker, smallIndex, smallManifest, strings.Replace(smallConfig, change[0], change[1], 1), uint8(pages), uint16(0))
	}
	for _, change := range [][2]string{
		{"sha256:@memory", "sha256:../../secret"}, {"sha256:@memory", "sha256:@config"}, {"sha256:@config", "sha512:@config"},
		{"@len-memory", "18446744073709551616"}, {"@len-memory", "-1"}, {"@len-config", "0"}, {"@len-config", "1e9"}, {`"layers":[`, `"layers":[[],`},
	} {
		require.Contains(f, smallManifest, change[0])
		f.Add("v1", marker, smallIndex, strings.Replace(smallManifest, change[0], change[1], 1), smallConfig, uint8(pages), uint16(0))
	}
	for _, index := range []string{
		"{}", "[]", `{"manifests":[]}`, strings.Repeat("[", 200), strings.Replace(smallIndex, "@manifest", "../../../index.json", 1),
		strings.Replace(smallIndex, `"v1"`, `"v2"`, 1), strings.Replace(smallIndex, "@len-manifest", "9999999999", 1), strings.Replace(smallIndex, "index.v1", "index.v2", 1),
	} {
		f.Add("v1", marker, index, smallManifest, smallConfig, uint8(pages), uint16(0))
	}
	f.Fuzz(func(t *testing.T, reference, marker, index, manifest, config string, pages uint8, flip uint16) {
		dir, files := writeLayout(t, marker, index, manifest, config, int(pages%64))
		unverified := loadsBounded(t, dir, reference, hyperlight.WithoutVerification())
		if !loadsBounded(t, dir, reference) {
			return
		}
		require.True(t, unverified, "verification makes nothing loadable")
		for content, file := range files {
			changed := []byte(content)
			changed[int(flip)%len(changed)] ^= 1 << (flip % 8)
			require.NoError(t, os.WriteFile(file, changed, 0o666))
			_, err := hyperlight.LoadSnapshot(dir, reference)
			require.ErrorIs(t, err, hyperlight.ErrSnapshotCorrupt, file)
			require.NoError(t, os.WriteFile(file, []byte(content), 0o666))
		}
	})
}

// loadsBounded loads a snapshot that anybody may have written.
func loadsBounded(t *testing.T, dir, reference string, opts ...hyperlight.LoadOption) bool {
	t.Helper()
	snapshot, err := hyperlight.LoadSnapshot(dir, reference, opts...)
	if err != nil {
		for _, known := range []error{
			hyperlight.ErrSnapshotCorrupt, hyperlight.ErrSnapshotIncompatible, hyperlight.ErrSnapshotNotFound, hyperlight.ErrInvalidArgument,
		} {
			if errors.Is(err, known) {
				return false
			}
		}
		require.NoError(t, err, "a reason that is not known")
	}
	const most = 16 << 30 // as upstream's largest memory
	sizes := snapshot.Config()
	for _, size := range []int64{int64(sizes.HeapSize), int64(sizes.ScratchSize), int64(sizes.InputBufferSize), int64(sizes.OutputBufferSize), snapshot.Size()} {
		require.True(t, 0 <= size && size <= most, "%+v, %d bytes", sizes, snapshot.Size())
	}
	require.NoError(t, snapshot.Close())
	return true
}

// writeLayout makes a layout of one snapshot; files are those that have digests, by their contents.
func writeLayout(t *testing.T, marker, index, manifest, config string, pages int) (dir string, files map[string]string) {
	t.Helper()
	dir, files = t.TempDir(), map[string]string{}
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "blobs", "sha256"), 0o777))
	write := func(content string, name ...string) string {
		file := filepath.Join(append([]string{dir}, name...)...)
		require.NoError(t, os.WriteFile(file, []byte(content), 0o666))
		return file
	}
	blob := func(content string) (digest string) {
		digest = fmt.Sprintf("%x", sha256.Sum256([]byte(content)))
		files[content] = write(content, "blobs", "sha256", digest)
		return digest
	}
	hypervisor, vendor := host(t)
	memory := strings.Repeat("*", pages*4096)
	config = strings.NewReplacer("@vendor", vendor, "@hypervisor", hypervisor).Replace(config)
	manifest = strings.NewReplacer("@memory", blob(memory), "@len-memory", fmt.Sprint(len(memory)),
		"@config", blob(config), "@len-config", fmt.Sprint(len(config))).Replace(manifest)
	write(strings.NewReplacer("@manifest", blob(manifest), "@len-manifest", fmt.Sprint(len(manifest))).Replace(index), "index.json")
	write(marker, "oci-layout")
	return dir, files
}

// host is what upstream calls this host's hypervisor and CPU.
func host(t *testing.T) (hypervisor, vendor string) {
	t.Helper()
	hypervisor = "kvm"
	if _, err := os.Stat("/dev/mshv"); err == nil {
		hypervisor = "mshv"
	}
	text, err := os.ReadFile("/proc/cpuinfo")
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(text), "vendor_id")
	line, _, _ := strings.Cut(rest, "\n")
	return hypervisor, strings.Trim(line, "\t :")
}

// FuzzLoadSnapshot begins with a snapshot that can be loaded.
func TestSmallestSnapshot(t *testing.T) {
	dir, _ := writeLayout(t, smallMarker, smallIndex, smallManifest, smallConfig, smallPages)
	for name, opts := range bothWays {
		t.Run(name, func(t *testing.T) {
			want := hyperlight.Config{HeapSize: 4096, ScratchSize: 1 << 20, InputBufferSize: 8192, OutputBufferSize: 8192}
			assert.Equal(t, want, loadSnapshot(t, dir, "v1", opts...).Config())
		})
	}
}
