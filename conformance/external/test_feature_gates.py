"""--feature-gates that say which fields are kept, filled in and allowed: the answers of a kube-apiserver
v1.36 with GATES (feature_gate_cases.jsonl, recorded with version_cases.py), and the words in which
it does not start. Every case is a dry run."""

import json
import pathlib
import subprocess

import pytest

import conftest
import version_cases
from client import Api

GATES = """
CBORServingAndStorage=true
HPAScaleToZero=true
MaxUnavailableStatefulSet=true
ContainerStopSignals=true
TaintTolerationComparisonOperators=true
UserNamespacesHostNetworkSupport=true
VolumeLimitScaling=true
ClusterTrustBundle=true
ClusterTrustBundleProjection=true
CrossNamespaceVolumeDataSource=true
DRAListTypeAttributes=true
DRANodeAllocatableResources=true
HPAConfigurableTolerance=false
HostnameOverride=false
EnvFiles=false
RestartAllContainersOnContainerExits=false
ContainerRestartRules=false
MatchLabelKeysInPodTopologySpreadSelectorMerge=false
MatchLabelKeysInPodTopologySpread=false
DeploymentReplicaSetTerminatingReplicas=false
DRAConsumableCapacity=false
DRAPartitionableDevices=false
DRADeviceTaints=false
DRADeviceTaintRules=false
DRAExtendedResource=false
DRAPrioritizedList=false
InPlacePodLevelResourcesVerticalScaling=false
InPlacePodVerticalScalingInitContainers=false
ExtendWebSocketsToKubelet=false
PodLevelResources=false
PodLevelResourceManagers=false
ResourceHealthStatus=false
ResourceHealthStatusMessage=false
DRADeviceBindingConditions=false
""".split()
CASES = [json.loads(line) for line in open(pathlib.Path(__file__).with_name("feature_gate_cases.jsonl"), encoding="utf-8")]
REFUSED = [
    ("ClusterTrustBundleProjection=true",
     "ClusterTrustBundleProjection is enabled, but depends on features that are disabled: [ClusterTrustBundle]"),
    ("PodLevelResources=false", "InPlacePodLevelResourcesVerticalScaling is enabled, but depends on features that are "
                                "disabled: [PodLevelResources]"),
    ("WorkloadAwarePreemption=true",
     "WorkloadAwarePreemption is enabled, but depends on features that are disabled: [GangScheduling]"),
    ("ContainerRestartRules=false", "RestartAllContainersOnContainerExits is enabled, but depends on features that are "
                                    "disabled: [ContainerRestartRules]"),
]


@pytest.fixture(scope="module")
def gated(tmp_path_factory):
    server = conftest.start(tmp_path_factory.mktemp("gated"), "--allow-privileged=true", "--feature-gates=" + ",".join(GATES))
    conftest.wait_ready(server)
    yield Api(server)
    conftest.stop(server)


def test_answers_are_the_recorded_ones(gated):
    differ = version_cases.differences(gated, CASES)
    assert not differ, "\n".join(differ)


@pytest.mark.parametrize("gates,words", REFUSED)
def test_a_gate_needs_others(gates, words):
    run = subprocess.run([conftest.binary(), "serve", "--secure-port=0", "--feature-gates=" + gates],
                         capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode != 0 and words in run.stderr
