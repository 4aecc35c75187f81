# SPDX-License-Identifier: Apache-2.0
"""Wrong calls: specs of pipelines. Each error names the field."""

import json
from collections.abc import Mapping
from typing import Any

from howdah.errors import ErrorKind
from howdah.wire.stubs import pps_v2_pb2 as pps
from tests.bad_input.row import Row

READS = {"pfs": {"repo": "images", "glob": "/*"}}


def spec(*texts: str, kind: ErrorKind = ErrorKind.BAD_SPEC, **fields: Any) -> Row:
    """A spec that is good but for these fields; a field that is None is left out."""
    whole = {"pipeline": {"name": "p"}, "transform": {"cmd": ["true"]}, "input": READS, **fields}
    return text(json.dumps({key: value for key, value in whole.items() if value is not None}), *texts, kind=kind)


def text(given: str, *texts: str, kind: ErrorKind = ErrorKind.BAD_SPEC, wire: bool = True) -> Row:
    """A spec as it was written, by each face; only those in JSON can be sent as they are."""
    return Row(
        kind,
        texts,
        cli=lambda w: ("create", "pipeline", "-f", w.file("spec", given)),
        client=lambda w: w.client.create_pipeline(given),
        grpc=(lambda w: w.pps.CreatePipelineV2(pps.CreatePipelineV2Request(create_pipeline_request_json=given)))
        if wire
        else None,
    )


def transform(**fields: Any) -> Mapping[str, Any]:
    return {"cmd": ["true"], **fields}


SPECS = {
    "unknown field": spec("imput", imput={}),
    "unknown field inside": spec("transform", "comand", transform=transform(comand="x")),
    "wrong type": spec("transform.cmd", transform={"cmd": "true"}),
    "number where a text is due": spec("glob", input={"pfs": {"repo": "images", "glob": 7}}),
    "no cmd": spec("transform", "cmd", transform={}),
    "no name": spec("pipeline.name: missing; give the pipeline a name", pipeline={}),
    "no input": spec("input", input=None),
    "bad name": spec("name (my pipe) invalid", kind=ErrorKind.BAD_NAME, pipeline={"name": "my pipe"}),
    "bad glob": spec("glob", "/[a", input={"pfs": {"repo": "images", "glob": "/[a"}}),
    "bad schedule": spec("input.cron.spec", "five fields", input={"cron": {"name": "t", "spec": "* *"}}),
    "no glob": spec("glob", input={"pfs": {"repo": "images"}}),
    "negative tries": spec("datum", pipeline={"name": "p"}, datumTries=-1),
    "bad duration": spec("datumTimeout", datumTimeout="soon"),
    "two inputs of one name": spec("images", input={"cross": [READS, READS]}),
    "unknown input repo": spec(
        "repo default/nope not found", kind=ErrorKind.REPO_NOT_FOUND, input={"pfs": {"repo": "nope", "glob": "/"}}
    ),
    "its own output as input": spec(
        "repo default/p cannot be in the provenance of its own branch default/p@master; use another repo",
        kind=ErrorKind.DAG_INVALID,
        input={"pfs": {"repo": "p", "glob": "/"}},
    ),
    "secret that goes nowhere": spec("transform.secrets[0]", transform=transform(secrets=[{"name": "db"}])),
    "unknown secret": spec(
        'secret "nope" not found',
        kind=ErrorKind.SECRET_NOT_FOUND,
        transform=transform(secrets=[{"name": "nope", "mountPath": "/s"}]),
    ),
    "name of a repo that is there": spec("images", kind=ErrorKind.REPO_EXISTS, pipeline={"name": "images"}),
    "name of a pipeline that is there": spec(
        'pipeline "default/edges" already exists', kind=ErrorKind.PIPELINE_EXISTS, pipeline={"name": "edges"}
    ),
    "spec in an unknown project": spec(
        "project nope not found",
        kind=ErrorKind.PROJECT_NOT_FOUND,
        pipeline={"name": "p", "project": {"name": "nope"}},
    ),
    "half of a JSON": text('{"pipeline": {"name": "p"', "pipeline spec"),
    "malformed YAML": text("pipeline:\n  name: p\n input: [", "pipeline spec", "line", wire=False),
    "empty": text("", "pipeline spec", wire=False),
    "a list of words": text('["a", "b"]', "pipeline spec"),
    "one key twice": text('{"pipeline": {"name": "p"}, "pipeline": {"name": "q"}}', "pipeline"),
    "spec file that is not there": Row(
        ErrorKind.FILE_NOT_FOUND,
        ("no-such-spec.yaml",),
        cli=lambda w: ("create", "pipeline", "-f", str(w.folder / "no-such-spec.yaml")),
    ),
    "spec file that is not text": Row(
        ErrorKind.BAD_SPEC,
        ("UTF-8",),
        cli=lambda w: ("create", "pipeline", "-f", binary(w.file("binary", ""))),
    ),
}


def binary(path: str) -> str:
    """The same file, with bytes that are no text."""
    with open(path, "wb") as file:
        file.write(b"\xff\xfe\x00pipeline")
    return path
