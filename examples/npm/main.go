// Npm runs a script that imports packages from npm. See README.md in this folder.
package main

import (
	"archive/zip"
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"log"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

//go:embed report.js
var source string

//go:generate ./vendor.sh
//go:embed node_modules.zip
var packages []byte

func main() {
	ctx := context.Background()
	loaded, err := load(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer loaded.Close()
	report, err := loaded.HandleEvent(ctx, "report", []byte(`[
		{"date": "2025-01-02", "price": 12},
		{"date": "2025-01-31", "price": 30},
		{"date": "2025-02-01", "price": 5}]`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(report))
}

// load gives the script the packages to import.
func load(ctx context.Context) (*hyperlight.LoadedJSSandbox, error) {
	// Any fs.FS with a folder node_modules will do: an embed.FS, an os.Root.FS, or, as here, an archive.
	files, err := zip.NewReader(bytes.NewReader(packages), int64(len(packages)))
	if err != nil {
		return nil, err
	}
	return hyperlight.Template{
		Register: func(proto *hyperlight.ProtoJSSandbox) error {
			return proto.SetModuleLoader(files)
		},
		Add: func(sandbox *hyperlight.JSSandbox) error {
			return sandbox.AddHandler("report", hyperlight.Script(source))
		},
	}.Load(ctx)
}
