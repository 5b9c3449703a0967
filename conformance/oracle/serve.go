package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// The protocol, little end first, both ways in frames of a 32-bit length and that many bytes.
//
// The first frame lists the kinds, a line each: group, version, kind, tab-separated. The answer
// has a byte a kind: 1 where the scheme knows it. Then each request is
//
//	format (a byte), flags (a byte), kind (16 bits, its line), body
//
// and each answer
//
//	status (a byte), then length-prefixed texts: the error, and the encodings asked for by flags.
const (
	formatJSON = iota
	formatYAML
	formatProtobuf
	formatCBOR
	formatCount
)

const flagStrict = 1 << 7 // the lower bits: 1<<format for each encoding wanted

const (
	statusGood   = iota
	statusStrict // an object, and what strict decoding has against it
	statusError
	statusPanic
)

type codec interface {
	runtime.Encoder
	runtime.Decoder
}

type server struct {
	scheme *runtime.Scheme
	kinds  []schema.GroupVersionKind
	lax    [formatCount]codec
	strict [formatCount]codec
	out    bytes.Buffer // an answer
	enc    bytes.Buffer // an encoding
}

func newServer() *server {
	s := &server{scheme: newScheme()}
	s.lax, s.strict = serializers(s.scheme, false), serializers(s.scheme, true)
	return s
}

func readFrame(in *bufio.Reader, room []byte) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return nil, err
	}
	n := int(binary.LittleEndian.Uint32(head[:]))
	if cap(room) < n {
		room = make([]byte, n)
	}
	room = room[:n]
	_, err := io.ReadFull(in, room)
	return room, err
}

func writeFrame(out *bufio.Writer, body []byte) error {
	var head [4]byte
	binary.LittleEndian.PutUint32(head[:], uint32(len(body)))
	out.Write(head[:])
	_, err := out.Write(body)
	return err
}

func (s *server) readKinds(list string) []byte {
	var known []byte
	for _, line := range strings.Split(list, "\n") {
		part := strings.Split(line, "\t")
		gvk := schema.GroupVersionKind{Group: part[0], Version: part[1], Kind: part[2]}
		s.kinds = append(s.kinds, gvk)
		flag := byte(0)
		if s.scheme.Recognizes(gvk) {
			flag = 1
		}
		known = append(known, flag)
	}
	return known
}

func (s *server) text(b []byte) {
	var head [4]byte
	binary.LittleEndian.PutUint32(head[:], uint32(len(b)))
	s.out.Write(head[:])
	s.out.Write(b)
}

// answer fills s.out.
func (s *server) answer(request []byte) {
	s.out.Reset()
	defer func() {
		if r := recover(); r != nil {
			s.out.Reset()
			s.out.WriteByte(statusPanic)
			s.text([]byte(fmt.Sprint(r)))
		}
	}()
	format, flags := request[0], request[1]
	gvk := s.kinds[binary.LittleEndian.Uint16(request[2:])]
	list := &s.lax
	if flags&flagStrict != 0 {
		list = &s.strict
	}
	// The decoders keep pieces of what they are given: a copy each.
	obj, _, err := list[format].Decode(bytes.Clone(request[4:]), &gvk, nil)
	status := byte(statusGood)
	switch {
	case err != nil && runtime.IsStrictDecodingError(err) && obj != nil:
		status = statusStrict
	case err != nil:
		s.out.WriteByte(statusError)
		s.text([]byte(err.Error()))
		return
	}
	s.out.WriteByte(status)
	if err != nil {
		s.text([]byte(err.Error()))
	} else {
		s.text(nil)
	}
	for f := range formatCount {
		if flags&(1<<f) == 0 {
			continue
		}
		s.enc.Reset()
		if err := s.lax[f].Encode(obj, &s.enc); err != nil {
			s.enc.Reset()
			s.enc.WriteString("cannot encode: " + err.Error())
		}
		s.text(s.enc.Bytes())
	}
}

func (s *server) serve(r io.Reader, w io.Writer) error {
	in, out := bufio.NewReaderSize(r, 1<<20), bufio.NewWriterSize(w, 1<<20)
	room, err := readFrame(in, nil)
	if err != nil {
		return err
	}
	known := s.readKinds(string(room))
	if err := writeFrame(out, known); err != nil {
		return err
	}
	for {
		if in.Buffered() == 0 { // the other side waits for what is done so far
			if err := out.Flush(); err != nil {
				return err
			}
		}
		room, err = readFrame(in, room)
		if err == io.EOF {
			return out.Flush()
		}
		if err != nil {
			return err
		}
		s.answer(room)
		if err := writeFrame(out, s.out.Bytes()); err != nil {
			return err
		}
	}
}
