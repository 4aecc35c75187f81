# SPDX-License-Identifier: Apache-2.0
"""The description of the JSON API for machines, at `/api/openapi.json`."""

import json
import urllib.request

import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from howdah.apis.http.openapi import openapi
from howdah.apis.protocol import PROTOCOL
from howdah.testing.server import running_server
from tests.apis.not_yet import METHODS, SERVED, is_served, name_of
from tests.fuzz.messages import any_message


@pytest.fixture(scope="module")
def document():
    return json.loads(openapi([name_of(method) for method in SERVED]))


def test_a_server_gives_the_description(tmp_path, document):
    """At a stable URL, of what it serves."""
    with (
        running_server(tmp_path) as server,
        urllib.request.urlopen(f"{server.http_address}/api/openapi.json", timeout=20) as answer,
    ):
        kind, found = answer.headers["content-type"], json.load(answer)

    assert ("application/json", document) == (kind, found)


@pytest.mark.slow
def test_the_description_is_openapi(document):
    """A validator of somebody else's finds no fault."""
    assert [] == [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()]


def test_every_method_is_described(document):
    """Each with its path; what is not served says so, and has no answer but the error."""
    paths = {path: item["post"] for path, item in document["paths"].items()}

    assert {f"/api/{name_of(method)}" for method in METHODS} == set(paths)
    assert {f"/api/{name_of(method)}" for method in SERVED} == {
        p for p, each in paths.items() if "200" in each["responses"]
    }
    absent = [name_of(method) for method in METHODS if not is_served(method)]
    assert [] == [name for name in absent if not paths[f"/api/{name}"]["description"].startswith("Answers 501: ")]


def test_streams_are_described_as_lines(document):
    """Their messages are in `result`, and an error in `error`."""
    modify, get = (document["paths"][f"/api/pfs_v2.API/{name}"]["post"] for name in ("ModifyFile", "GetFile"))
    result = get["responses"]["200"]["content"]["application/x-ndjson"]["schema"]["properties"]["result"]

    assert ["application/x-ndjson"] == list(modify["requestBody"]["content"])
    assert ["application/json"] == list(modify["responses"]["200"]["content"])
    assert {"$ref": "#/components/schemas/google.protobuf.BytesValue"} == result


def test_what_the_protocol_says_of_its_names_is_there(document):
    """Comments of our own protos: of methods, messages and fields."""
    schema = document["components"]["schemas"]["howdah.v1.GetLakeResponse"]

    assert "The lake itself" in next(t["description"] for t in document["tags"] if t["name"] == "howdah.v1.Lake")
    assert "Where the lake's bytes are" in document["paths"]["/api/howdah.v1.Lake/GetLake"]["post"]["description"]
    assert "The id in the lake's own" in schema["properties"]["lakeId"]["description"]


def test_what_may_not_be_set_together_is_told(document):
    """Fields of a choice."""
    schema = document["components"]["schemas"]["pfs_v2.ModifyFileRequest"]

    assert "At most one of setCommit, addFile, deleteFile, copyFile." == schema["description"]


MESSAGES = [
    "pfs_v2.CommitInfo",
    "pps_v2.CreatePipelineRequest",
    "pfs_v2.ModifyFileRequest",
    "transaction_v2.TransactionInfo",
]


@pytest.mark.slow
@pytest.mark.parametrize("name", MESSAGES)
def test_messages_are_as_their_schemas_say(document, name):
    """Whatever is in them."""
    kind = next(
        part
        for service in PROTOCOL.values()
        for method in service.methods
        for part in (method.input_type, method.output_type)
        if part.full_name == name
    )
    validator = Draft202012Validator({"$ref": f"#/components/schemas/{name}", **document})

    @settings(max_examples=25, derandomize=True, database=None, deadline=None)
    @given(st.data())
    def matches(data):
        message = data.draw(any_message(kind))
        try:
            tree = json_format.MessageToDict(message)
        except (json_format.Error, TypeError, ValueError):
            return  # it has no form in JSON
        assert [] == [error.message for error in validator.iter_errors(tree)]

    matches()
