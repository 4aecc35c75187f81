# SPDX-License-Identifier: Apache-2.0
"""Garbage collection, usage and checks over gRPC: our client, the protocol's own calls, the commands."""

import json
import random
from datetime import timedelta

import grpc
import pytest

from howdah.cli.main import run
from howdah.client import Client
from howdah.errors import BadRequest, NotFound
from howdah.model.upkeep import Fault, Proved
from howdah.testing.server import running_server
from howdah.wire.stubs import pfs_v2_pb2 as pb
from howdah.wire.stubs import pfs_v2_pb2_grpc

BIG = random.Random(5).randbytes(2 << 20)
AT_ONCE = timedelta()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("upkeep")) as running:
        yield running


@pytest.fixture
def client(server):
    with Client(server.grpc_address, direct=False) as made:
        yield made


@pytest.fixture
def protocol(server):
    with grpc.insecure_channel(server.grpc_address) as channel:
        yield pfs_v2_pb2_grpc.APIStub(channel)


def test_a_deleted_repo_gives_back_what_was_said(client):
    """Usage, deletion, a dry run, the real one, and everything back and away again."""
    client.create_repo("gone")
    client.put_file("gone@master", "/big", BIG)
    [held] = client.usage("gone")
    client.delete_repo("gone")

    dry = client.collect_garbage(dry_run=True, keep=AT_ONCE)
    done = client.collect_garbage(keep=AT_ONCE)
    back = client.collect_garbage(undelete=True)

    assert held.exclusive_bytes > len(BIG)
    assert dry.dry_run
    assert held.exclusive_bytes == dry.thrown_away.size_bytes == done.thrown_away.size_bytes
    assert done.removed == done.thrown_away
    assert 0 == back.put_back.objects


def test_usage_takes_repos_branches_and_commits(client):
    """By the texts of the command line; what is not there is named."""
    client.create_repo("used")
    client.put_file("used@master", "/a", b"a")
    commit = client.inspect_commit("used@master").commit

    names = [held.name for held in client.usage("used", "used@master", f"used@{commit.id}")]

    assert ["default/used", "default/used@master", str(commit)] == names
    assert "default/used" in [held.name for held in client.usage()]
    with pytest.raises(NotFound):
        client.usage("nothing")


def test_a_check_tells_how_far_it_came(client):
    """And finds nothing in a good lake; a part that does not exist is refused."""
    answers = list(client.check())

    assert [] == [answer for answer in answers if isinstance(answer, Fault)]
    assert isinstance(answers[-1], Proved)
    assert [] == list(client.check(metadata_only=True))
    with pytest.raises(BadRequest):
        list(client.check(part=(3, 2)))


def test_the_protocols_checks_find_nothing(protocol, client):
    """Fsck with and without a fix, for zombies of all and of one commit; CheckStorage counts."""
    client.create_repo("checked")
    client.put_file("checked@master", "/a", b"a")
    commit = pb.Commit(repo=pb.Repo(name="checked", type="user"), branch=pb.Branch(name="master"))
    requests = [{}, {"fix": True}, {"zombie_all": True}, {"zombie_target": commit}]

    answers = [list(protocol.Fsck(pb.FsckRequest(**request))) for request in requests]
    every = protocol.CheckStorage(pb.CheckStorageRequest(read_chunk_data=True)).chunk_object_count
    low = protocol.CheckStorage(pb.CheckStorageRequest(chunk_end=b"\x80")).chunk_object_count
    high = protocol.CheckStorage(pb.CheckStorageRequest(chunk_begin=b"\x80")).chunk_object_count

    assert [[]] * 4 == answers
    assert every > 0
    assert every == low + high


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (["gc", "--dry-run"], "named"),
        (["gc", "--undelete"], "put_back"),
        (["gc", "--older-than", "12h"], "removed"),
    ],
)
def test_gc_answers_as_json(server, capsys, words, field):
    """With the bytes for each reason."""
    code = run([*words, "-o", "json", "--address", server.grpc_address])

    assert 0 == code
    assert {"objects", "size_bytes"} == json.loads(capsys.readouterr().out)[field].keys()


def test_the_commands_answer_people(server, client, capsys):
    """A table for each."""
    client.create_repo("shown")
    client.put_file("shown@master", "/a", b"a")
    address = ["--address", server.grpc_address]

    codes = [run([*words, *address]) for words in (["gc"], ["du", "shown"], ["fsck"], ["fsck", "--part", "2/2"])]
    shown = capsys.readouterr().out

    assert [0, 0, 0, 0] == codes
    assert "put into the trash" in shown
    assert "default/shown  1" in shown
    assert "no faults; " in shown


@pytest.mark.parametrize(
    "words", [["gc", "--undelete", "--dry-run"], ["fsck", "--part", "x"], ["gc", "--older-than", "x"]]
)
def test_what_makes_no_sense_is_refused(server, words):
    """Before the server is asked."""
    assert 2 == run([*words, "--address", server.grpc_address])


def test_fsck_ends_with_nine_when_it_finds_something(tmp_path, capsys):
    """And says what to do."""
    with running_server(tmp_path) as running, Client(running.grpc_address) as client:
        client.create_repo("r")
        client.put_file("r@master", "/a", b"a")
        chunk = next(path for path in (tmp_path / "lake" / "chunk").rglob("*") if path.is_file())
        chunk.unlink()

        code = run(["fsck", "--address", running.grpc_address])

    assert 9 == code
    assert "hurts file /a in commit default/r@" in capsys.readouterr().out
