package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

func TestParseDepends(t *testing.T) {
	for info, want := range map[string][]string{
		"license=GPL\x00depends=kvm,ccp\x00name=kvm_amd\x00": {"kvm", "ccp"},
		"depends=\x00name=kvm\x00":                           nil,
		"name=kvm\x00":                                       nil,
		"":                                                   nil,
	} {
		if got := parseDepends([]byte(info)); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", info, got, want)
		}
	}
}

func testKernel(t *testing.T) *kernel {
	t.Helper()
	cfg, _, err := parseConfig([]string{"true"})
	if err != nil {
		t.Fatal(err)
	}
	k, err := findKernel(cfg.kernel, cfg.cache)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestModulesComeAfterWhatTheyNeed(t *testing.T) {
	k := testKernel(t)
	modules, err := k.load("kvm-amd", "virtio_pci", "no-such-module")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range modules {
		depends, err := moduleDepends(m.image)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range depends {
			// What is not there is built in.
			if k.modules[moduleName(name)] != "" && !slices.Contains(names, moduleName(name)) {
				t.Errorf("%s comes before %s", m.name, name)
			}
		}
		names = append(names, m.name)
	}
	if !slices.Contains(names, "kvm_amd") || !slices.Contains(names, "kvm") {
		t.Errorf("modules %q", names)
	}
	if unique := slices.Compact(slices.Sorted(slices.Values(names))); len(unique) != len(names) {
		t.Errorf("one comes twice: %q", names)
	}
}

func TestCompressedModules(t *testing.T) {
	plain := testKernel(t)
	image, err := os.ReadFile(plain.modules["irqbypass"])
	if err != nil {
		t.Fatal(err)
	}
	var xzed, zsted bytes.Buffer
	xw, err := xz.NewWriter(&xzed)
	if err != nil {
		t.Fatal(err)
	}
	zw, err := zstd.NewWriter(&zsted)
	if err != nil {
		t.Fatal(err)
	}
	_, err1 := xw.Write(image)
	_, err2 := zw.Write(image)
	if err := errors.Join(err1, err2, xw.Close(), zw.Close()); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	modules := filepath.Join(dir, "usr/lib/modules/1.2.3-cloud/kernel")
	write(t, dir+"/boot/vmlinuz-1.2.3-cloud", "")
	write(t, modules+"/a/one.ko.xz", xzed.String())
	write(t, modules+"/b/two-dashes.ko.zst", zsted.String())
	k, err := findKernel(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	got, err := k.load("one", "two-dashes")
	if err != nil || len(got) != 2 {
		t.Fatalf("%d modules, %v", len(got), err)
	}
	if !bytes.Equal(got[0].image, image) || !bytes.Equal(got[1].image, image) || got[1].name != "two_dashes" {
		t.Error("the modules are not what was compressed")
	}
}

func TestNewestKernelInCache(t *testing.T) {
	cache := t.TempDir()
	if _, err := newest(filepath.Join(cache, "*")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty cache: %v", err)
	}
	if _, err := findKernel("", cache); err == nil {
		t.Error("no error without a kernel")
	}
}
