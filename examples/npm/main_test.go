package main

import (
	"archive/zip"
	"bytes"
	_ "embed"
	"encoding/json"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

type order struct {
	Date  string  `json:"date"`
	Price float64 `json:"price"`
}

type report struct {
	ID     string             `json:"id"`
	Months map[string]float64 `json:"months"`
	Due    string             `json:"due"`
}

func TestPackagesWork(t *testing.T) {
	loaded, err := load(t.Context())
	require.NoError(t, err)
	defer loaded.Close()
	first, err := hyperlight.Call[report](t.Context(), loaded, "report", []order{
		{"2024-01-30", 1.5}, {"2024-02-29", 2}, {"2024-01-31", 3},
	})
	require.NoError(t, err)
	assert.Equal(t, map[string]float64{"January 2024": 4.5, "February 2024": 2}, first.Months)
	assert.Equal(t, "29 Feb 2024", first.Due)
	assert.Regexp(t, "^[0-9a-f]{12}$", first.ID)

	second, err := hyperlight.Call[report](t.Context(), loaded, "report", []order{{"2024-01-30", 1.5}})
	require.NoError(t, err)
	assert.NotEqual(t, first.ID, second.ID)
}

//go:embed package-lock.json
var lockFile []byte

// The archive has the packages that the lock file names, with their licences.
func TestArchiveIsTheLockFiles(t *testing.T) {
	type manifest struct{ Version, License string }
	var lock struct {
		Packages map[string]manifest
	}
	require.NoError(t, json.Unmarshal(lockFile, &lock))
	delete(lock.Packages, "") // this folder's own
	files, err := zip.NewReader(bytes.NewReader(packages), int64(len(packages)))
	require.NoError(t, err)
	folders, err := fs.Glob(files, "node_modules/*")
	require.NoError(t, err)
	assert.Len(t, folders, len(lock.Packages))
	for name, locked := range lock.Packages {
		text, err := fs.ReadFile(files, name+"/package.json")
		require.NoError(t, err)
		var found manifest
		require.NoError(t, json.Unmarshal(text, &found))
		assert.Equal(t, locked, found, name)
		_, err = fs.Stat(files, name+"/LICENSE")
		require.NoError(t, err)
	}
}
