/* The Go structs behind the API's types, as the real server's internal package declares them: what
 * its messages print when they show one. One row a type: fields in order, "GoName[=json]:kind".
 * Kinds: s string, i integer, b bool, q quantity, I int-or-string, p pointer, list or map of plain
 * values, S struct, P pointer to struct, L list of structs; ~meta is the embedded ObjectMeta. */
#include "registry/validation/pod_internal.h"

/* Of a PersistentVolumeSource, which a PersistentVolumeSpec has inline. */
#define VOLUME_SOURCES \
  "GCEPersistentDisk=gcePersistentDisk:PGCEPersistentDiskVolumeSource " \
  "AWSElasticBlockStore=awsElasticBlockStore:PAWSElasticBlockStoreVolumeSource " \
  "HostPath:PHostPathVolumeSource Glusterfs:PGlusterfsPersistentVolumeSource " \
  "NFS=nfs:PNFSVolumeSource RBD=rbd:PRBDPersistentVolumeSource " \
  "Quobyte:PQuobyteVolumeSource ISCSI=iscsi:PISCSIPersistentVolumeSource " \
  "FlexVolume:PFlexPersistentVolumeSource Cinder:PCinderPersistentVolumeSource " \
  "CephFS=cephfs:PCephFSPersistentVolumeSource FC=fc:PFCVolumeSource " \
  "Flocker:PFlockerVolumeSource AzureFile:PAzureFilePersistentVolumeSource " \
  "VsphereVolume:PVsphereVirtualDiskVolumeSource AzureDisk:PAzureDiskVolumeSource " \
  "PhotonPersistentDisk:PPhotonPersistentDiskVolumeSource " \
  "PortworxVolume:PPortworxVolumeSource ScaleIO:PScaleIOPersistentVolumeSource " \
  "Local:PLocalVolumeSource StorageOS=storageos:PStorageOSPersistentVolumeSource " \
  "CSI=csi:PCSIPersistentVolumeSource"

const internal_row internal_rows[] = {
    {"AWSElasticBlockStoreVolumeSource",
       "VolumeID:s FSType=fsType:s Partition:i ReadOnly:b"},
    {"Affinity",
       "NodeAffinity:PNodeAffinity PodAffinity:PPodAffinity PodAntiAffinity:PPodAntiAffinity"},
    {"AppArmorProfile",
       "Type:s LocalhostProfile:p"},
    {"AzureDiskVolumeSource",
       "DiskName:s DataDiskURI=diskURI:s CachingMode:p FSType=fsType:p ReadOnly:p Kind:p"},
    {"AzureFilePersistentVolumeSource",
       "SecretName:s ShareName:s ReadOnly:b SecretNamespace:p"},
    {"AzureFileVolumeSource",
       "SecretName:s ShareName:s ReadOnly:b"},
    {"CSIPersistentVolumeSource",
       "Driver:s VolumeHandle:s ReadOnly:b FSType=fsType:s VolumeAttributes:p "
       "ControllerPublishSecretRef:PSecretReference NodeStageSecretRef:PSecretReference "
       "NodePublishSecretRef:PSecretReference ControllerExpandSecretRef:PSecretReference "
       "NodeExpandSecretRef:PSecretReference"},
    {"CSIVolumeSource",
       "Driver:s ReadOnly:p FSType=fsType:p VolumeAttributes:p "
       "NodePublishSecretRef:PLocalObjectReference"},
    {"Capabilities",
       "Add:p Drop:p"},
    {"CephFSPersistentVolumeSource",
       "Monitors:p Path:s User:s SecretFile:s SecretRef:PSecretReference ReadOnly:b"},
    {"CephFSVolumeSource",
       "Monitors:p Path:s User:s SecretFile:s SecretRef:PLocalObjectReference ReadOnly:b"},
    {"CinderPersistentVolumeSource",
       "VolumeID:s FSType=fsType:s ReadOnly:b SecretRef:PSecretReference"},
    {"CinderVolumeSource",
       "VolumeID:s FSType=fsType:s ReadOnly:b SecretRef:PLocalObjectReference"},
    {"ClusterTrustBundleProjection",
       "Name:p SignerName:p LabelSelector:l Optional:p Path:s"},
    {"ConfigMapEnvSource",
       "Name:s Optional:p"},
    {"ConfigMapKeySelector",
       "Name:s Key:s Optional:p"},
    {"ConfigMapNodeConfigSource",
       "Namespace:s Name:s UID=uid:s ResourceVersion:s KubeletConfigKey:s"},
    {"ConfigMapProjection",
       "Name:s Items:LKeyToPath Optional:p"},
    {"ConfigMapVolumeSource",
       "Name:s Items:LKeyToPath DefaultMode:p Optional:p"},
    {"Container",
       "Name:s Image:s Command:p Args:p WorkingDir:s Ports:LContainerPort "
       "EnvFrom:LEnvFromSource Env:LEnvVar Resources:SResourceRequirements "
       "ResizePolicy:LContainerResizePolicy RestartPolicy:p "
       "RestartPolicyRules:LContainerRestartRule VolumeMounts:LVolumeMount "
       "VolumeDevices:LVolumeDevice LivenessProbe:PProbe ReadinessProbe:PProbe "
       "StartupProbe:PProbe Lifecycle:PLifecycle TerminationMessagePath:s "
       "TerminationMessagePolicy:s ImagePullPolicy:s SecurityContext:PSecurityContext "
       "Stdin:b StdinOnce:b TTY=tty:b"},
    {"ContainerPort",
       "Name:s HostPort:i ContainerPort:i Protocol:s HostIP:s"},
    {"ContainerResizePolicy",
       "ResourceName:s RestartPolicy:s"},
    {"ContainerRestartRule",
       "Action:s ExitCodes:PContainerRestartRuleOnExitCodes"},
    {"ContainerRestartRuleOnExitCodes",
       "Operator:s Values:p"},
    {"DaemonSetUpdateStrategy",
       "Type:s RollingUpdate:PRollingUpdateDaemonSet"},
    {"DeploymentStrategy",
       "Type:s RollingUpdate:PRollingUpdateDeployment"},
    {"DownwardAPIProjection",
       "Items:LDownwardAPIVolumeFile"},
    {"DownwardAPIVolumeFile",
       "Path:s FieldRef:PObjectFieldSelector ResourceFieldRef:PResourceFieldSelector Mode:p"},
    {"DownwardAPIVolumeSource",
       "Items:LDownwardAPIVolumeFile DefaultMode:p"},
    {"EmptyDirVolumeSource",
       "Medium:s SizeLimit:p"},
    {"EnvFromSource",
       "Prefix:s ConfigMapRef:PConfigMapEnvSource SecretRef:PSecretEnvSource"},
    {"EnvVar",
       "Name:s Value:s ValueFrom:PEnvVarSource"},
    {"EnvVarSource",
       "FieldRef:PObjectFieldSelector ResourceFieldRef:PResourceFieldSelector "
       "ConfigMapKeyRef:PConfigMapKeySelector SecretKeyRef:PSecretKeySelector "
       "FileKeyRef:PFileKeySelector"},
    {"EphemeralContainer",
       "Name:s Image:s Command:p Args:p WorkingDir:s Ports:LContainerPort "
       "EnvFrom:LEnvFromSource Env:LEnvVar Resources:SResourceRequirements "
       "ResizePolicy:LContainerResizePolicy RestartPolicy:p "
       "RestartPolicyRules:LContainerRestartRule VolumeMounts:LVolumeMount "
       "VolumeDevices:LVolumeDevice LivenessProbe:PProbe ReadinessProbe:PProbe "
       "StartupProbe:PProbe Lifecycle:PLifecycle TerminationMessagePath:s "
       "TerminationMessagePolicy:s ImagePullPolicy:s SecurityContext:PSecurityContext "
       "Stdin:b StdinOnce:b TTY=tty:b TargetContainerName:s"},
    {"EphemeralVolumeSource",
       "VolumeClaimTemplate:PPersistentVolumeClaimTemplate"},
    {"ExecAction",
       "Command:p"},
    {"FCVolumeSource",
       "TargetWWNs:p Lun:p FSType=fsType:s ReadOnly:b WWIDs=wwids:p"},
    {"FileKeySelector",
       "VolumeName:s Path:s Key:s Optional:p"},
    {"FlexPersistentVolumeSource",
       "Driver:s FSType=fsType:s SecretRef:PSecretReference ReadOnly:b Options:p"},
    {"FlexVolumeSource",
       "Driver:s FSType=fsType:s SecretRef:PLocalObjectReference ReadOnly:b Options:p"},
    {"FlockerVolumeSource",
       "DatasetName:s DatasetUUID:s"},
    {"GCEPersistentDiskVolumeSource",
       "PDName=pdName:s FSType=fsType:s Partition:i ReadOnly:b"},
    {"GRPCAction",
       "Port:i Service:p"},
    {"GitRepoVolumeSource",
       "Repository:s Revision:s Directory:s"},
    {"GlusterfsPersistentVolumeSource",
       "EndpointsName=endpoints:s Path:s ReadOnly:b EndpointsNamespace:p"},
    {"GlusterfsVolumeSource",
       "EndpointsName=endpoints:s Path:s ReadOnly:b"},
    {"HTTPGetAction",
       "Path:s Port:I Host:s Scheme:s HTTPHeaders=httpHeaders:LHTTPHeader"},
    {"HTTPHeader",
       "Name:s Value:s"},
    {"HostAlias",
       "IP=ip:s Hostnames:p"},
    {"HostIP",
       "IP=ip:s"},
    {"HostPathVolumeSource",
       "Path:s Type:p"},
    {"ISCSIPersistentVolumeSource",
       "TargetPortal:s IQN=iqn:s Lun:i ISCSIInterface=iscsiInterface:s FSType=fsType:s "
       "ReadOnly:b Portals:p DiscoveryCHAPAuth=chapAuthDiscovery:b "
       "SessionCHAPAuth=chapAuthSession:b SecretRef:PSecretReference InitiatorName:p"},
    {"ISCSIVolumeSource",
       "TargetPortal:s IQN=iqn:s Lun:i ISCSIInterface=iscsiInterface:s FSType=fsType:s "
       "ReadOnly:b Portals:p DiscoveryCHAPAuth=chapAuthDiscovery:b "
       "SessionCHAPAuth=chapAuthSession:b SecretRef:PLocalObjectReference InitiatorName:p"},
    {"ImageVolumeSource",
       "Reference:s PullPolicy:s"},
    {"KeyToPath",
       "Key:s Path:s Mode:p"},
    {"Lifecycle",
       "PostStart:PLifecycleHandler PreStop:PLifecycleHandler StopSignal:p"},
    {"LifecycleHandler",
       "Exec:PExecAction HTTPGet=httpGet:PHTTPGetAction TCPSocket=tcpSocket:PTCPSocketAction "
       "Sleep:PSleepAction"},
    {"LocalObjectReference",
       "Name:s"},
    {"LocalVolumeSource",
       "Path:s FSType=fsType:p"},
    {"NFSVolumeSource",
       "Server:s Path:s ReadOnly:b"},
    {"NodeAddress",
       "Type:s Address:s"},
    {"NodeAffinity",
       "RequiredDuringSchedulingIgnoredDuringExecution:PNodeSelector "
       "PreferredDuringSchedulingIgnoredDuringExecution:LPreferredSchedulingTerm"},
    {"NodeConfigSource",
       "ConfigMap:PConfigMapNodeConfigSource"},
    {"NodeSelector",
       "NodeSelectorTerms:LNodeSelectorTerm"},
    {"NodeSelectorRequirement",
       "Key:s Operator:s Values:p"},
    {"NodeSelectorTerm",
       "MatchExpressions:LNodeSelectorRequirement MatchFields:LNodeSelectorRequirement"},
    {"ObjectFieldSelector",
       "APIVersion=apiVersion:s FieldPath:s"},
    {"ObjectReference",
       "Kind:s Namespace:s Name:s UID=uid:s APIVersion=apiVersion:s ResourceVersion:s "
       "FieldPath:s"},
    {"PersistentVolumeClaimSpec",
       "AccessModes:p Selector:l Resources:SVolumeResourceRequirements VolumeName:s "
       "StorageClassName:p VolumeMode:p DataSource:PTypedLocalObjectReference "
       "DataSourceRef:PTypedObjectReference VolumeAttributesClassName:p"},
    {"PersistentVolumeClaimTemplate",
       "~meta Spec:SPersistentVolumeClaimSpec"},
    {"PersistentVolumeClaimVolumeSource",
       "ClaimName:s ReadOnly:b"},
    {"PersistentVolumeSource",
       VOLUME_SOURCES},
    {"PersistentVolumeSpec",
       "Capacity:p "
       VOLUME_SOURCES " "
       "AccessModes:p ClaimRef:PObjectReference PersistentVolumeReclaimPolicy:s "
       "StorageClassName:s MountOptions:p VolumeMode:p NodeAffinity:PVolumeNodeAffinity "
       "VolumeAttributesClassName:p"},
    {"PhotonPersistentDiskVolumeSource",
       "PdID:s FSType=fsType:s"},
    {"PodAffinity",
       "RequiredDuringSchedulingIgnoredDuringExecution:LPodAffinityTerm "
       "PreferredDuringSchedulingIgnoredDuringExecution:LWeightedPodAffinityTerm"},
    {"PodAffinityTerm",
       "LabelSelector:l Namespaces:p TopologyKey:s NamespaceSelector:l MatchLabelKeys:p "
       "MismatchLabelKeys:p"},
    {"PodAntiAffinity",
       "RequiredDuringSchedulingIgnoredDuringExecution:LPodAffinityTerm "
       "PreferredDuringSchedulingIgnoredDuringExecution:LWeightedPodAffinityTerm"},
    {"PodCertificateProjection",
       "SignerName:s KeyType:s MaxExpirationSeconds:p CredentialBundlePath:s KeyPath:s "
       "CertificateChainPath:s UserAnnotations:p"},
    {"PodDNSConfig",
       "Nameservers:p Searches:p Options:LPodDNSConfigOption"},
    {"PodDNSConfigOption",
       "Name:s Value:p"},
    {"PodFailurePolicy",
       "Rules:LPodFailurePolicyRule"},
    {"PodFailurePolicyOnExitCodesRequirement",
       "ContainerName:p Operator:s Values:p"},
    {"PodFailurePolicyOnPodConditionsPattern",
       "Type:s Status:s"},
    {"PodFailurePolicyRule",
       "Action:s OnExitCodes:PPodFailurePolicyOnExitCodesRequirement "
       "OnPodConditions:LPodFailurePolicyOnPodConditionsPattern"},
    {"PodIP",
       "IP=ip:s"},
    {"PodOS",
       "Name:s"},
    {"PodReadinessGate",
       "ConditionType:s"},
    {"PodResourceClaim",
       "Name:s ResourceClaimName:p ResourceClaimTemplateName:p"},
    {"PodSchedulingGate",
       "Name:s"},
    {"PodSchedulingGroup",
       "PodGroupName:p"},
    {"PodSecurityContext",
       "HostNetwork:b HostPID:b HostIPC:b ShareProcessNamespace:p HostUsers:p "
       "SELinuxOptions=seLinuxOptions:PSELinuxOptions "
       "WindowsOptions:PWindowsSecurityContextOptions RunAsUser:p RunAsGroup:p "
       "RunAsNonRoot:p SupplementalGroups:p SupplementalGroupsPolicy:p FSGroup=fsGroup:p "
       "FSGroupChangePolicy=fsGroupChangePolicy:p Sysctls:LSysctl "
       "SeccompProfile:PSeccompProfile AppArmorProfile:PAppArmorProfile "
       "SELinuxChangePolicy=seLinuxChangePolicy:p"},
    {"PodSpec",
       "Volumes:LVolume InitContainers:LContainer Containers:LContainer "
       "EphemeralContainers:LEphemeralContainer RestartPolicy:s "
       "TerminationGracePeriodSeconds:p ActiveDeadlineSeconds:p DNSPolicy=dnsPolicy:s "
       "NodeSelector:p ServiceAccountName:s AutomountServiceAccountToken:p NodeName:s "
       "SecurityContext:PPodSecurityContext ImagePullSecrets:LLocalObjectReference "
       "Hostname:s Subdomain:s SetHostnameAsFQDN:p Affinity:PAffinity SchedulerName:s "
       "Tolerations:LToleration HostAliases:LHostAlias PriorityClassName:s Priority:p "
       "PreemptionPolicy:p DNSConfig=dnsConfig:PPodDNSConfig "
       "ReadinessGates:LPodReadinessGate RuntimeClassName:p Overhead:p EnableServiceLinks:p "
       "TopologySpreadConstraints:LTopologySpreadConstraint OS=os:PPodOS "
       "SchedulingGates:LPodSchedulingGate ResourceClaims:LPodResourceClaim "
       "Resources:PResourceRequirements HostnameOverride:p "
       "SchedulingGroup:PPodSchedulingGroup"},
    {"PodTemplateSpec",
       "~meta Spec:SPodSpec"},
    {"PortworxVolumeSource",
       "VolumeID:s FSType=fsType:s ReadOnly:b"},
    {"PreferredSchedulingTerm",
       "Weight:i Preference:SNodeSelectorTerm"},
    {"Probe",
       "Exec:PExecAction HTTPGet=httpGet:PHTTPGetAction TCPSocket=tcpSocket:PTCPSocketAction "
       "GRPC=grpc:PGRPCAction InitialDelaySeconds:i TimeoutSeconds:i PeriodSeconds:i "
       "SuccessThreshold:i FailureThreshold:i TerminationGracePeriodSeconds:p"},
    {"ProjectedVolumeSource",
       "Sources:LVolumeProjection DefaultMode:p"},
    {"QuobyteVolumeSource",
       "Registry:s Volume:s ReadOnly:b User:s Group:s Tenant:s"},
    {"RBDPersistentVolumeSource",
       "CephMonitors=monitors:p RBDImage=image:s FSType=fsType:s RBDPool=pool:s "
       "RadosUser=user:s Keyring:s SecretRef:PSecretReference ReadOnly:b"},
    {"RBDVolumeSource",
       "CephMonitors=monitors:p RBDImage=image:s FSType=fsType:s RBDPool=pool:s "
       "RadosUser=user:s Keyring:s SecretRef:PLocalObjectReference ReadOnly:b"},
    {"ResourceClaim",
       "Name:s Request:s"},
    {"ResourceFieldSelector",
       "ContainerName:s Resource:s Divisor:q"},
    {"ResourceRequirements",
       "Limits:p Requests:p Claims:LResourceClaim"},
    {"RollingUpdateDaemonSet",
       "MaxUnavailable:I MaxSurge:I"},
    {"RollingUpdateDeployment",
       "MaxUnavailable:I MaxSurge:I"},
    {"RollingUpdateStatefulSetStrategy",
       "Partition:i MaxUnavailable:p"},
    {"SELinuxOptions",
       "User:s Role:s Type:s Level:s"},
    {"ScaleIOPersistentVolumeSource",
       "Gateway:s System:s SecretRef:PSecretReference SSLEnabled=sslEnabled:b "
       "ProtectionDomain:s StoragePool:s StorageMode:s VolumeName:s FSType=fsType:s "
       "ReadOnly:b"},
    {"ScaleIOVolumeSource",
       "Gateway:s System:s SecretRef:PLocalObjectReference SSLEnabled=sslEnabled:b "
       "ProtectionDomain:s StoragePool:s StorageMode:s VolumeName:s FSType=fsType:s "
       "ReadOnly:b"},
    {"ScopeSelector",
       "MatchExpressions:LScopedResourceSelectorRequirement"},
    {"ScopedResourceSelectorRequirement",
       "ScopeName:s Operator:s Values:p"},
    {"SeccompProfile",
       "Type:s LocalhostProfile:p"},
    {"SecretEnvSource",
       "Name:s Optional:p"},
    {"SecretKeySelector",
       "Name:s Key:s Optional:p"},
    {"SecretProjection",
       "Name:s Items:LKeyToPath Optional:p"},
    {"SecretReference",
       "Name:s Namespace:s"},
    {"SecretVolumeSource",
       "SecretName:s Items:LKeyToPath DefaultMode:p Optional:p"},
    {"SecurityContext",
       "Capabilities:PCapabilities Privileged:p "
       "SELinuxOptions=seLinuxOptions:PSELinuxOptions "
       "WindowsOptions:PWindowsSecurityContextOptions RunAsUser:p RunAsGroup:p "
       "RunAsNonRoot:p ReadOnlyRootFilesystem:p AllowPrivilegeEscalation:p ProcMount:p "
       "SeccompProfile:PSeccompProfile AppArmorProfile:PAppArmorProfile"},
    {"ServiceAccountTokenProjection",
       "Audience:s ExpirationSeconds:i Path:s"},
    {"SleepAction",
       "Seconds:i"},
    {"StatefulSetUpdateStrategy",
       "Type:s RollingUpdate:PRollingUpdateStatefulSetStrategy"},
    {"StorageOSPersistentVolumeSource",
       "VolumeName:s VolumeNamespace:s FSType=fsType:s ReadOnly:b SecretRef:PObjectReference"},
    {"StorageOSVolumeSource",
       "VolumeName:s VolumeNamespace:s FSType=fsType:s ReadOnly:b "
       "SecretRef:PLocalObjectReference"},
    {"SuccessPolicy",
       "Rules:LSuccessPolicyRule"},
    {"SuccessPolicyRule",
       "SucceededIndexes:p SucceededCount:p"},
    {"Sysctl",
       "Name:s Value:s"},
    {"TCPSocketAction",
       "Port:I Host:s"},
    {"Taint",
       "Key:s Value:s Effect:s TimeAdded:p"},
    {"Toleration",
       "Key:s Operator:s Value:s Effect:s TolerationSeconds:p"},
    {"TopologySpreadConstraint",
       "MaxSkew:i TopologyKey:s WhenUnsatisfiable:s LabelSelector:l MinDomains:p "
       "NodeAffinityPolicy:p NodeTaintsPolicy:p MatchLabelKeys:p"},
    {"TypedLocalObjectReference",
       "APIGroup=apiGroup:p Kind:s Name:s"},
    {"TypedObjectReference",
       "APIGroup=apiGroup:p Kind:s Name:s Namespace:p"},
    {"UncountedTerminatedPods",
       "Succeeded:p Failed:p"},
    {"Volume",
       "Name:s HostPath:PHostPathVolumeSource EmptyDir:PEmptyDirVolumeSource "
       "GCEPersistentDisk=gcePersistentDisk:PGCEPersistentDiskVolumeSource "
       "AWSElasticBlockStore=awsElasticBlockStore:PAWSElasticBlockStoreVolumeSource "
       "GitRepo:PGitRepoVolumeSource Secret:PSecretVolumeSource NFS=nfs:PNFSVolumeSource "
       "ISCSI=iscsi:PISCSIVolumeSource Glusterfs:PGlusterfsVolumeSource "
       "PersistentVolumeClaim:PPersistentVolumeClaimVolumeSource RBD=rbd:PRBDVolumeSource "
       "Quobyte:PQuobyteVolumeSource FlexVolume:PFlexVolumeSource Cinder:PCinderVolumeSource "
       "CephFS=cephfs:PCephFSVolumeSource Flocker:PFlockerVolumeSource "
       "DownwardAPI:PDownwardAPIVolumeSource FC=fc:PFCVolumeSource "
       "AzureFile:PAzureFileVolumeSource ConfigMap:PConfigMapVolumeSource "
       "VsphereVolume:PVsphereVirtualDiskVolumeSource AzureDisk:PAzureDiskVolumeSource "
       "PhotonPersistentDisk:PPhotonPersistentDiskVolumeSource "
       "Projected:PProjectedVolumeSource PortworxVolume:PPortworxVolumeSource "
       "ScaleIO:PScaleIOVolumeSource StorageOS=storageos:PStorageOSVolumeSource "
       "CSI=csi:PCSIVolumeSource Ephemeral:PEphemeralVolumeSource Image:PImageVolumeSource"},
    {"VolumeAttachmentSource",
       "PersistentVolumeName:p InlineVolumeSpec:PPersistentVolumeSpec"},
    {"VolumeAttachmentSpec",
       "Attacher:s Source:SVolumeAttachmentSource NodeName:s"},
    {"VolumeDevice",
       "Name:s DevicePath:s"},
    {"VolumeMount",
       "Name:s ReadOnly:b RecursiveReadOnly:p MountPath:s SubPath:s MountPropagation:p "
       "SubPathExpr:s"},
    {"VolumeNodeAffinity",
       "Required:PNodeSelector"},
    {"VolumeProjection",
       "Secret:PSecretProjection DownwardAPI:PDownwardAPIProjection "
       "ConfigMap:PConfigMapProjection ServiceAccountToken:PServiceAccountTokenProjection "
       "ClusterTrustBundle:PClusterTrustBundleProjection "
       "PodCertificate:PPodCertificateProjection"},
    {"VolumeResourceRequirements",
       "Limits:p Requests:p"},
    {"VsphereVirtualDiskVolumeSource",
       "VolumePath:s FSType=fsType:s StoragePolicyName:s StoragePolicyID:s"},
    {"WeightedPodAffinityTerm",
       "Weight:i PodAffinityTerm:SPodAffinityTerm"},
    {"WindowsSecurityContextOptions",
       "GMSACredentialSpecName=gmsaCredentialSpecName:p "
       "GMSACredentialSpec=gmsaCredentialSpec:p RunAsUserName:p HostProcess:p"},
};

const size_t internal_row_count = sizeof internal_rows / sizeof *internal_rows;
