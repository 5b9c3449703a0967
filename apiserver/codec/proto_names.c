/* Go's names of fields, which gogo's errors give. Go's is the JSON name with a capital
 * first letter, except for the rows here; a row with a message counts for that alone. */
#include "codec/proto_wire.h"

typedef struct name_row {
  const char *json, *go, *message;
} name_row;

static const name_row rows[] = {
    {"$ref", "Ref", NULL},
    {"$schema", "Schema", NULL},
    {"apiGroup", "APIGroup", NULL},
    {"apiGroups", "APIGroups", NULL},
    {"apiServerID", "APIServerID", NULL},
    {"apiVersion", "APIVersion", NULL},
    {"apiVersions", "APIVersions", NULL},
    {"awsElasticBlockStore", "AWSElasticBlockStore", NULL},
    {"bool", "BoolValue", "DeviceAttribute"},
    {"bools", "BoolValues", "DeviceAttribute"},
    {"caBundle", "CABundle", NULL},
    {"cel", "CEL", NULL},
    {"cephfs", "CephFS", NULL},
    {"chapAuthDiscovery", "DiscoveryCHAPAuth", NULL},
    {"chapAuthSession", "SessionCHAPAuth", NULL},
    {"cidr", "CIDR", NULL},
    {"cidrs", "CIDRs", NULL},
    {"csi", "CSI", NULL},
    {"diskURI", "DataDiskURI", "AzureDiskVolumeSource"},
    {"dnsConfig", "DNSConfig", NULL},
    {"dnsPolicy", "DNSPolicy", NULL},
    {"endpoints", "EndpointsName", "GlusterfsVolumeSource"},
    {"endpoints", "EndpointsName", "GlusterfsPersistentVolumeSource"},
    {"externalID", "DoNotUseExternalID", NULL},
    {"fc", "FC", NULL},
    {"fsGroup", "FSGroup", NULL},
    {"fsGroupChangePolicy", "FSGroupChangePolicy", NULL},
    {"fsGroupPolicy", "FSGroupPolicy", NULL},
    {"fsType", "FSType", NULL},
    {"gcePersistentDisk", "GCEPersistentDisk", NULL},
    {"gid", "GID", NULL},
    {"gmsaCredentialSpec", "GMSACredentialSpec", NULL},
    {"gmsaCredentialSpecName", "GMSACredentialSpecName", NULL},
    {"grpc", "GRPC", NULL},
    {"group", "Groups", "SubjectAccessReviewSpec"},
    {"http", "HTTP", NULL},
    {"httpGet", "HTTPGet", NULL},
    {"httpHeaders", "HTTPHeaders", NULL},
    {"id", "ID", NULL},
    {"image", "RBDImage", "RBDVolumeSource"},
    {"image", "RBDImage", "RBDPersistentVolumeSource"},
    {"int", "IntValue", "DeviceAttribute"},
    {"ints", "IntValues", "DeviceAttribute"},
    {"ip", "IP", NULL},
    {"ipBlock", "IPBlock", NULL},
    {"ipFamilies", "IPFamilies", NULL},
    {"ipFamilyPolicy", "IPFamilyPolicy", NULL},
    {"ipMode", "IPMode", NULL},
    {"ips", "IPs", NULL},
    {"iqn", "IQN", NULL},
    {"iscsi", "ISCSI", NULL},
    {"iscsiInterface", "ISCSIInterface", NULL},
    {"jsonPatch", "JSONPatch", NULL},
    {"jsonPath", "JSONPath", NULL},
    {"lastState", "LastTerminationState", NULL},
    {"metadata", "ObjectMeta", NULL},
    {"monitors", "CephMonitors", "RBDVolumeSource"},
    {"monitors", "CephMonitors", "RBDPersistentVolumeSource"},
    {"nfs", "NFS", NULL},
    {"os", "OS", NULL},
    {"osImage", "OSImage", NULL},
    {"pdName", "PDName", NULL},
    {"pkixPublicKey", "PKIXPublicKey", NULL},
    {"pool", "RBDPool", "RBDVolumeSource"},
    {"pool", "RBDPool", "RBDPersistentVolumeSource"},
    {"qosClass", "QOSClass", NULL},
    {"rbd", "RBD", NULL},
    {"reason", "Type", "StatusCause"},
    {"reportingComponent", "ReportingController", "Event"},
    {"resources", "APIResources", "APIResourceList"},
    {"seLinuxChangePolicy", "SELinuxChangePolicy", NULL},
    {"seLinuxMount", "SELinuxMount", NULL},
    {"seLinuxOptions", "SELinuxOptions", NULL},
    {"serviceAccount", "DeprecatedServiceAccount", "PodSpec"},
    {"sslEnabled", "SSLEnabled", NULL},
    {"status", "Result", "AdmissionResponse"},
    {"storageos", "StorageOS", NULL},
    {"string", "StringValue", "DeviceAttribute"},
    {"strings", "StringValues", "DeviceAttribute"},
    {"tcpSocket", "TCPSocket", NULL},
    {"tls", "TLS", NULL},
    {"ttlSecondsAfterFinished", "TTLSecondsAfterFinished", NULL},
    {"tty", "TTY", NULL},
    {"uid", "UID", NULL},
    {"url", "URL", NULL},
    {"user", "RadosUser", "RBDVolumeSource"},
    {"user", "RadosUser", "RBDPersistentVolumeSource"},
    {"version", "VersionValue", "DeviceAttribute"},
    {"versions", "VersionValues", "DeviceAttribute"},
    {"wwids", "WWIDs", NULL},
    {"x-kubernetes-embedded-resource", "XEmbeddedResource", NULL},
    {"x-kubernetes-int-or-string", "XIntOrString", NULL},
    {"x-kubernetes-list-map-keys", "XListMapKeys", NULL},
    {"x-kubernetes-list-type", "XListType", NULL},
    {"x-kubernetes-map-type", "XMapType", NULL},
    {"x-kubernetes-preserve-unknown-fields", "XPreserveUnknownFields", NULL},
    {"x-kubernetes-validations", "XValidations", NULL},
};

slice proto_go_name(arena *a, slice message, slice field) {
  bool list = slice_has_suffix(message, SLICE_LIT("List")) || slice_is(message, "Status");
  if (list && slice_is(field, "metadata")) {
    return SLICE_LIT("ListMeta");
  }
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (!slice_is(field, rows[i].json)) continue;
    if (!rows[i].message || slice_is(message, rows[i].message)) return slice_cstr(rows[i].go);
  }
  char *name = arena_cstr(a, field);
  if (name[0] >= 'a' && name[0] <= 'z') name[0] = (char)(name[0] - 'a' + 'A');
  return slice_of(name, field.len);
}
