package hyperlight_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

type tenantKey struct{}

var errNoNote = errors.New("no such note")

// readNote is a host function that trusts its guest with nothing: the caller says whose notes they are, os.Root
// keeps names inside the folder, the size is bounded, and why it failed is not the guest's business.
func readNote(ctx context.Context, notes *os.Root, name string) (string, error) {
	tenant, ok := ctx.Value(tenantKey{}).(string)
	if !ok || len(name) > 100 {
		return "", errNoNote
	}
	folder, err := notes.OpenRoot(tenant)
	if err != nil {
		return "", errNoNote
	}
	defer folder.Close()
	file, err := folder.Open(name)
	if err != nil {
		return "", errNoNote
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, 64<<10))
	if err != nil {
		return "", errNoNote
	}
	return string(text), ctx.Err()
}

// A host function is the guest's way out, and has to be written like one.
func ExampleProtoJSSandbox_Register_careful() {
	dir, err := os.MkdirTemp("", "notes")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for name, text := range map[string]string{"ada/todo.txt": "water the plants", "grace/secret.txt": "the key"} {
		file := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o777), os.WriteFile(file, []byte(text), 0o666)); err != nil {
			log.Fatal(err)
		}
	}
	notes, err := os.OpenRoot(dir)
	if err != nil {
		log.Fatal(err)
	}
	defer notes.Close()

	proto, err := hyperlight.New()
	if err != nil {
		log.Fatal(err)
	}
	if err := proto.Register("notes", "read", func(ctx context.Context, name string) (string, error) {
		return readNote(ctx, notes, name)
	}); err != nil {
		log.Fatal(err)
	}
	sandbox, err := proto.LoadRuntime(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	if err := sandbox.AddHandler("read", hyperlight.Script(`
		import * as notes from "notes";
		function handler(name) { return notes.read(name); }`)); err != nil {
		log.Fatal(err)
	}
	loaded, err := sandbox.Load(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	defer loaded.Close()

	ctx := context.WithValue(context.Background(), tenantKey{}, "ada")
	for _, name := range []string{`"todo.txt"`, `"../grace/secret.txt"`} {
		note, err := loaded.HandleEvent(ctx, "read", []byte(name))
		fmt.Println(string(note), errors.Is(err, errNoNote))
	}
	// Output:
	// "water the plants" false
	//  true
}
