package hyperlight

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestBlobs is upstream's tests of the same names in hyperlight-js-common's src/lib.rs.
func TestBlobs(t *testing.T) {
	encode := func(blobs ...[]byte) []byte {
		packed, err := encodeBlobs(blobs)
		require.NoError(t, err)
		return packed
	}
	decode := func(packed []byte) [][]byte {
		blobs, err := decodeBlobs(packed)
		require.NoError(t, err)
		return blobs
	}

	t.Run("test_encode_decode_empty", func(t *testing.T) {
		assert.Equal(t, []byte{0, 0, 0, 0}, encode())
		assert.Empty(t, decode(encode()))
	})

	t.Run("test_encode_decode_single", func(t *testing.T) {
		packed := encode([]byte("hello"))
		assert.Equal(t, []byte("\x01\x00\x00\x00\x05\x00\x00\x00hello"), packed)
		assert.Equal(t, [][]byte{[]byte("hello")}, decode(packed))
	})

	t.Run("test_encode_decode_multiple", func(t *testing.T) {
		blobs := [][]byte{[]byte("abc"), {}, []byte("xy")}
		assert.Equal(t, blobs, decode(encode(blobs...)))
	})

	t.Run("test_encode_decode_vec_of_vecs", func(t *testing.T) {
		blobs := [][]byte{[]byte("ABC"), []byte("XY")}
		assert.Equal(t, blobs, decode(encode(blobs...)))
	})

	trailing := append(encode([]byte("abc")), 0xff)
	for _, test := range []struct {
		name, text string
		packed     []byte
	}{
		{"test_decode_truncated_count", "Binary sidecar too short for count header", []byte{1, 2, 3}},
		{"test_decode_truncated_length", "Binary sidecar count (1) exceeds maximum possible (0)", []byte{1, 0, 0, 0}},
		{"test_decode_truncated_length, later", "Binary sidecar truncated at blob 1 length header", []byte{2, 0, 0, 0, 4, 0, 0, 0, 1, 2, 3, 4}},
		{"test_decode_truncated_data", "Binary sidecar truncated at blob 0 data (need 10 bytes, have 3)", []byte{1, 0, 0, 0, 10, 0, 0, 0, 1, 2, 3}},
		{"test_decode_trailing_data", "Binary sidecar has 1 trailing bytes after all 1 blobs", trailing},
	} {
		t.Run(test.name, func(t *testing.T) {
			blobs, err := decodeBlobs(test.packed)
			assert.EqualError(t, err, test.text)
			assert.Nil(t, blobs)
		})
	}
}

func TestBlobsDoNotGrowIntoEachOther(t *testing.T) {
	packed, err := encodeBlobs([][]byte{[]byte("ab"), []byte("cd")})
	require.NoError(t, err)
	blobs, err := decodeBlobs(packed)
	require.NoError(t, err)
	_ = append(blobs[0], "xxxxxxxx"...)
	assert.Equal(t, "cd", string(blobs[1]))
}

func TestPlaceholders(t *testing.T) {
	for text, expected := range map[string]int{
		`{"__bin__":0}`:                     0,
		`{"__bin__":2}`:                     2,
		`{"__bin__":3}`:                     -1, // there are three
		`{"__bin__":18446744073709551616}`:  -1,
		`{"__bin__":-1}`:                    -1,
		`{"__bin__":1.0}`:                   -1,
		`{"__bin__":1,"x":2}`:               -1,
		`{"__bin__":`:                       -1,
		`{"__bin__":1`:                      -1,
		`{"__bin__":"1"}`:                   -1,
		`[{"__bin__":1}]`:                   -1,
		`{"__bin__":1}{"__bin__":1}`:        -1,
		`"{\"__bin__\":1}"`:                 -1,
		`null`:                              -1,
		`{"__bin__":00000000000000000000}`:  0, // JSON has no such number
		`{"__bin__":9223372036854775808}`:   -1,
		`{"__bin__":{"__bin__":1}}`:         -1,
		`{"__bin__":9,"a":{"__bin__":1}}`:   -1,
		`{"__bin__":123456789012345678901}`: -1,
	} {
		index, ok := isPlaceholder([]byte(text), 3)
		assert.Equal(t, expected >= 0, ok, text)
		if ok {
			assert.Equal(t, expected, index, text)
		}
	}
}

func TestMarks(t *testing.T) {
	for _, index := range []int{0, 1, 255, 256, 1 << 40} {
		found, ok := markOf(mark(index))
		assert.True(t, ok)
		assert.Equal(t, index, found)
	}
	for _, data := range [][]byte{nil, {}, make([]byte, markSize), mark(1)[:markSize-1], append(mark(1), 0)} {
		_, ok := markOf(data)
		assert.False(t, ok, "%x", data)
	}
}

func TestMarksForPlaceholdersAndBack(t *testing.T) {
	blobs := [][]byte{[]byte("zero"), []byte("one")}
	for _, text := range []string{
		`null`,
		`[]`,
		`[{"__bin__":0}]`,
		`[1,{"a":{"__bin__":0},"b":[{"__bin__":1}]},"x"]`,
		`["{\"__bin__\":0}","\\","\"",""]`,
	} {
		marked := marksForPlaceholders([]byte(text), 2)
		assert.False(t, bytes.Contains(marked, []byte(placeholderStart)), "%s", marked)
		back, named := placeholdersForMarks(marked, blobs)
		assert.Equal(t, text, string(back))
		assert.Equal(t, blobs[:len(named)], append([][]byte{}, named...))
	}
	back, named := placeholdersForMarks(marksForPlaceholders([]byte(`[{"__bin__":1},{"__bin__":1}]`), 2), blobs)
	assert.Equal(t, `[{"__bin__":0},{"__bin__":1}]`, string(back))
	assert.Equal(t, [][]byte{blobs[1], blobs[1]}, named, "only what is named travels")
	const other = `[{"__bin__":2},{"__bin__":1.5},{"__bin__":0,"a":1},{"a":1,"__bin__":0}]`
	assert.Equal(t, other, string(marksForPlaceholders([]byte(other), 2)), "no placeholders of two blobs")
}

// What a Go function returns is data, whatever it looks like.
func TestDataIsNoPlaceholder(t *testing.T) {
	for text, expected := range map[string]string{
		`{"__bin__":0}`:                         `{"__bin__":0.0}`,
		`[{"__bin__":12},{"a":1,"__bin__":3}]`:  `[{"__bin__":12.0},{"a":1,"__bin__":3.0}]`,
		`{"\u005f\u005fbin__":0}`:               `{"\u005f\u005fbin__":0.0}`,
		`{"__bin__":-1,"x":{"__bin__":1e3}}`:    `{"__bin__":-1,"x":{"__bin__":1e3}}`,
		`{"__bin__":"0","y":["__bin__",0]}`:     `{"__bin__":"0","y":["__bin__",0]}`,
		`{"__bin__":{"__bin__":[7]},"z":"\"x"}`: `{"__bin__":{"__bin__":[7]},"z":"\"x"}`,
		`"__bin__"`:                             `"__bin__"`,
		`{"__bin__\\":0}`:                       `{"__bin__\\":0}`,
	} {
		result, named := placeholdersForMarks([]byte(text), nil)
		assert.Equal(t, expected, string(result))
		assert.Empty(t, named)
	}
}

// What is decoded is all of what was packed, and nothing else.
func FuzzBlobs(f *testing.F) {
	for _, packed := range []string{
		"", "\x00\x00\x00\x00", "\x01\x00\x00\x00\x05\x00\x00\x00hello", "\x02\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00x",
		"\xff\xff\xff\xff", "\x01\x00\x00\x00\xff\xff\xff\xff", "\x02\x00\x00\x00\x04\x00\x00\x00\x01\x02\x03\x04", "\x01\x00\x00\x00\x00\x00\x00\x00!",
	} {
		f.Add([]byte(packed))
	}
	f.Fuzz(func(t *testing.T, packed []byte) {
		before := bytes.Clone(packed)
		blobs, err := decodeBlobs(packed)
		if err != nil {
			assert.Nil(t, blobs)
			assert.Contains(t, err.Error(), "Binary sidecar ")
			return
		}
		again, err := encodeBlobs(blobs)
		require.NoError(t, err)
		require.Equal(t, before, again)
		require.Equal(t, len(packed), packedSize(blobs))
		for _, blob := range blobs {
			require.Equal(t, len(blob), cap(blob), "it cannot grow into the next")
			_ = append(blob, 'x')
		}
		require.Equal(t, before, packed)
	})
}
