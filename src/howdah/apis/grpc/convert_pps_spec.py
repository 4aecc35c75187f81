# SPDX-License-Identifier: Apache-2.0
"""Pipeline specs between the protocol's messages and the texts and trees that `howdah.model.spec` reads.

A spec crosses as JSON, which is the same on both sides: protobuf's own JSON of CreatePipelineRequest. So no field
has to be named here, and a new one cannot be forgotten.
"""

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, TypeVar

from google.protobuf import json_format

from howdah.errors import BadRequest, ErrorKind
from howdah.model.spec import PipelineSpec
from howdah.model.spec.text import json_document
from howdah.model.texts import one_line
from howdah.wire.stubs import pps_v2_pb2 as pps

__all__ = [
    "EffectiveSpec",
    "create_message",
    "effective_spec",
    "input_tree",
    "job_details",
    "pipeline_details",
    "request_text",
]

# Effective specs that are kept as messages: a list of jobs or of pipelines asks for the same ones again and again.
SPECS_KEPT: Final = 2_048

EffectiveSpec = Callable[[Any], PipelineSpec]
"""Fills in what a spec, as a tree, leaves out, and checks it (`pps.defaults`)."""

D = TypeVar("D", pps.PipelineInfo.Details, pps.JobInfo.Details)


def request_text(request: pps.CreatePipelineRequest) -> str:
    """The spec of a request as the JSON text that is parsed, and kept as what the user wrote.

    Raises:
        BadRequest: BAD_SPEC: a value has no form in JSON.
    """
    try:
        return json_format.MessageToJson(request, indent=None)
    except (json_format.Error, ValueError) as error:
        raise _unwritable(error) from None


def effective_spec(text: str, effective: EffectiveSpec) -> PipelineSpec:
    """The effective spec of the JSON that a client sent.

    Raises:
        BadRequest: BAD_SPEC: it is no JSON, or no spec; the text begins with words that clients know. BAD_NAME.
    """
    try:
        return effective(json_document(text))
    except BadRequest as error:
        if error.kind is not ErrorKind.BAD_SPEC:
            raise
        raise BadRequest(error.kind, f"could not make effective spec: {error.message}") from error


def create_message(effective_spec: str) -> pps.CreatePipelineRequest:
    """The request that a spec is, as far as the protocol's message has its fields.

    Raises:
        BadRequest: BAD_SPEC: a value is out of the range of its field.
    """
    tree = json.loads(effective_spec)
    try:
        return json_format.ParseDict(tree, pps.CreatePipelineRequest(), ignore_unknown_fields=True)
    except json_format.ParseError as error:
        text = f"could not make effective spec: a value is out of range ({one_line(str(error))}); correct it"
        raise BadRequest(ErrorKind.BAD_SPEC, text) from None


def input_tree(message: pps.Input) -> dict[str, Any]:
    """An input by itself as a tree that `parse_input` reads.

    Raises:
        BadRequest: BAD_SPEC: a value has no form in JSON.
    """
    try:
        return json_format.MessageToDict(message)
    except (json_format.Error, ValueError) as error:
        raise _unwritable(error) from None


def pipeline_details(effective_spec: str) -> pps.PipelineInfo.Details:
    """Fresh details of a pipeline with every field that the spec has too; `transform` is there also when empty.

    `pachctl` ends where `transform` is absent.
    """
    details = pps.PipelineInfo.Details()
    details.CopyFrom(_pipeline_details(effective_spec))
    return details


def job_details(effective_spec: str) -> pps.JobInfo.Details:
    """The same of a job."""
    details = pps.JobInfo.Details()
    details.CopyFrom(_job_details(effective_spec))
    return details


# What these two answer is kept, so nobody may change it.
@lru_cache(maxsize=SPECS_KEPT)
def _pipeline_details(effective_spec: str) -> pps.PipelineInfo.Details:
    return _filled(pps.PipelineInfo.Details(), effective_spec)


@lru_cache(maxsize=SPECS_KEPT)
def _job_details(effective_spec: str) -> pps.JobInfo.Details:
    return _filled(pps.JobInfo.Details(), effective_spec)


def _filled(details: D, effective_spec: str) -> D:
    shared = {field.json_name for field in details.DESCRIPTOR.fields}
    tree = json.loads(effective_spec)
    json_format.ParseDict({name: value for name, value in tree.items() if name in shared}, details)
    details.transform.SetInParent()
    return details


def _unwritable(error: Exception) -> BadRequest:
    """Times out of range, above all: a message can hold them, and no JSON can."""
    text = f"could not make effective spec: a value cannot be written as JSON ({one_line(str(error))}); correct it"
    return BadRequest(ErrorKind.BAD_SPEC, text)
