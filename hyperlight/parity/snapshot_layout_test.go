package parity_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

func takeSnapshot(t *testing.T, loaded *hyperlight.LoadedJSSandbox) *hyperlight.Snapshot {
	t.Helper()
	snapshot, err := loaded.Snapshot(t.Context())
	require.NoError(t, err)
	closeWith(t, snapshot)
	return snapshot
}

func restore(t *testing.T, loaded *hyperlight.LoadedJSSandbox, snapshot *hyperlight.Snapshot) {
	t.Helper()
	require.NoError(t, loaded.Restore(t.Context(), snapshot))
	assert.Equal(t, hyperlight.StatusReady, loaded.Status())
}

// adder stands in for the static variable of upstream's test guest: an event is added to it, and 0 reads it.
const adder = `
	let sum = 0;
	function handler(event) { return sum += event; }`

// object is a JSON object. Its numbers are json.Number, which keep all 64 bits.
type object = map[string]any

// ociLayout is a folder that Save wrote, to be looked into and damaged. Its methods take the first
// snapshot in it.
type ociLayout struct {
	t    *testing.T
	path string
}

const refName = "org.opencontainers.image.ref.name"

func (l ociLayout) file(elements ...string) string {
	return filepath.Join(append([]string{l.path}, elements...)...)
}

func (l ociLayout) blob(digest any) string {
	l.t.Helper()
	name, ok := strings.CutPrefix(digest.(string), "sha256:")
	require.True(l.t, ok, digest)
	return l.file("blobs", "sha256", name)
}

func (l ociLayout) read(path string) []byte {
	l.t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(l.t, err)
	return content
}

func (l ociLayout) write(path string, content []byte) {
	l.t.Helper()
	require.NoError(l.t, os.WriteFile(path, content, 0o666))
}

func (l ociLayout) readObject(path string) (result object) {
	l.t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(l.read(path)))
	decoder.UseNumber()
	require.NoError(l.t, decoder.Decode(&result))
	return result
}

func (l ociLayout) index() object         { return l.readObject(l.file("index.json")) }
func (l ociLayout) manifestPath() string  { return l.blob(first(l.index()["manifests"])["digest"]) }
func (l ociLayout) manifest() object      { return l.readObject(l.manifestPath()) }
func (l ociLayout) configPath() string    { return l.blob(l.manifest()["config"].(object)["digest"]) }
func (l ociLayout) config() object        { return l.readObject(l.configPath()) }
func (l ociLayout) memoryPath() string    { return l.blob(first(l.manifest()["layers"])["digest"]) }
func (l ociLayout) tags() (tags []string) { return tagsOf(l.index()) }

func tagsOf(index object) (tags []string) {
	for _, descriptor := range index["manifests"].([]any) {
		tags = append(tags, descriptor.(object)["annotations"].(object)[refName].(string))
	}
	return tags
}

func first(list any) object { return list.([]any)[0].(object) }

// number is a number of a JSON object.
func number(value any) int64 {
	result, err := value.(json.Number).Int64()
	if err != nil {
		panic(err)
	}
	return result
}

// rewriteConfig changes the config, and the manifest and the index with it, so that all digests and sizes
// fit.
func (l ociLayout) rewriteConfig(change func(object)) {
	l.t.Helper()
	config := l.config()
	change(config)
	l.rewriteManifest(func(manifest object) {
		manifest["config"].(object)["digest"], manifest["config"].(object)["size"] = l.add(config)
	})
}

// rewriteManifest changes the manifest, and the index with it.
func (l ociLayout) rewriteManifest(change func(object)) {
	l.t.Helper()
	manifest := l.manifest()
	change(manifest)
	l.rewriteIndex(func(index object) {
		descriptor := first(index["manifests"])
		descriptor["digest"], descriptor["size"] = l.add(manifest)
	})
}

func (l ociLayout) rewriteIndex(change func(object)) {
	l.t.Helper()
	index := l.index()
	change(index)
	l.write(l.file("index.json"), l.encode(index))
}

// add adds a blob, and returns what a descriptor says of it.
func (l ociLayout) add(content object) (digest string, size int) {
	l.t.Helper()
	encoded := l.encode(content)
	sum := sha256.Sum256(encoded)
	digest = "sha256:" + hex.EncodeToString(sum[:])
	l.write(l.blob(digest), encoded)
	return digest, len(encoded)
}

func (l ociLayout) encode(content object) []byte {
	l.t.Helper()
	encoded, err := json.MarshalIndent(content, "", "  ")
	require.NoError(l.t, err)
	return encoded
}

// blobs are the contents of all blobs.
func (l ociLayout) blobs() map[string]string {
	l.t.Helper()
	result := map[string]string{}
	entries, err := os.ReadDir(l.file("blobs", "sha256"))
	require.NoError(l.t, err)
	for _, entry := range entries {
		result[entry.Name()] = string(l.read(l.file("blobs", "sha256", entry.Name())))
	}
	return result
}

func (l ociLayout) save(snapshot *hyperlight.Snapshot, tag string) (digest string) {
	l.t.Helper()
	digest, err := snapshot.Save(l.path, tag)
	require.NoError(l.t, err)
	return digest
}

// load is upstream's checked_load, or its load.
func (l ociLayout) load(reference string, opts ...hyperlight.LoadOption) *hyperlight.Snapshot {
	l.t.Helper()
	snapshot, err := hyperlight.LoadSnapshot(l.path, reference, opts...)
	require.NoError(l.t, err)
	closeWith(l.t, snapshot)
	return snapshot
}
