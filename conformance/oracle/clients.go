package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// clients: a client-go client that speaks protobuf alone lists, watches and writes every kind that
// the server has. Samples are the objects as people write them ("in" of the files of a folder).

const protobufType = "application/vnd.kubernetes.protobuf"

// contentTypes counts what answers came as.
type contentTypes struct {
	next http.RoundTripper
	seen map[string]int
	last string
}

func (c *contentTypes) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := c.next.RoundTrip(r)
	if err == nil {
		c.last = res.Header.Get("Content-Type")
		c.seen[c.last]++
	}
	return res, err
}

type clientRun struct {
	config  *rest.Config
	scheme  *runtime.Scheme
	codecs  serializer.CodecFactory
	types   *contentTypes
	samples map[schema.GroupVersionKind][]byte
	out     io.Writer
	failed  int
}

const clientSpace = "go-client"

func readClientSamples(folder string) (map[schema.GroupVersionKind][]byte, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no samples in %s", folder)
	}
	sort.Strings(files)
	out := map[schema.GroupVersionKind][]byte{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var one struct {
			In json.RawMessage `json:"in"`
		}
		var tm metav1.TypeMeta
		if json.Unmarshal(text, &one) != nil || json.Unmarshal(one.In, &tm) != nil {
			return nil, fmt.Errorf("%s is no sample", file)
		}
		gvk := schema.FromAPIVersionAndKind(tm.APIVersion, tm.Kind)
		if out[gvk] == nil {
			out[gvk] = one.In
		}
	}
	return out, addMoreSamples(out)
}

func newClientRun(kubeconfig, folder string, out io.Writer) (*clientRun, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	c := &clientRun{config: config, scheme: newScheme(), out: out}
	c.codecs = serializer.NewCodecFactory(c.scheme)
	c.types = &contentTypes{seen: map[string]int{}}
	config.QPS = -1
	config.ContentType, config.AcceptContentTypes = protobufType, protobufType
	config.NegotiatedSerializer = c.codecs.WithoutConversion()
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		c.types.next = next
		return c.types
	})
	c.samples, err = readClientSamples(folder)
	return c, err
}

func (c *clientRun) client(gv schema.GroupVersion) (*rest.RESTClient, error) {
	config := rest.CopyConfig(c.config)
	config.GroupVersion, config.APIPath = &gv, "/apis"
	if gv.Group == "" {
		config.APIPath = "/api"
	}
	return rest.RESTClientFor(config)
}

func has(r *metav1.APIResource, verb string) bool {
	for _, v := range r.Verbs {
		if v == verb {
			return true
		}
	}
	return false
}

func (c *clientRun) sample(gvk schema.GroupVersionKind, r *metav1.APIResource) (runtime.Object, error) {
	text := c.samples[gvk]
	if text == nil {
		return nil, nil
	}
	obj, _, err := c.codecs.UniversalDeserializer().Decode(text, &gvk, nil)
	if err != nil {
		return nil, err
	}
	m, err := meta.Accessor(obj)
	if err != nil {
		return obj, nil // a review without metadata
	}
	m.SetNamespace("")
	if r.Namespaced {
		m.SetNamespace(clientSpace)
	}
	if has(r, "list") && m.GetName() == "" && m.GetGenerateName() == "" {
		m.SetName("go-" + strings.ToLower(gvk.Kind))
	}
	return obj, nil
}

// protobuf fails where an answer came in another form.
func (c *clientRun) protobuf(what string) error {
	if !strings.HasPrefix(c.types.last, protobufType) {
		return fmt.Errorf("%s came as %q", what, c.types.last)
	}
	return nil
}

func expect(w watch.Interface, want watch.EventType, gvk schema.GroupVersionKind, name string) error {
	limit := time.After(10 * time.Second)
	for {
		select {
		case e, open := <-w.ResultChan():
			if !open {
				return fmt.Errorf("the watch ended before %s", want)
			}
			m, err := meta.Accessor(e.Object)
			if err != nil || m.GetName() != name || e.Type != want {
				continue
			}
			return nil
		case <-limit:
			return fmt.Errorf("no %s of %s %s", want, gvk.Kind, name)
		}
	}
}

// write creates, changes and deletes one object, and sees the three in the watch.
func (c *clientRun) write(client *rest.RESTClient, gvk schema.GroupVersionKind, r *metav1.APIResource, obj runtime.Object, w watch.Interface) error {
	ctx := context.Background()
	made, err := client.Post().NamespaceIfScoped(clientSpace, r.Namespaced).Resource(r.Name).Body(obj).Do(ctx).Get()
	if err != nil {
		return fmt.Errorf("create: %w", err)
	}
	if err := c.protobuf("create"); err != nil {
		return err
	}
	if w == nil {
		return nil
	}
	m, err := meta.Accessor(made)
	if err != nil {
		return err
	}
	name := m.GetName()
	if err := expect(w, watch.Added, gvk, name); err != nil {
		return err
	}
	at := func(q *rest.Request) *rest.Request {
		return q.NamespaceIfScoped(clientSpace, r.Namespaced).Resource(r.Name).Name(name)
	}
	read, err := at(client.Get()).Do(ctx).Get()
	if err != nil {
		return fmt.Errorf("get: %w", err)
	}
	m, _ = meta.Accessor(read)
	m.SetLabels(map[string]string{"written-by": "go"})
	if has(r, "update") {
		if err := at(client.Put()).Body(read).Do(ctx).Error(); err != nil {
			return fmt.Errorf("update: %w", err)
		}
		if err := expect(w, watch.Modified, gvk, name); err != nil {
			return err
		}
	}
	if has(r, "patch") {
		patch := []byte(`{"metadata":{"labels":{"patched-by":"go"}}}`)
		if err := at(client.Patch(types.MergePatchType)).Body(patch).Do(ctx).Error(); err != nil {
			return fmt.Errorf("patch: %w", err)
		}
	}
	if has(r, "delete") && gvk.Kind != "Namespace" {
		now := int64(0)
		background := metav1.DeletePropagationBackground
		opts := &metav1.DeleteOptions{GracePeriodSeconds: &now, PropagationPolicy: &background}
		if err := at(client.Delete()).Body(opts).Do(ctx).Error(); err != nil {
			return fmt.Errorf("delete: %w", err)
		}
		if len(m.GetFinalizers()) > 0 { // goes when those are gone
			return expect(w, watch.Modified, gvk, name)
		}
		return expect(w, watch.Deleted, gvk, name)
	}
	return nil
}

func (c *clientRun) resource(gv schema.GroupVersion, r *metav1.APIResource) (did string, err error) {
	ctx := context.Background()
	gvk := gv.WithKind(r.Kind)
	client, err := c.client(gv)
	if err != nil {
		return "", err
	}
	var w watch.Interface
	if has(r, "list") {
		list, err := client.Get().Resource(r.Name).Do(ctx).Get()
		if err != nil {
			return did, fmt.Errorf("list: %w", err)
		}
		if err := c.protobuf("list"); err != nil {
			return did, err
		}
		if !meta.IsListType(list) {
			return did, fmt.Errorf("list gave a %T", list)
		}
		did = "listed"
		if has(r, "watch") {
			l, err := meta.ListAccessor(list)
			if err != nil {
				return did, err
			}
			opts := metav1.ListOptions{Watch: true, ResourceVersion: l.GetResourceVersion()}
			w, err = client.Get().Resource(r.Name).VersionedParams(&opts, runtime.NewParameterCodec(c.scheme)).Watch(ctx)
			if err != nil {
				return did, fmt.Errorf("watch: %w", err)
			}
			defer w.Stop()
			if err := c.protobuf("watch"); err != nil {
				return did, err
			}
			did += ", watched"
		}
	}
	obj, err := c.sample(gvk, r)
	if err != nil || obj == nil || !has(r, "create") {
		return did, err
	}
	if err := c.write(client, gvk, r, obj, w); err != nil {
		return did, err
	}
	return did + ", written", nil
}

func (c *clientRun) run() error {
	d, err := discovery.NewDiscoveryClientForConfig(c.config)
	if err != nil {
		return err
	}
	core, err := c.client(schema.GroupVersion{Version: "v1"})
	if err != nil {
		return err
	}
	space := &metav1.ObjectMeta{Name: clientSpace}
	body := fmt.Sprintf(`{"kind":"Namespace","apiVersion":"v1","metadata":{"name":%q}}`, space.Name)
	if err := core.Post().Resource("namespaces").SetHeader("Content-Type", "application/json").
		Body([]byte(body)).Do(context.Background()).Error(); err != nil {
		return err
	}
	account := `{"kind":"ServiceAccount","apiVersion":"v1","metadata":{"name":"default"}}`
	if err := core.Post().Namespace(clientSpace).Resource("serviceaccounts").
		SetHeader("Content-Type", "application/json").Body([]byte(account)).Do(context.Background()).
		Error(); err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	_, lists, err := d.ServerGroupsAndResources()
	if err != nil {
		return err
	}
	kinds := 0
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return err
		}
		for i := range list.APIResources {
			r := &list.APIResources[i]
			if strings.Contains(r.Name, "/") {
				continue
			}
			kinds++
			did, err := c.resource(gv, r)
			if err != nil {
				c.failed++
				did += fmt.Sprintf(" FAILED: %v", err)
			}
			fmt.Fprintf(c.out, "  %-32s %-40s %s\n", list.GroupVersion, r.Kind, strings.TrimPrefix(did, ", "))
		}
	}
	fmt.Fprintf(c.out, "clients: %d kinds, %d failed; answers by type: %v\n", kinds, c.failed, c.types.seen)
	if c.failed > 0 {
		return fmt.Errorf("%d kinds failed", c.failed)
	}
	return nil
}
