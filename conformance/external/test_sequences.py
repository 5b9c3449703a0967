"""Sequences of requests (sequences/*.jsonl) with what a fresh kube-apiserver v1.36.3 answered to each, recorded by
version_cases.py: every answer is the same, but for ids, versions and times."""

import json
import pathlib

import pytest

import conftest
import version_cases
from client import Api

# The flags of the servers that answered, beside conftest's.
FLAGS = {"admission_plugins": ["--enable-admission-plugins=AlwaysPullImages,DenyServiceExternalIPs,PodNodeSelector,"
                               "PodTolerationRestriction,NamespaceAutoProvision,NamespaceExists,"
                               "ExtendedResourceToleration,LimitPodHardAntiAffinityTopology,"
                               "OwnerReferencesPermissionEnforcement"]}
FILES = sorted(pathlib.Path(__file__).with_name("sequences").glob("*.jsonl"))


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_answers_are_the_recorded_ones(tmp_path, file):
    server = conftest.start(tmp_path, *FLAGS.get(file.stem, []))
    conftest.wait_ready(server)
    cases = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    differ = version_cases.differences(Api(server), cases)
    conftest.stop(server)
    assert not differ, "\n".join(differ)
