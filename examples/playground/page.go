package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"net/http"
	"path"
	"time"
)

// dist is the page, bundled from page/src by `go generate`.
//
//go:embed page/dist
var dist embed.FS

var pageTemplate = template.Must(template.ParseFS(dist, "page/dist/index.html"))

// answerPage serves the page itself, with a policy of its own.
func (s *server) answerPage(w http.ResponseWriter, _ *http.Request) error {
	nonce := rand.Text()
	var page bytes.Buffer
	if err := pageTemplate.Execute(&page, struct{ Nonce string }{nonce}); err != nil {
		return err
	}
	w.Header().Set("Content-Security-Policy", policyWith(nonce))
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(page.Bytes()) // The visitor has gone.
	return nil
}

// asset serves a file of the page. Browsers keep it, and ask each time whether it has changed.
func asset(name string) http.Handler {
	content, err := dist.ReadFile("page/dist/" + name)
	if err != nil {
		panic(err) // It was there when the program was built.
	}
	sum := sha256.Sum256(content)
	tag := `"` + hex.EncodeToString(sum[:16]) + `"`
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("ETag", tag)
		http.ServeContent(w, r, path.Base(name), time.Time{}, bytes.NewReader(content))
	})
}
