# SPDX-License-Identifier: Apache-2.0
"""JSON over HTTP: every shape of call through `/api/`, over real connections."""

import base64
import http.client
import json
import re
import socket
import threading
from contextlib import contextmanager
from urllib.parse import urlsplit

import grpc
import pytest

from howdah.apis.http.statuses import HTTP_STATUSES
from howdah.testing.server import running_server

WAIT = 20.0  # seconds; reached only by a failing test


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("lake")) as running:
        yield running


class Api:
    """Calls by method; each makes a connection of its own."""

    def __init__(self, server):
        self.host = urlsplit(server.http_address).netloc

    @contextmanager
    def answer(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection(self.host, timeout=WAIT)
        try:
            connection.request(method, path, body, headers or {})
            yield connection.getresponse()
        finally:
            connection.close()

    def post(self, method, body=b"{}", headers=None):
        """Status and JSON of an answer; of a stream, all its lines."""
        body = json.dumps(body) if isinstance(body, dict) else body
        with self.answer("POST", f"/api/{method}", body, headers) as answer:
            text = answer.read()
            if answer.headers["content-type"] == "application/x-ndjson":
                return answer.status, [json.loads(line) for line in text.splitlines()]
            return answer.status, json.loads(text)

    def result(self, method, body=b"{}"):
        """The same of a call that must succeed; the messages of a stream."""
        status, tree = self.post(method, body)
        assert 200 == status, tree
        return [line["result"] for line in tree] if isinstance(tree, list) else tree


@pytest.fixture
def api(server):
    return Api(server)


@pytest.fixture
def repo(api, request):
    name = re.sub(r"\W", "-", request.node.name)[:60]
    api.result("pfs_v2.API/CreateRepo", {"repo": {"name": name}})
    return name


def commit(repo):
    return {"branch": {"name": "master", "repo": {"name": repo}}}


def lines(*messages):
    return b"".join(json.dumps(each).encode() + b"\n" for each in messages)


def add(path, data):
    return {"addFile": {"path": path, "raw": base64.b64encode(data).decode()}}


def put(repo, *files):
    """The lines of a `ModifyFile`."""
    return lines({"setCommit": commit(repo)}, *files)


def paths(api, repo):
    request = {"file": {"commit": commit(repo), "path": "/"}}
    return [info["file"]["path"] for info in api.result("pfs_v2.API/ListFile", request)]


def test_a_unary_call_takes_an_object_and_gives_one(api, repo):
    """Names in lower camel case; 64-bit numbers as strings; times in RFC 3339; defaults left out."""
    info = api.result("pfs_v2.API/InspectRepo", {"repo": {"name": repo}})

    assert {"name": repo, "type": "user", "project": {"name": "default"}} == info["repo"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", info["created"])
    assert "sizeBytesUpperBound" not in info


def test_an_empty_body_is_an_empty_message(api):
    """So is white space."""
    version = api.result("versionpb_v2.API/GetVersion", b"")

    assert version == api.result("versionpb_v2.API/GetVersion", b" \n")
    assert (2, 12) == (version["major"], version["minor"])


def test_fields_have_two_spellings_and_enums_too(api, repo):
    """As protobuf has it for JSON."""
    api.result("pfs_v2.API/ModifyFile", put(repo, add("/a", b"1")))
    requests = [
        {"repo": {"name": repo}, "originKind": "USER"},
        {"repo": {"name": repo}, "origin_kind": 1},
        {"repo": {"name": repo}, "origin_kind": "AUTO"},
        {"repo": {"name": repo}, "number": "1"},
        {"repo": {"name": repo, "type": None}, "number": 1},
    ]

    assert [1, 1, 0, 1, 1] == [len(api.result("pfs_v2.API/ListCommit", each)) for each in requests]


def test_an_upload_is_a_line_for_each_message_and_a_download_too(api, repo):
    """Bytes go as base64; the last line needs no end, and empty ones do not count."""
    data = bytes(range(256)) * 40_000

    pieces = [add("/big", data[at : at + 1_000_000]) for at in range(0, len(data), 1_000_000)]
    api.result("pfs_v2.API/ModifyFile", b"\n" + put(repo, *pieces, add("/small", b"x"))[:-1])
    got = api.result("pfs_v2.API/GetFile", {"file": {"commit": commit(repo), "path": "/big"}})

    assert ["/big", "/small"] == paths(api, repo)
    assert data == b"".join(map(base64.b64decode, got))


def test_a_stream_without_messages_is_an_empty_answer(api):
    """Not a line that says so."""
    assert (200, []) == api.post("pfs_v2.API/ListRepo", {"projects": [{"name": "none"}]})


def test_a_conversation_has_a_line_for_each_message_both_ways(api):
    """Both sides stream."""
    questions = lines({"fileContainingSymbol": "pfs_v2.API"}, {"fileByFilename": "none"})

    first, second = api.result("grpc.reflection.v1.ServerReflection/ServerReflectionInfo", questions)

    assert first["fileDescriptorResponse"]["fileDescriptorProto"]
    assert 5 == second["errorResponse"]["errorCode"]


def test_an_error_has_status_code_text_and_kind(api):
    """The status is that of the code; the kind is our own, and stable."""
    status, error = api.post("pfs_v2.API/InspectRepo", {"repo": {"name": "none"}})

    assert 404 == status
    assert (5, "repo default/none not found") == (error["code"], error["message"].partition(";")[0])
    assert ["repo_not_found"] == [each["reason"] for each in error["details"]]


def test_an_error_before_the_first_message_of_a_stream_has_a_status_too(api):
    """Not 200 with an error in it."""
    status, error = api.post("pfs_v2.API/ListFile", {"file": {"commit": commit("none"), "path": "/"}})

    assert (404, 5) == (status, error["code"])


def test_an_error_in_mid_stream_is_the_last_line(api, repo):
    """What was sent before it stands."""
    api.result("pfs_v2.API/ModifyFile", put(repo, add("/a", b"1")))

    status, got = api.post("pfs_v2.API/SubscribeCommit", {"repo": {"name": repo}}, {"Grpc-Timeout": "200m"})

    assert 200 == status
    assert repo == got[0]["result"]["commit"]["repo"]["name"]
    assert {"code": 4, "message": "the deadline has passed; give more time", "details": []} == got[-1]["error"]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"rep": 1}', 'pfs_v2.CreateRepoRequest has no field named "rep"'),
        (b'{"repo": {"nam": 1}}', 'pfs_v2.Repo has no field named "nam"'),
        (b'{"repo": {"name": 7}}', "CreateRepoRequest"),
        (b'{"repo": 7}', "CreateRepoRequest"),
        (b'{"update": "yes"}', "Expected true or false"),
        (b'{"update": true, "update": false}', "key 'update' is there twice"),
        (b"[]", "not as an array"),
        (b"null", "not as null"),
        (b'"x"', "not as a string"),
        (b"7", "not as a number"),
        (b"true", "not as a boolean"),
        (b"{", "this is not the JSON of"),
        (b"\xff", "this is not the JSON of"),
        (b'{"description": "\\ud800"}', "surrogate"),
        (b'{"update": NaN}', "NaN is not JSON"),
        (b'{"repo":' * 90 + b"{}" + b"}" * 90, "no field named"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_json_that_is_no_such_message_is_refused(api, body, text):
    """With what is wrong, and nothing is done."""
    status, error = api.post("pfs_v2.API/CreateRepo", body)

    assert (400, 3) == (status, error["code"])
    assert text in error["message"]
    assert "\n" not in error["message"]


def test_a_line_that_cannot_be_read_ends_an_upload_that_applies_nothing(api, repo):
    """The error is that of the line, and the lines before it have done nothing."""
    status, error = api.post("pfs_v2.API/ModifyFile", put(repo, add("/a", b"1"), {"addFle": {}}))

    assert (400, 'pfs_v2.ModifyFileRequest has no field named "addFle"') == (
        status,
        error["message"].partition(": ")[2].partition(";")[0],
    )
    assert [] == api.result("pfs_v2.API/ListCommit", {"repo": {"name": repo}})


def test_a_method_that_is_not_served_is_501(api):
    """With the text that gRPC gives; clients know a server without authentication by it."""
    status, error = api.post("auth_v2.API/WhoAmI")

    assert (501, 12) == (status, error["code"])
    assert error["message"].startswith("the auth service is not activated")


@pytest.mark.parametrize("path", ["pfs_v2.API/Nope", "nope.API/Nope", "pfs_v2.API", "pfs_v2.API/", "x"])
def test_what_the_protocol_lacks_is_404(api, path):
    """With where to look."""
    for method in ("GET", "POST"):
        with api.answer(method, f"/api/{path}") as answer:
            assert 404 == answer.status
            assert json.load(answer)["message"].endswith("/api/ lists what there is")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_a_call_by_another_method_is_405_and_told_how(api, method):
    """With a command to copy."""
    with api.answer(method, "/api/pfs_v2.API/ListRepo") as answer:
        assert (405, "POST") == (answer.status, answer.headers["allow"])
        assert f"curl -d '{{}}' http://{api.host}/api/pfs_v2.API/ListRepo" in json.load(answer)["message"]


def test_the_list_names_every_service_and_method(api):
    """With how each is called."""
    with api.answer("GET", "/api/") as answer:
        services = {each["name"]: each["methods"] for each in json.load(answer)["services"]}

    by_name = {each["name"]: each for each in services["pfs_v2.API"]}
    assert 56 == len(by_name)
    assert {
        "name": "ModifyFile",
        "path": "/api/pfs_v2.API/ModifyFile",
        "clientStreaming": True,
        "serverStreaming": False,
        "served": True,
    } == by_name["ModifyFile"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://{host}"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        # A name that leads here: its owner's page would pass for one of ours.
        ({"Origin": "http://evil.example", "Host": "evil.example"}, 403),
        ({"Origin": "http://localhost:1", "Host": "localhost:1"}, 200),
        ({"Host": "lake.example"}, 200),
    ],
)
def test_web_pages_of_others_cannot_call(api, headers, status):
    """A browser sends requests for any page in the world, and a pipeline is a command that runs here."""
    sent = {name: value.format(host=api.host) for name, value in headers.items()}

    assert status == api.post("pfs_v2.API/ListRepo", b"", sent)[0]


@pytest.mark.parametrize(("text", "status"), [("10S", 200), ("1H", 200), ("ten", 400), ("1", 400), ("123456789S", 400)])
def test_a_deadline_is_read_as_grpc_writes_it(api, text, status):
    """Digits and a unit."""
    assert status == api.post("pfs_v2.API/ListRepo", b"", {"Grpc-Timeout": text})[0]


def test_calls_are_counted_as_those_over_grpc_are(api):
    """By method and code, in the same counter."""

    def count(code):
        with api.answer("GET", "/metrics") as answer:
            found = re.search(
                rf'howdah_grpc_calls_total{{code="{code}",method="pfs_v2.API/InspectProject"}} (\d+)',
                answer.read().decode(),
            )
        return int(found[1]) if found else 0

    before = [count("OK"), count("NOT_FOUND"), count("INVALID_ARGUMENT")]
    api.post("pfs_v2.API/InspectProject", {"project": {"name": "default"}})
    api.post("pfs_v2.API/InspectProject", {"project": {"name": "none"}})
    api.post("pfs_v2.API/InspectProject", b"[]")

    assert [n + 1 for n in before] == [count("OK"), count("NOT_FOUND"), count("INVALID_ARGUMENT")]


def test_every_code_has_a_status():
    """A code that came without one would be an error of ours."""
    assert set(grpc.StatusCode) == set(HTTP_STATUSES)


def chunk(data):
    return b"%x\r\n%b\r\n" % (len(data), data)


def test_a_broken_off_upload_applies_nothing(api, repo):
    """The connection ends after whole lines but before the end: not the same as an end."""
    host, port = api.host.split(":")
    with socket.create_connection((host, int(port)), timeout=WAIT) as connection:
        head = "POST /api/pfs_v2.API/ModifyFile HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode() + chunk(put(repo, add("/a", b"1"))))
    until(lambda: counted(api, "ModifyFile", "CANCELLED"))

    assert [] == api.result("pfs_v2.API/ListCommit", {"repo": {"name": repo}})


def test_a_client_that_leaves_cancels_its_call(api, repo):
    """A subscription ends with its connection."""
    host, port = api.host.split(":")
    with socket.create_connection((host, int(port)), timeout=WAIT) as connection:
        body = json.dumps({"repo": {"name": repo}}).encode()
        head = f"POST /api/pfs_v2.API/SubscribeCommit HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)
        api.result("pfs_v2.API/ModifyFile", put(repo, add("/a", b"1")))
        assert connection.recv(15) == b"HTTP/1.1 200 OK"
    until(lambda: counted(api, "SubscribeCommit", "CANCELLED"))


def test_a_server_that_stops_ends_those_who_wait(tmp_path):
    """With a last line that says so; it does not wait for them."""
    with running_server(tmp_path) as server:
        api = Api(server)
        api.result("pfs_v2.API/CreateRepo", {"repo": {"name": "r"}})
        api.result("pfs_v2.API/ModifyFile", put("r", add("/a", b"1")))
        connection = http.client.HTTPConnection(api.host, timeout=WAIT)
        connection.request("POST", "/api/pfs_v2.API/SubscribeCommit", '{"repo": {"name": "r"}}')
        answer = connection.getresponse()
        first = json.loads(answer.readline())

    rest = [json.loads(line) for line in answer.read().splitlines()]
    connection.close()

    assert "r" == first["result"]["commit"]["repo"]["name"]
    assert [14] == [line["error"]["code"] for line in rest]


def counted(api, method, code):
    with api.answer("GET", "/metrics") as answer:
        return f'howdah_grpc_calls_total{{code="{code}",method="pfs_v2.API/{method}"}}' in answer.read().decode()


def until(condition):
    """Wait until it is so."""
    for _ in range(2_000):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it never came to be")
