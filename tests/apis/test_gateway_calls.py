# SPDX-License-Identifier: Apache-2.0
"""The gateway with servicers of the tests' own: what a servicer sees of a call, and what becomes of its faults."""

import asyncio
import json

import grpc
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from structlog.testing import capture_logs

from howdah.apis.calls import KIND_KEY
from howdah.apis.grpc.bridge import Bridge
from howdah.apis.grpc.errors import status_of
from howdah.apis.http import Gateway
from howdah.apis.http.bodies import MESSAGE_BYTES_MAX
from howdah.apis.hub import Hub
from howdah.apis.metrics import Metrics
from howdah.apis.protocol import PROTOCOL, Service
from howdah.errors import ErrorKind, NotFound
from howdah.wire.stubs import pfs_v2_pb2 as pb

WAIT = 20.0  # seconds; reached only by a failing test
API = PROTOCOL["pfs_v2.API"]


class Client:
    """The other end of one request, at the level of ASGI: what it sends, and what it has got."""

    def __init__(self, *chunks, leaves=False, headers=()):
        events = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
        events.append({"type": "http.disconnect"} if leaves else {"type": "http.request", "body": b""})
        self._events = events
        self._headers = [(name.encode(), value.encode()) for name, value in headers]
        self.reading = asyncio.Event()  # cleared: it reads slowly
        self.reading.set()
        self.taken = 0
        self.status = None
        self.body = b""

    async def call(self, servicer, method):
        """Make the call, until its answer has ended."""
        gateway = Gateway([Service(API, servicer)], status_of, Metrics(), incident=lambda: "4711")
        scope = {"type": "http", "method": "POST", "headers": self._headers}
        scope["path_params"] = {"path": f"pfs_v2.API/{method}"}
        async with asyncio.timeout(WAIT):
            await gateway(scope, self._receive, self._send)
        return self

    async def _receive(self):
        if not self._events:
            await asyncio.Event().wait()
        self.taken += 1
        return self._events.pop(0)

    async def _send(self, event):
        if event["type"] == "http.response.start":
            self.status = event["status"]
        self.body += event.get("body", b"")
        await self.reading.wait()

    @property
    def lines(self):
        return [json.loads(line) for line in self.body.splitlines()]


def servicer(name, function):
    """An object with one method."""
    return type("Servicer", (), {name: staticmethod(function)})()


def test_a_servicer_sees_what_the_headers_say():
    """The token and the transaction as they are, others under the prefix that gateways have; and the deadline."""
    seen = []

    async def inspect(request, call):
        seen.append((dict(call.invocation_metadata()), call.time_remaining()))
        return pb.RepoInfo(description=request.repo.name)

    headers = [
        ("authn-token", "secret"),
        ("pach-transaction", "f00"),
        ("grpc-metadata-command", "list repo"),
        ("user-agent", "x"),
        ("grpc-timeout", "10S"),
    ]

    client = asyncio.run(
        Client(b'{"repo":{"na', b'me":"a"}}', headers=headers).call(servicer("InspectRepo", inspect), "InspectRepo")
    )
    ((metadata, remaining),) = seen

    assert {"authn-token": "secret", "pach-transaction": "f00", "command": "list repo"} == metadata
    assert 0 < remaining <= 10
    assert (200, [{"description": "a"}]) == (client.status, client.lines)


def test_a_call_without_a_deadline_has_none():
    """None, as over gRPC."""
    seen = []

    async def inspect(request, call):
        seen.append(call.time_remaining())
        return pb.RepoInfo()

    asyncio.run(Client().call(servicer("InspectRepo", inspect), "InspectRepo"))

    assert [None] == seen


@pytest.mark.parametrize("streaming", [False, True])
def test_a_defect_is_logged_under_the_number_that_the_client_gets(streaming):
    """It sees INTERNAL and a number, not the defect's text."""

    async def fail(request, call):
        raise ZeroDivisionError("secret")

    method = "ListRepo" if streaming else "InspectRepo"
    with capture_logs() as logs:
        client = asyncio.run(Client().call(servicer(method, fail), method))

    assert (500, 13) == (client.status, client.lines[0]["code"])
    assert "internal error 4711" in client.lines[0]["message"]
    assert "secret" not in client.lines[0]["message"]
    assert ["4711"] == [entry["incident"] for entry in logs]


def test_errors_of_the_tree_and_aborted_calls_keep_their_kind():
    """Whether the bridge ended the call or the servicer let an error out."""

    async def stray(request, call):
        raise NotFound(ErrorKind.REPO_NOT_FOUND, "repo a not found")

    async def aborted(request, call):
        await call.abort(grpc.StatusCode.NOT_FOUND, "repo a not found", ((KIND_KEY, "repo_not_found"),))

    answers = [asyncio.run(Client().call(servicer("InspectRepo", each), "InspectRepo")) for each in (stray, aborted)]

    assert [404, 404] == [each.status for each in answers]
    assert answers[0].lines == answers[1].lines


def test_messages_may_be_serialised_already():
    """As threads of the core hand them over."""

    async def walk(request, call):
        for path in ("/a", "/b"):
            await call.write(pb.FileInfo(file=pb.File(path=path)).SerializeToString())

    client = asyncio.run(Client().call(servicer("WalkFile", walk), "WalkFile"))

    assert ["/a", "/b"] == [line["result"]["file"]["path"] for line in client.lines]


def test_a_message_that_has_no_json_is_an_error_that_says_so():
    """A type that is not known here."""

    async def get(request, call):
        return pb.GetCacheResponse(value=AnyMessage(type_url="type.googleapis.com/none.Message", value=b"x"))

    client = asyncio.run(Client().call(servicer("GetCache", get), "GetCache"))

    assert (501, 12) == (client.status, client.lines[0]["code"])
    assert "ask for it over gRPC" in client.lines[0]["message"]


def test_a_client_that_reads_slowly_is_not_sent_more():
    """The servicer waits in its write."""

    async def scenario():
        client, written = Client(), []

        async def walk(request, call):
            for number in range(100):
                await call.write(pb.FileInfo(size_bytes=number))
                written.append(number)

        client.reading.clear()
        call = asyncio.ensure_future(client.call(servicer("WalkFile", walk), "WalkFile"))
        while client.status is None:
            await asyncio.sleep(0)
        before = len(written)
        client.reading.set()
        await call
        return before, len(written), len(client.lines)

    assert (0, 100, 100) == asyncio.run(scenario())


def test_an_upload_is_taken_as_it_is_used():
    """Only as many messages are taken from the connection as the servicer has asked for, and one chunk."""

    async def scenario():
        chunks = [b'{"addFile":{"path":"/%d"}}\n' % number for number in range(100)]
        client, taken = Client(*chunks), []

        async def modify(requests, call):
            async for _ in requests:
                taken.append(client.taken)
            return pb.Commit()

        await client.call(servicer("ModifyFile", modify), "ModifyFile")
        return taken

    assert list(range(1, 101)) == asyncio.run(scenario())


def test_an_upload_that_breaks_off_never_looks_like_one_that_ended():
    """The function of the bridge sees an error after the messages that came, and applies nothing."""
    ended, seen = [], []

    async def scenario():
        bridge = Bridge(status_of, Hub())

        def function(messages):
            for message in messages:
                seen.append(message.add_file.path)
            ended.append(True)
            return pb.Commit()

        async def modify(requests, call):
            return await bridge.upload(call, function, requests)

        client = Client(b'{"addFile":{"path":"/a"}}\n{"addF', leaves=True)
        await client.call(servicer("ModifyFile", modify), "ModifyFile")
        await asyncio.to_thread(bridge.close)
        return client

    client = asyncio.run(scenario())

    assert [] == ended
    assert (None, b"") == (client.status, client.body)


@pytest.mark.parametrize("method", ["ModifyFile", "InspectRepo"])
def test_a_message_beyond_all_bounds_is_refused(method):
    """As soon as it is too long, whatever comes."""

    async def take(requests, call):
        async for _ in requests:
            pass

    piece = b" " * (1 << 20)
    client = Client(*[piece] * (MESSAGE_BYTES_MAX // len(piece) + 2))

    asyncio.run(client.call(servicer(method, take), method))

    assert (400, 3) == (client.status, client.lines[0]["code"])
    assert "send smaller ones" in client.lines[0]["message"]


@pytest.mark.parametrize(("name", "shown"), [("a\nb", "a\\nb"), ("ä" * 5000, "ä" * 100)])
def test_the_text_of_an_error_is_one_line_of_bounded_length(name, shown):
    """Whatever a caller gave as a name: a text travels in a header of gRPC."""
    _, text = status_of(NotFound(ErrorKind.FILE_NOT_FOUND, f"lease {name} not found"))

    assert text.startswith(f"lease {shown}")
    assert len(text.encode()) < 2_100
    assert text.isprintable()
