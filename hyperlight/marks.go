package hyperlight

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"sync"
)

// encoding/json decides how Go values become JSON and back, except for bytes: it writes base64 where a
// blob is to be. So on its way through encoding/json a blob is represented by a mark: bytes that nobody
// else has, which encoding/json turns into a string and back like any others.

const (
	markSecret = 18 // bytes; 24 characters of base64
	markSize   = markSecret + 6
	markLen    = markSize / 3 * 4 // as text
)

// secretOfMarks tells marks from everything else. Were it known, a string that looks like a mark could
// name a blob of the same call, as a guest may anyway.
var secretOfMarks = sync.OnceValue(func() (secret [markSecret]byte) {
	_, _ = rand.Read(secret[:]) // It never fails.
	return secret
})

// mark is the mark of a blob, as the bytes that encoding/json encodes.
func mark(index int) []byte {
	secret := secretOfMarks()
	number := binary.BigEndian.AppendUint64(nil, uint64(index))
	return append(secret[:], number[len(number)-(markSize-markSecret):]...)
}

// markOf says which blob bytes are the mark of.
func markOf(data []byte) (index int, ok bool) {
	secret := secretOfMarks()
	if len(data) != markSize || !bytes.HasPrefix(data, secret[:]) {
		return 0, false
	}
	var number [8]byte
	copy(number[8-(markSize-markSecret):], data[markSecret:])
	return int(binary.BigEndian.Uint64(number[:])), true
}

// markOfText says which blob a text is the mark of.
func markOfText(text string) (index int, ok bool) {
	if len(text) != markLen {
		return 0, false
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return 0, false
	}
	return markOf(data)
}

// containsMark says whether there is a mark in a text, as text.
func containsMark(text []byte) bool { return bytes.Contains(text, []byte(markPrefix())) }

var markPrefix = sync.OnceValue(func() string {
	secret := secretOfMarks()
	return base64.StdEncoding.EncodeToString(secret[:])
})

// marksForPlaceholders replaces each placeholder of so many blobs by a string with its mark.
func marksForPlaceholders(text []byte, blobs int) []byte {
	before, index, after, found := cutPlaceholder(text, blobs)
	if !found {
		return text
	}
	result := make([]byte, 0, len(text)+len(text)/2)
	for found {
		result = append(append(result, before...), '"')
		result = base64.StdEncoding.AppendEncode(result, mark(index))
		result = append(result, '"')
		before, index, after, found = cutPlaceholder(after, blobs)
	}
	return append(result, before...)
}

// placeholdersForMarks replaces each string with the mark of a blob by its placeholder. The result has those
// blobs only that it names: encoding/json leaves out fields that others hide, and no guest is to get these.
//
// What already looks like a placeholder is data, and is written so that the guest takes it for that: 1.0
// is the same number as 1, but upstream wants an integer. text is JSON as encoding/json writes it.
func placeholdersForMarks(text []byte, blobs [][]byte) ([]byte, [][]byte) {
	result := make([]byte, 0, len(text))
	var named [][]byte
	for len(text) > 0 {
		if text[0] != '"' {
			end := bytes.IndexByte(text, '"')
			if end < 0 {
				end = len(text)
			}
			result, text = append(result, text[:end]...), text[end:]
			continue
		}
		end := endOfString(text)
		word := text[:end]
		text = text[end:]
		if index, ok := markOfText(string(word[1 : len(word)-1])); ok && index < len(blobs) {
			result = appendPlaceholder(result, len(named))
			named = append(named, blobs[index])
			continue
		}
		result = append(result, word...)
		if bytes.HasPrefix(text, []byte(":")) && isPlaceholderKey(word) {
			number := text[:endOfNumber(text)]
			result, text = append(result, number...), text[len(number):]
			if isInteger(number[1:]) {
				result = append(result, ".0"...)
			}
		}
	}
	return result, named
}

// endOfString is how long the string is at whose opening quote text begins.
func endOfString(text []byte) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// isPlaceholderKey says whether a string is the key of a placeholder, however it is escaped.
func isPlaceholderKey(word []byte) bool {
	if bytes.IndexByte(word, '\\') < 0 {
		return string(word) == placeholderKey
	}
	var key string
	return json.Unmarshal(word, &key) == nil && `"`+key+`"` == placeholderKey
}

// endOfNumber is how long the colon and the number behind a key are.
func endOfNumber(text []byte) int {
	end := 1
	for end < len(text) && bytes.IndexByte([]byte("+-.0123456789Ee"), text[end]) >= 0 {
		end++
	}
	return end
}

func isInteger(number []byte) bool {
	for _, c := range number {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(number) > 0
}
