// A controller on controller-runtime, outside of this project's own code: for each ConfigMap labelled
// app=ring it keeps data.replicas members: a Pod NAME-i and a PersistentVolumeClaim NAME-i each. When
// the ring shrinks, Pods go, and then the claims that nobody uses any more.
//
// -bug stale-delete decides that a claim is unused by looking for its Pod in the cache. A cache that
// lags behind the Pods but not behind the claims makes it delete the claim of a Pod that lives.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

type ring struct {
	client.Client
	live client.Reader // past the cache
	bug  string
}

func labels(name string) map[string]string { return map[string]string{"app": "ring", "of": name} }

func (r *ring) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	var config corev1.ConfigMap
	replicas := 0
	err := r.Get(ctx, req.NamespacedName, &config)
	if err == nil {
		replicas, _ = strconv.Atoi(config.Data["replicas"])
	} else if !apierrors.IsNotFound(err) {
		return ctrl.Result{}, err
	}
	for i := 0; i < replicas; i++ {
		if err := r.ensure(ctx, req.Namespace, req.Name, i); err != nil {
			return ctrl.Result{}, err
		}
	}
	return ctrl.Result{}, r.shrink(ctx, req, replicas)
}

func (r *ring) ensure(ctx context.Context, namespace, name string, i int) error {
	meta := metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("%s-%d", name, i), Labels: labels(name)}
	key := types.NamespacedName{Namespace: namespace, Name: meta.Name}
	pod := &corev1.Pod{ObjectMeta: meta, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "ring:1"}}}}
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: meta, Spec: corev1.PersistentVolumeClaimSpec{
		AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
		Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{"storage": resource.MustParse("1Gi")}},
	}}
	for _, o := range []client.Object{pod, claim} {
		have := o.DeepCopyObject().(client.Object)
		if err := r.Get(ctx, key, have); err == nil {
			continue
		} else if !apierrors.IsNotFound(err) {
			return err
		}
		if err := r.Create(ctx, o); err != nil && !apierrors.IsAlreadyExists(err) {
			return err
		}
	}
	return nil
}

func index(name string) int {
	i, err := strconv.Atoi(name[strings.LastIndex(name, "-")+1:])
	if err != nil {
		return -1
	}
	return i
}

func (r *ring) shrink(ctx context.Context, req ctrl.Request, replicas int) error {
	var pods corev1.PodList
	var claims corev1.PersistentVolumeClaimList
	in, of := client.InNamespace(req.Namespace), client.MatchingLabels(labels(req.Name))
	if err := r.List(ctx, &pods, in, of); err != nil {
		return err
	}
	if err := r.List(ctx, &claims, in, of); err != nil {
		return err
	}
	for i := range pods.Items {
		if index(pods.Items[i].Name) < replicas {
			continue
		}
		if ok, err := r.mayShrink(ctx, req, index(pods.Items[i].Name)); err != nil || !ok {
			return err
		}
		if err := r.remove(ctx, &pods.Items[i]); err != nil {
			return err
		}
	}
	for i := range claims.Items {
		claim := &claims.Items[i]
		unused, err := r.unused(ctx, req, claim, replicas)
		if err != nil {
			return err
		}
		if !unused {
			continue
		}
		if err := r.remove(ctx, claim); err != nil {
			return err
		}
	}
	return nil
}

// Whether the ring is really as small as the cache says.
func (r *ring) mayShrink(ctx context.Context, req ctrl.Request, i int) (bool, error) {
	var config corev1.ConfigMap
	err := r.live.Get(ctx, req.NamespacedName, &config)
	if apierrors.IsNotFound(err) {
		return true, nil
	}
	n, _ := strconv.Atoi(config.Data["replicas"])
	return i >= n, err
}

func (r *ring) unused(ctx context.Context, req ctrl.Request, claim *corev1.PersistentVolumeClaim, replicas int) (bool, error) {
	var pod corev1.Pod
	key := client.ObjectKeyFromObject(claim)
	if r.bug == "stale-delete" {
		err := r.Get(ctx, key, &pod) // the planted mistake: the cache may not know it yet
		return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
	}
	if index(claim.Name) < replicas {
		return false, nil
	}
	if ok, err := r.mayShrink(ctx, req, index(claim.Name)); err != nil || !ok {
		return false, err
	}
	err := r.live.Get(ctx, key, &pod)
	return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
}

func (r *ring) remove(ctx context.Context, o client.Object) error {
	uid := o.GetUID()
	return client.IgnoreNotFound(r.Delete(ctx, o, client.Preconditions{UID: &uid}))
}

func main() {
	bug := flag.String("bug", "", "stale-delete")
	flag.Parse()
	ctrl.SetLogger(zap.New())
	mgr, err := ctrl.NewManager(ctrl.GetConfigOrDie(), ctrl.Options{Metrics: metricsserver.Options{BindAddress: "0"}})
	if err != nil {
		panic(err)
	}
	isOurs := predicate.NewPredicateFuncs(func(o client.Object) bool { return o.GetLabels()["app"] == "ring" })
	owner := handler.EnqueueRequestsFromMapFunc(func(_ context.Context, o client.Object) []reconcile.Request {
		name := o.GetLabels()["of"]
		return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: o.GetNamespace(), Name: name}}}
	})
	err = ctrl.NewControllerManagedBy(mgr).Named("ring").
		For(&corev1.ConfigMap{}, builder.WithPredicates(isOurs)).
		Watches(&corev1.Pod{}, owner, builder.WithPredicates(isOurs)).
		Watches(&corev1.PersistentVolumeClaim{}, owner, builder.WithPredicates(isOurs)).
		Complete(&ring{mgr.GetClient(), mgr.GetAPIReader(), *bug})
	if err == nil {
		err = mgr.Start(ctrl.SetupSignalHandler())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
