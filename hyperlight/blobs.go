package hyperlight

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
)

// A Uint8Array does not travel inside JSON but beside it: upstream puts {"__bin__":N} in its place and
// collects the bytes in a sidecar.

// sizeOfCount is the size of each number in a sidecar: their count, and the length of each blob.
const sizeOfCount = 4

// encodeBlobs packs blobs as upstream does. Upstream: encode_binaries.
func encodeBlobs(blobs [][]byte) ([]byte, error) {
	for _, blob := range blobs {
		if uint64(len(blob)) > math.MaxUint32 {
			return nil, fmt.Errorf("encode_binaries: blob length (%d) exceeds u32::MAX", len(blob))
		}
	}
	packed := make([]byte, 0, packedSize(blobs))
	packed = binary.LittleEndian.AppendUint32(packed, uint32(len(blobs)))
	for _, blob := range blobs {
		packed = binary.LittleEndian.AppendUint32(packed, uint32(len(blob)))
		packed = append(packed, blob...)
	}
	return packed, nil
}

// packedSize is how long the result of encodeBlobs is.
func packedSize(blobs [][]byte) int {
	size := sizeOfCount
	for _, blob := range blobs {
		size += sizeOfCount + len(blob)
	}
	return size
}

// decodeBlobs is the inverse of encodeBlobs. The blobs share packed's memory, and none can grow into the
// next. Upstream: decode_binaries, with its texts.
func decodeBlobs(packed []byte) ([][]byte, error) {
	if len(packed) < sizeOfCount {
		return nil, brokenBlobs("Binary sidecar too short for count header")
	}
	count := int(binary.LittleEndian.Uint32(packed))
	rest := packed[sizeOfCount:]
	if possible := len(rest) / sizeOfCount; count > possible {
		return nil, brokenBlobs("Binary sidecar count (%d) exceeds maximum possible (%d)", count, possible)
	}
	blobs := make([][]byte, count)
	for i := range blobs {
		if len(rest) < sizeOfCount {
			return nil, brokenBlobs("Binary sidecar truncated at blob %d length header", i)
		}
		length := int(binary.LittleEndian.Uint32(rest))
		rest = rest[sizeOfCount:]
		if length > len(rest) {
			return nil, brokenBlobs("Binary sidecar truncated at blob %d data (need %d bytes, have %d)", i, length, len(rest))
		}
		blobs[i], rest = rest[:length:length], rest[length:]
	}
	if len(rest) > 0 {
		return nil, brokenBlobs("Binary sidecar has %d trailing bytes after all %d blobs", len(rest), count)
	}
	return blobs, nil
}

// brokenBlobs is an error in upstream's words.
func brokenBlobs(format string, args ...any) error { return fmt.Errorf(format, args...) }

const (
	placeholderKey   = `"__bin__"`
	placeholderStart = `{` + placeholderKey + `:`
)

func appendPlaceholder(json []byte, index int) []byte {
	json = append(json, placeholderStart...)
	json = strconv.AppendInt(json, int64(index), 10)
	return append(json, '}')
}

// cutPlaceholder finds the first placeholder of one of so many blobs in JSON that has no white space.
// Inside a string its quotes would be escaped, so it is what it looks like.
func cutPlaceholder(json []byte, blobs int) (before []byte, index int, after []byte, found bool) {
	for start := 0; ; {
		at := bytes.Index(json[start:], []byte(placeholderStart))
		if at < 0 {
			return json, 0, nil, false
		}
		digits := start + at + len(placeholderStart)
		end := digits
		for end < len(json) && '0' <= json[end] && json[end] <= '9' {
			end++
		}
		index, err := strconv.Atoi(string(json[digits:end]))
		if err == nil && index < blobs && end < len(json) && json[end] == '}' {
			return json[:start+at], index, json[end+1:], true
		}
		start = end
	}
}

// isPlaceholder says whether a JSON text is the placeholder of one of so many blobs.
func isPlaceholder(json []byte, blobs int) (index int, ok bool) {
	if blobs == 0 || !bytes.HasPrefix(json, []byte(placeholderStart)) {
		return 0, false
	}
	before, index, after, found := cutPlaceholder(json, blobs)
	return index, found && len(before) == 0 && len(after) == 0
}
