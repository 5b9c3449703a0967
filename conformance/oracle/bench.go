package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// One object of the corpus in each format.
type sample struct {
	gvk   schema.GroupVersionKind
	obj   runtime.Object
	bytes [formatCount][]byte
}

func splitName(stem string) (gvk schema.GroupVersionKind, ok bool) {
	part := strings.Split(stem, ".")
	n := len(part)
	if n < 3 {
		return gvk, false
	}
	gvk = schema.GroupVersionKind{Group: strings.Join(part[:n-2], "."), Version: part[n-2], Kind: part[n-1]}
	if gvk.Group == "core" {
		gvk.Group = ""
	}
	return gvk, true
}

// readSamples takes the kinds that decode strictly from JSON, and encodes them anew in each format,
// compact as on the wire.
func readSamples(folder string, s *server) ([]sample, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no corpus in %s", folder)
	}
	sort.Strings(files)
	var out []sample
	for _, file := range files {
		stem := strings.TrimSuffix(filepath.Base(file), ".json")
		gvk, ok := splitName(stem)
		if !ok || strings.Contains(stem, "after_roundtrip") || !s.scheme.Recognizes(gvk) {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		obj, _, err := s.strict[formatJSON].Decode(text, &gvk, nil)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		one := sample{gvk: gvk, obj: obj}
		for f := range formatCount {
			var b bytes.Buffer
			if err := s.lax[f].Encode(obj, &b); err != nil {
				one.gvk.Kind = ""
				break
			}
			one.bytes[f] = b.Bytes()
		}
		if one.gvk.Kind != "" {
			out = append(out, one)
		}
	}
	return out, nil
}

type rate struct {
	Format   string  `json:"format"`
	Op       string  `json:"op"`
	Objects  int     `json:"objects"`
	ObjectsS float64 `json:"objects_s"`
	MBS      float64 `json:"mb_s"`
}

// cpuTime is the process's, the collector's work included.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// repeat is how often in a row each sample is taken, as by codec_bench.
const repeat = 8

func measure(samples []sample, format int, each time.Duration, op func(*sample)) (float64, float64) {
	objects, total := 0, 0
	start := cpuTime()
	for cpuTime()-start < each {
		for i := range samples {
			for range repeat {
				op(&samples[i])
			}
			objects += repeat
			total += repeat * len(samples[i].bytes[format])
		}
	}
	s := (cpuTime() - start).Seconds()
	return float64(objects) / s, float64(total) / s / 1e6
}

// bench measures every format, or the one named.
func bench(folder string, each time.Duration, only string, w io.Writer) error {
	s := newServer()
	samples, err := readSamples(folder, s)
	if err != nil {
		return err
	}
	names := [formatCount]string{"json", "yaml", "protobuf", "cbor"}
	lines := json.NewEncoder(w)
	var b bytes.Buffer
	for f := range formatCount {
		if only != "" && only != names[f] {
			continue
		}
		decode := func(one *sample) {
			if _, _, err := s.strict[f].Decode(one.bytes[f], &one.gvk, nil); err != nil {
				panic(err)
			}
		}
		encode := func(one *sample) {
			b.Reset()
			if err := s.lax[f].Encode(one.obj, &b); err != nil {
				panic(err)
			}
		}
		for op, run := range map[string]func(*sample){"decode": decode, "encode": encode} {
			measure(samples, f, each/5, run) // warm
			o, mb := measure(samples, f, each, run)
			if err := lines.Encode(rate{names[f], op, len(samples), o, mb}); err != nil {
				return err
			}
		}
	}
	return nil
}
