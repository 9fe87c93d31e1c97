package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"
)

// A port is one byte channel between host and guest: a virtio-serial port in
// the guest, a socket on the host. Its value is the port's number on the bus,
// where 0 is reserved for a console.
type port int

const (
	portControl port = iota + 1 // gob stream of messages, guest to host
	portStdin                   // chunks, host to guest
	portStdout                  // chunks, guest to host
	portStderr                  // chunks, guest to host
	portNetwork                 // yamux session, both ways
	portEnd
)

var portNames = map[port]string{
	portControl: "control",
	portStdin:   "stdin",
	portStdout:  "stdout",
	portStderr:  "stderr",
	portNetwork: "network",
}

// guestPath is the port's device file in the guest, which has one controller.
func (p port) guestPath() string { return fmt.Sprintf("/dev/vport0p%d", int(p)) }

// job tells the guest what to run. It travels in the initramfs.
type job struct {
	Path   string   // the program's absolute path
	Args   []string // with the program's name at index 0
	Env    []string
	Dir    string
	Stdin  bool     // false: standard input is empty
	Outs   []string // absolute paths of files and directories to send back
	Serve  bool     // ports are forwarded
	KVM    []string // modules, in the order to load them
	Virtio []string // likewise; loaded at the same time as KVM
}

// jobPath is where the initramfs holds the gob of the job. Together with PID 1
// it is also how the executable knows that it is the guest's init.
const jobPath = "/.vmrun/job"

// message is what the guest says on the control port. One field is set.
type message struct {
	Up     *upMessage
	File   *fileMessage
	Exit   *exitMessage
	Failed string // the machine could not do its job: why
}

// upMessage is sent when the program is about to start.
type upMessage struct {
	Uptime time.Duration // since the guest kernel's start
}

// fileMessage is a part of a file that comes back to the host. A file's parts
// follow each other; the first has Offset 0.
type fileMessage struct {
	Path   string
	Mode   fs.FileMode
	Offset int64
	Data   []byte
}

// exitMessage is the last message.
type exitMessage struct {
	Code   int
	Signal int // not 0: killed by it
}

// maxChunk bounds a chunk's data: what one read of a pipe usually gives.
const maxChunk = 64 << 10

// chunkWriter cuts a stream into chunks: a big-endian uint32 length, then as
// many bytes; a length of 0 ends the stream. A port has no end of file that is
// ordered with its data and survives the machine's sudden end, so streams carry
// their own.
type chunkWriter struct {
	w   io.Writer
	buf []byte
}

func newChunkWriter(w io.Writer) *chunkWriter {
	return &chunkWriter{w: w, buf: make([]byte, 4+maxChunk)}
}

func (c *chunkWriter) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		n := copy(c.buf[4:], p)
		binary.BigEndian.PutUint32(c.buf, uint32(n))
		if _, err := c.w.Write(c.buf[:4+n]); err != nil {
			return written, err
		}
		written += n
		p = p[n:]
	}
	return written, nil
}

// Close ends the stream. It leaves the underlying writer open.
func (c *chunkWriter) Close() error {
	_, err := c.w.Write(make([]byte, 4))
	return err
}

// copyChunks copies a stream that was cut by a chunkWriter, up to its end. A
// source that ends before the stream does is io.ErrUnexpectedEOF.
func copyChunks(dst io.Writer, src io.Reader) error {
	buf := make([]byte, maxChunk)
	for {
		if _, err := io.ReadFull(src, buf[:4]); err != nil {
			return unexpectedEOF(err)
		}
		n := binary.BigEndian.Uint32(buf)
		if n == 0 {
			return nil
		}
		if n > maxChunk {
			return fmt.Errorf("chunk of %d bytes: more than %d", n, maxChunk)
		}
		if _, err := io.ReadFull(src, buf[:n]); err != nil {
			return unexpectedEOF(err)
		}
		if _, err := dst.Write(buf[:n]); err != nil {
			return err
		}
	}
}

func unexpectedEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
