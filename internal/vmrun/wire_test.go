package main

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

func TestChunks(t *testing.T) {
	for _, size := range []int{0, 1, maxChunk, maxChunk + 1, 3*maxChunk + 5} {
		data := bytes.Repeat([]byte("\x00\xffab"), size/4+1)[:size]
		var wire, got bytes.Buffer
		w := newChunkWriter(&wire)
		if n, err := w.Write(data); n != size || err != nil {
			t.Fatalf("write: %d, %v", n, err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		wire.WriteString("after the end")
		whole := wire.Len()
		if err := copyChunks(&got, iotest.HalfReader(&wire)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), data) || wire.String() != "after the end" {
			t.Errorf("%d bytes: %d arrived, %d of %d are left", size, got.Len(), wire.Len(), whole)
		}
	}
}

func TestChunksThatAreCutOff(t *testing.T) {
	for _, wire := range []string{"", "\x00\x00", "\x00\x00\x00\x02a", "\x00\x00\x00\x01a"} {
		if err := copyChunks(io.Discard, bytes.NewBufferString(wire)); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%q: %v", wire, err)
		}
	}
	if err := copyChunks(io.Discard, bytes.NewBufferString("\xff\xff\xff\xff")); err == nil {
		t.Error("an impossible length is accepted")
	}
}
