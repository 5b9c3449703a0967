// The oracle: apimachinery's own serializers behind a pipe, for `make differential`; and their
// speed on a corpus, for `make bench`.
package main

import (
	"fmt"
	"os"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
)

// serializers are what kube-apiserver's codec factory makes for its media types.
func serializers(s *runtime.Scheme, strict bool) [formatCount]codec {
	return [formatCount]codec{
		formatJSON:     json.NewSerializerWithOptions(json.DefaultMetaFactory, s, s, json.SerializerOptions{Strict: strict}),
		formatYAML:     json.NewSerializerWithOptions(json.DefaultMetaFactory, s, s, json.SerializerOptions{Yaml: true, Strict: strict}),
		formatProtobuf: protobuf.NewSerializer(s, s),
		formatCBOR:     cbor.NewSerializer(s, s, cbor.Strict(strict)),
	}
}

const usage = `usage: oracle serve             answers requests on stdin (see serve.go)
       oracle bench DIR [TIME [FORMAT]]  rates on a corpus of GROUP.VERSION.KIND.{json,yaml,pb}, a line of JSON each
       oracle clients SAMPLES   lists, watches and writes every kind of $KUBECONFIG's server with protobuf`

func run() error {
	switch {
	case len(os.Args) == 2 && os.Args[1] == "serve":
		return newServer().serve(os.Stdin, os.Stdout)
	case len(os.Args) >= 3 && len(os.Args) <= 5 && os.Args[1] == "bench":
		each, only := 500*time.Millisecond, ""
		if len(os.Args) == 5 {
			only = os.Args[4]
		}
		if len(os.Args) >= 4 {
			var err error
			if each, err = time.ParseDuration(os.Args[3]); err != nil {
				return err
			}
		}
		return bench(os.Args[2], each, only, os.Stdout)
	}
	if len(os.Args) == 3 && os.Args[1] == "clients" {
		c, err := newClientRun(os.Getenv("KUBECONFIG"), os.Args[2], os.Stdout)
		if err != nil {
			return err
		}
		return c.run()
	}
	return fmt.Errorf("%s", usage)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}
