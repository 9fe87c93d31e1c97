package capi

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"strings"
)

// complete refuses a library that is cut off, by an interrupted copy perhaps: dlopen would map what its
// head promises, and the process would die of SIGBUS. All other faults are left to dlopen to tell.
func complete(path string) error {
	if !strings.Contains(path, "/") {
		return nil // A name in the system's library path.
	}
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil
	}
	var header elf.Header64
	err = binary.Read(file, binary.LittleEndian, &header)
	if err != nil || string(header.Ident[:len(elf.ELFMAG)]) != elf.ELFMAG {
		return nil
	}
	segments := make([]elf.Prog64, header.Phnum)
	needed := header.Phoff + uint64(binary.Size(segments))
	table := io.NewSectionReader(file, int64(header.Phoff), int64(binary.Size(segments)))
	if binary.Read(table, binary.LittleEndian, segments) == nil {
		for _, segment := range segments {
			needed = max(needed, segment.Off+segment.Filesz)
		}
	}
	if size := uint64(info.Size()); size < needed {
		return fmt.Errorf("it is cut off: it has %d bytes and needs %d", size, needed)
	}
	return nil
}
