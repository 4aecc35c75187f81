# SPDX-License-Identifier: Apache-2.0
"""How `pachctl` holds its connection: pings, headers, compression, and what it asks before all else."""

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty

from howdah.wire.stubs import auth_v2_pb2 as auth
from howdah.wire.stubs import health_v1_pb2 as health
from howdah.wire.stubs import pfs_v2_pb2 as pb
from tests.other_clients.http2 import connection
from tests.other_clients.pachctl import NilPointer, Pachctl, branch, commit, file, look_through, put_file, repo


def test_the_cluster_says_who_it_is_and_warns_of_nothing(server, pachctl):
    """A context keeps the deployment from the first command on; later ones find the same."""
    pachctl.run("version", "versionpb_v2.API/GetVersion", Empty(), seconds=1)
    version = pachctl.run("version", "versionpb_v2.API/GetVersion", Empty(), seconds=1)

    assert server.lake_id == pachctl.deployment_id
    assert [] == pachctl.warnings
    assert (2, 12) == (version.major, version.minor)


def test_a_project_that_is_not_there_is_worth_a_warning(server):
    """Whatever the command: it must be able to make the project."""
    pachctl = Pachctl(server.grpc_address, project="nowhere")

    pachctl.run("list repo", "pfs_v2.API/ListRepo", pb.ListRepoRequest(type="user"))

    assert 1 == len(pachctl.warnings)
    assert "nowhere" in pachctl.warnings[0]


def test_pings_without_a_call_are_answered_for_ever(server):
    """gRPC as it comes calls the fifth in a row one too many, and closes the connection."""
    with connection(server.host, server.grpc_port) as idle:
        answered = [idle.ping(number) for number in range(300)]

    assert list(range(300)) == answered


def test_a_command_line_of_many_files_fits_into_the_headers(pachctl):
    """48 KiB of arguments."""
    line = "put file images@master " + " ".join(f"-f photographs/{number:05}.jpeg" for number in range(1_900))

    repos = pachctl.run(line, "pfs_v2.API/ListRepo", pb.ListRepoRequest(type="user"))

    assert len(line) > 48_000
    assert isinstance(repos, list)


def test_compressed_requests_are_understood(pachctl):
    """`put file -c`: a message of 2 MiB that is a few KiB on the wire."""
    pachctl.run("create repo zipped", "pfs_v2.API/CreateRepo", pb.CreateRepoRequest(repo=repo("zipped")))
    data = b"all work and no play\n" * 300_000
    with pachctl.command("put file zipped@master -c -f play.txt") as begun:
        put_file(begun, commit("zipped", name="master"), {"/play.txt": data}, gzip=True)

    with pachctl.command("get file zipped@master:/play.txt") as begun:
        got = begun.call("pfs_v2.API/GetFile", pb.GetFileRequest(file=file("zipped", "/play.txt")))

    assert data == b"".join(message.value for message in got)


def test_a_hundred_streams_wait_on_one_connection(pachctl):
    """None of them keeps a call from being answered."""
    pachctl.run("create repo waited", "pfs_v2.API/CreateRepo", pb.CreateRepoRequest(repo=repo("waited")))
    with pachctl.command("subscribe commit waited@master") as begun:
        asked = pb.SubscribeCommitRequest(repo=repo("waited"), branch="master", state=pb.STARTED)
        call = begun.channel.unary_stream(
            "/pfs_v2.API/SubscribeCommit",
            request_serializer=pb.SubscribeCommitRequest.SerializeToString,
            response_deserializer=pb.CommitInfo.FromString,
        )
        streams = [call(asked, timeout=60) for _ in range(100)]
        started = begun.call("pfs_v2.API/StartCommit", pb.StartCommitRequest(branch=branch("waited")))
        seen = [next(stream).commit.id for stream in streams]
        for stream in streams:
            stream.cancel()

    assert [started.id] * 100 == seen


def test_probes_find_the_server_serving(pachctl):
    """The empty name is the whole server."""
    answer = pachctl.run("port-forward", "grpc.health.v1.Health/Check", health.HealthCheckRequest(service=""))

    assert health.HealthCheckResponse.SERVING == answer.status


def test_nobody_has_to_log_in(pachctl):
    """Code and text are those by which a cluster without authentication is known."""
    with pytest.raises(grpc.RpcError) as caught:
        pachctl.run("auth whoami", "auth_v2.API/WhoAmI", auth.WhoAmIRequest())

    assert grpc.StatusCode.UNIMPLEMENTED == caught.value.code()
    assert "the auth service is not activated" in caught.value.details()


def test_the_stand_in_ends_where_the_real_one_would():
    """An answer without what is followed is noticed, wherever it stands in the answer."""
    whole = pb.CommitInfo(commit=commit("images", "0"), origin={})
    broken = pb.CommitSetInfo(commit_set={}, commits=[whole, pb.CommitInfo(commit=pb.Commit(id="1"), origin={})])

    look_through(whole)
    with pytest.raises(NilPointer, match=r"commit\.repo"):
        look_through(broken)
