# SPDX-License-Identifier: Apache-2.0
"""Inputs tried out over the wire: what is handed out when, what is warned about, what is refused."""

import json
import queue
import urllib.request

import grpc
import pytest

from howdah.model.refs import Branch, CommitRef, Repo
from howdah.pfs.writes import Put
from howdah.testing.server import running_server
from howdah.wire.stubs import pps_v2_pb2 as pps
from howdah.wire.stubs.pps_v2_pb2_grpc import APIStub

WAIT = 30.0  # seconds that a call may take; reached only by a failing test
ALL = pps.Input(pfs=pps.PFSInput(repo="words", glob="/*"))
JOIN = pps.Input(join=[pps.Input(pfs=pps.PFSInput(repo="words", glob="/*", join_on="$1"))])


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Five files in a repo."""
    with running_server(tmp_path_factory.mktemp("lake"), workers=0) as running:
        repo = Repo("default", "words")
        running.pfs.catalog.repos.create(repo)
        running.pfs.writes.modify(CommitRef(repo, "master"), [Put(f"/{n}", [b"x"]) for n in range(5)])
        running.pfs.catalog.branches.create(Branch(repo, "empty"))
        yield running


@pytest.fixture(scope="module")
def stub(server):
    with grpc.insecure_channel(server.grpc_address) as channel:
        yield APIStub(channel)


def start(number=0, tried=ALL):
    return pps.CreateDatumRequest(start=pps.StartCreateDatumRequest(input=tried, number=number))


def more(number=0):
    return pps.CreateDatumRequest(**{"continue": pps.ContinueCreateDatumRequest(number=number)})


@pytest.mark.parametrize(
    ("requests", "count"),
    [
        ([start(2)], 2),
        ([start(2), more(2)], 4),
        ([start(2), more(2), more(2)], 5),
        ([start()], 5),
        ([start(5), more(5)], 5),
        ([start(1), more()], 5),
    ],
)
def test_as_many_datums_come_as_are_asked_for(stub, requests, count):
    """0 is a hundred; the stream ends with the last datum, whatever is asked after."""
    found = list(stub.CreateDatum(iter(requests), timeout=WAIT))

    assert count == len({datum.datum.id for datum in found}) == len(found)
    assert {pps.UNKNOWN} == {datum.state for datum in found}


def test_the_stream_ends_at_the_last_datum_though_the_client_does_not(stub):
    """A client that waits for more is told that there is none."""
    waiting = queue.SimpleQueue()
    waiting.put(start(5))

    found = list(stub.CreateDatum(iter(waiting.get, None), timeout=WAIT))
    waiting.put(None)

    assert 5 == len(found)


@pytest.mark.parametrize(
    ("requests", "words"),
    [
        ([more(1)], "begins with `start`"),
        ([start(1), start(1)], "begins with `start`"),
        ([pps.CreateDatumRequest()], "begins with `start`"),
        ([start(-1)], "number"),
        ([pps.CreateDatumRequest(start=pps.StartCreateDatumRequest(number=1))], "StartCreateDatumRequest.input"),
    ],
)
def test_messages_out_of_order_are_refused(stub, requests, words):
    """With what to do."""
    with pytest.raises(grpc.RpcError) as error:
        list(stub.CreateDatum(iter(requests), timeout=WAIT))

    assert grpc.StatusCode.INVALID_ARGUMENT == error.value.code()
    assert words in error.value.details()


def warnings_of(call):
    list(call)
    return [value.decode() for key, value in call.trailing_metadata() if key == "howdah-warning-bin"]


def test_warnings_come_with_the_end_of_the_answer(stub):
    """Of both calls; what is well has none."""
    tried = [
        stub.ListDatum(pps.ListDatumRequest(input=JOIN), timeout=WAIT),
        stub.CreateDatum(iter([start(tried=JOIN)]), timeout=WAIT),
    ]

    texts = [warnings_of(call) for call in tried]

    assert [1, 1] == list(map(len, texts))
    assert texts[0][0].startswith("input words: joinOn $1 refers to a group, and glob /* has no parentheses")
    assert [] == warnings_of(stub.ListDatum(pps.ListDatumRequest(input=ALL), timeout=WAIT))


def test_both_calls_are_there_over_http(server):
    """A message a line."""
    asked = json.dumps({"start": {"input": {"pfs": {"repo": "words", "glob": "/*"}}, "number": 3}}).encode()
    request = urllib.request.Request(
        f"{server.http_address}/api/pps_v2.API/CreateDatum", asked, {"Content-Type": "application/json"}
    )

    with urllib.request.urlopen(request, timeout=WAIT) as answer:
        lines = [json.loads(line) for line in answer.read().splitlines()]

    assert 3 == len([line["result"]["datum"]["id"] for line in lines])
