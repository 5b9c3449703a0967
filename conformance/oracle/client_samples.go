package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Kinds that the folder of samples lacks, or has in a form that needs more around it.
var moreSamples = []string{
	`{"apiVersion":"v1","kind":"Event","metadata":{"name":"e"},"involvedObject":{"kind":"Pod","namespace":"go-client","name":"p"},"reason":"R","message":"m","type":"Normal"}`,
	`{"apiVersion":"events.k8s.io/v1","kind":"Event","metadata":{"name":"ev"},"eventTime":"2026-11-20T18:00:00.000000Z","action":"A","reason":"R","reportingController":"a.b/c","reportingInstance":"i","type":"Normal","regarding":{"kind":"Pod","namespace":"go-client","name":"p"}}`,
	`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]}}`,
	`{"apiVersion":"admissionregistration.k8s.io/v1","kind":"MutatingAdmissionPolicyBinding","metadata":{"name":"b"},"spec":{"policyName":"p"}}`,
	`{"apiVersion":"storage.k8s.io/v1","kind":"CSIStorageCapacity","metadata":{"name":"c"},"storageClassName":"s"}`,
	`{"apiVersion":"storage.k8s.io/v1","kind":"VolumeAttributesClass","metadata":{"name":"v"},"driverName":"a.b","parameters":{"a":"b"}}`,
	`{"apiVersion":"networking.k8s.io/v1","kind":"IPAddress","metadata":{"name":"192.168.7.7"},"spec":{"parentRef":{"resource":"services","namespace":"go-client","name":"s"}}}`,
	`{"apiVersion":"networking.k8s.io/v1","kind":"ServiceCIDR","metadata":{"name":"c"},"spec":{"cidrs":["192.168.8.0/24"]}}`,
	`{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"r"},"rules":[{"verbs":["get"],"apiGroups":[""],"resources":["pods"]}]}`,
	`{"apiVersion":"authorization.k8s.io/v1","kind":"LocalSubjectAccessReview","metadata":{"name":""},"spec":{"user":"a","resourceAttributes":{"namespace":"go-client","verb":"get","resource":"pods"}}}`,
	`{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview","spec":{"resourceAttributes":{"verb":"get","resource":"pods"}}}`,
	`{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectRulesReview","spec":{"namespace":"go-client"}}`,
	`{"apiVersion":"authorization.k8s.io/v1","kind":"SubjectAccessReview","spec":{"user":"a","resourceAttributes":{"verb":"get","resource":"pods"}}}`,
	`{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}`,
	`{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":{"token":"t"}}`,
}

// A request that a real signer would read.
func signingRequest() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	subject := pkix.Name{CommonName: "go"}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: subject}, key)
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{
		"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
		"metadata": map[string]string{"name": "c"},
		"spec": map[string]any{
			"request":    pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}),
			"signerName": "a.b/c", "usages": []string{"client auth"},
		},
	})
}

func addMoreSamples(out map[schema.GroupVersionKind][]byte) error {
	csr, err := signingRequest()
	if err != nil {
		return err
	}
	for _, text := range append(moreSamples, string(csr)) {
		var tm metav1.TypeMeta
		if err := json.Unmarshal([]byte(text), &tm); err != nil {
			return err
		}
		out[schema.FromAPIVersionAndKind(tm.APIVersion, tm.Kind)] = []byte(text)
	}
	return nil
}
