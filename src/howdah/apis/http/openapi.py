# SPDX-License-Identifier: Apache-2.0
"""The API described for machines: OpenAPI 3.1, made from the descriptors, so it is never behind the server."""

import json
from collections.abc import Collection
from typing import Any, Final

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

from howdah import __version__
from howdah.apis.http.schemas import described, reference, schemas
from howdah.apis.protocol import PROTOCOL, absent_text
from howdah.wire.stubs.comments import COMMENTS

__all__ = ["openapi"]

_JSON: Final = "application/json"
_LINES: Final = "application/x-ndjson"

_ERROR: Final[dict[str, Any]] = {
    "type": "object",
    "description": "Why a call failed. `code` is gRPC's; the kind, which is stable, is the `reason` in `details`.",
    "required": ["code", "message", "details"],
    "properties": {
        "code": {"type": "integer"},
        "message": {"type": "string"},
        "details": {"type": "array", "items": {"type": "object"}},
    },
}

_ABOUT: Final = (
    "Every method of the gRPC API as JSON: POST an object, get an object. Streams are one object on each line; a "
    'message of an answer is {"result": …}, and an error after the first of them is a last line {"error": …}. '
    "Names of fields are read in either spelling. Fields that have their default are left out of answers."
)


def openapi(served: Collection[str]) -> bytes:
    """The document as JSON; `served` has the methods that are, as `package.Service/Method`."""
    methods = [method for name in sorted(PROTOCOL) for method in PROTOCOL[name].methods]
    messages = (kind for method in methods for kind in (method.input_type, method.output_type))
    document = {
        "openapi": "3.1.0",
        "info": {"title": "howdah", "version": __version__, "description": _ABOUT},
        "servers": [{"url": "/"}],
        "tags": [_tag(PROTOCOL[name]) for name in sorted(PROTOCOL)],
        "paths": {f"/api/{_path(method)}": {"post": _operation(method, _path(method) in served)} for method in methods},
        "components": {"schemas": {**schemas(messages), "Error": _ERROR}},
    }
    return json.dumps(document, ensure_ascii=False).encode()


def _path(method: MethodDescriptor) -> str:
    return f"{method.containing_service.full_name}/{method.name}"


def _tag(service: ServiceDescriptor) -> dict[str, Any]:
    return described({"name": service.full_name}, service.full_name)


def _operation(method: MethodDescriptor, served: bool) -> dict[str, Any]:
    service = method.containing_service.full_name
    operation: dict[str, Any] = {
        "operationId": method.full_name,
        "tags": [service],
        "requestBody": {"content": _content(reference(method.input_type), lines=method.client_streaming)},
        "responses": {
            "default": {"description": "Why it failed.", "content": _content({"$ref": "#/components/schemas/Error"})}
        },
    }
    if not served:
        return {**operation, "description": f"Answers 501: {absent_text(service, method.name)}."}
    result = reference(method.output_type)
    if method.server_streaming:
        result = {"type": "object", "properties": {"result": result, "error": {"$ref": "#/components/schemas/Error"}}}
    answer = {"description": "Done.", "content": _content(result, lines=method.server_streaming)}
    operation["responses"] = {"200": answer, **operation["responses"]}
    if method.full_name in COMMENTS:
        operation["description"] = COMMENTS[method.full_name]
    return operation


def _content(schema: dict[str, Any], *, lines: bool = False) -> dict[str, Any]:
    return {_LINES if lines else _JSON: {"schema": schema}}
