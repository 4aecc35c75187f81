# SPDX-License-Identifier: Apache-2.0
"""The stubs speak the protocol as existing clients know it: names, numbers and bytes."""

import datetime
import importlib
import pkgutil

import pachyderm_sdk.api.pfs as sdk_pfs
import pachyderm_sdk.api.pps as sdk_pps
import pytest
from google.protobuf import descriptor_pool

from howdah.wire import stubs
from howdah.wire.stubs import pfs_v2_pb2, pps_v2_pb2
from howdah.wire.stubs.comments import COMMENTS
from tests.house.house import PACKAGE

for module in pkgutil.iter_modules(stubs.__path__):
    importlib.import_module(f"{stubs.__name__}.{module.name}")

POOL = descriptor_pool.Default()

# service: (how many methods, one of them, whether its caller streams, whether it streams)
SERVICES = {
    "admin_v2.API": (2, "InspectCluster", False, False),
    "auth_v2.API": (25, "WhoAmI", False, False),
    "debug_v2.Debug": (9, "DumpV2", False, True),
    "enterprise_v2.API": (8, "GetState", False, False),
    "grpc.health.v1.Health": (3, "Watch", False, True),
    "grpc.reflection.v1.ServerReflection": (1, "ServerReflectionInfo", True, True),
    "grpc.reflection.v1alpha.ServerReflection": (1, "ServerReflectionInfo", True, True),
    "howdah.v1.Lake": (None, "GetLake", False, False),
    "identity_v2.API": (13, "CreateIDPConnector", False, False),
    "license_v2.API": (9, "AddCluster", False, False),
    "logs.API": (1, "GetLogs", False, True),
    "metadata.API": (1, "EditMetadata", False, False),
    "pachyderm.worker.Worker": (3, "Status", False, False),
    "pfs_v2.API": (56, "ModifyFile", True, False),
    "pjs.API": (10, "ProcessQueue", True, True),
    "pps_v2.API": (42, "CreateDatum", True, True),
    "proxy.API": (1, "Listen", False, True),
    "snapshot.API": (4, "ListSnapshot", False, True),
    "storage.Fileset": (6, "CreateFileset", True, False),
    "transaction_v2.API": (7, "BatchTransaction", False, False),
    "versionpb_v2.API": (1, "GetVersion", False, False),
}

FIELDS = {
    "admin_v2.ClusterInfo.deployment_id": 2,
    "metadata.Edit.AddKey.key": 1,
    "pfs_v2.AddFile.URLSource.URL": 1,
    "pfs_v2.Commit.repo": 3,
    "pfs_v2.Commit.id": 2,
    "pfs_v2.Commit.branch": 1,
    "pfs_v2.GetFileRequest.URL": 2,
    "pps_v2.CreatePipelineRequest.egress": 5,
    "pps_v2.Egress.URL": 1,
    "pps_v2.JobInfo.Details.transform": 1,
    "pps_v2.ListJobRequest.jqFilter": 6,
    "pps_v2.RerunPipelineRequest.reprocess": 15,
    "pps_v2.UpdateJobStateRequest.restart": 5,
}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_its_name_and_its_methods(name):
    """The full name is what goes over the wire; a stream is where callers expect one."""
    count, method, client_streams, server_streams = SERVICES[name]

    service = POOL.FindServiceByName(name)

    found = service.methods_by_name[method]
    assert (client_streams, server_streams) == (found.client_streaming, found.server_streaming)
    if count is not None:  # our own services grow
        assert count == len(service.methods)


def test_no_service_is_left_unlisted():
    """Each service in the protos is in the table above."""
    files = [POOL.FindFileByName(f"howdah/wire/proto/{path.name}") for path in (PACKAGE / "wire" / "proto").iterdir()]

    names = {service.full_name for file in files for service in file.services_by_name.values()}

    assert set() == {name for name in names if not name.startswith("howdah.")} - set(SERVICES)
    assert set() == set(SERVICES) - names


def test_every_method_of_ours_has_its_comment():
    """What is said of it in the proto is there at run time; one that is missing wants `make stubs`."""
    ours = [POOL.FindServiceByName(name) for name in ("howdah.v1.Lake", "howdah.v1.Work")]

    names = {method.full_name for service in ours for method in service.methods}

    assert set() == names - set(COMMENTS)


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_has_its_number(name):
    """Numbers and names of fields are facts of the protocol."""
    assert FIELDS[name] == POOL.FindFieldByName(name).number


def test_files_in_the_pool_are_ours_by_name():
    """The pool is one for the process; a bare `storage.proto` might be anybody's."""
    assert "howdah/wire/proto/storage.proto" == POOL.FindMessageTypeByName("storage.FileFilter").file.name


def test_the_official_clients_commit_reads_as_ours_and_back():
    """Bytes of the SDK's message parse into ours, and ours into the SDK's."""
    theirs = sdk_pfs.Commit(
        repo=sdk_pfs.Repo(name="images", type="user", project=sdk_pfs.Project(name="default")),
        id="3f2a" * 8,
        branch=sdk_pfs.Branch(name="master"),
    )

    ours = pfs_v2_pb2.Commit.FromString(bytes(theirs))

    assert ("images", "default", "3f2a" * 8) == (ours.repo.name, ours.repo.project.name, ours.id)
    assert theirs == sdk_pfs.Commit().parse(ours.SerializeToString())


def test_the_official_clients_pipeline_spec_reads_as_ours_and_back():
    """Nested messages, maps, repeated fields, durations and oneofs keep their places."""
    theirs = sdk_pps.CreatePipelineRequest(
        pipeline=sdk_pps.Pipeline(name="edges", project=sdk_pfs.Project(name="default")),
        transform=sdk_pps.Transform(image="python:3.12", cmd=["python3", "/edges.py"], env={"A": "1"}),
        input=sdk_pps.Input(pfs=sdk_pps.PfsInput(repo="images", glob="/*")),
        datum_timeout=datetime.timedelta(seconds=30),
        resource_limits=sdk_pps.ResourceSpec(cpu=0.5, memory="1Gi"),
    )

    ours = pps_v2_pb2.CreatePipelineRequest.FromString(bytes(theirs))

    assert ["python3", "/edges.py"] == list(ours.transform.cmd)
    assert {"A": "1"} == dict(ours.transform.env)
    assert ("images", 30, 0.5) == (ours.input.pfs.repo, ours.datum_timeout.seconds, ours.resource_limits.cpu)
    assert bytes(theirs) == bytes(sdk_pps.CreatePipelineRequest().parse(ours.SerializeToString(deterministic=True)))
