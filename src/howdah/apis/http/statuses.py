# SPDX-License-Identifier: Apache-2.0
"""The one table that turns gRPC's codes into HTTP statuses, as every JSON gateway has it, and errors as JSON."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from grpc import StatusCode

__all__ = ["HTTP_STATUSES", "error_json", "error_tree"]

HTTP_STATUSES: Final[Mapping[StatusCode, int]] = MappingProxyType(
    {
        StatusCode.OK: 200,
        StatusCode.CANCELLED: 499,
        StatusCode.UNKNOWN: 500,
        StatusCode.INVALID_ARGUMENT: 400,
        StatusCode.DEADLINE_EXCEEDED: 504,
        StatusCode.NOT_FOUND: 404,
        StatusCode.ALREADY_EXISTS: 409,
        StatusCode.PERMISSION_DENIED: 403,
        StatusCode.RESOURCE_EXHAUSTED: 429,
        StatusCode.FAILED_PRECONDITION: 400,
        StatusCode.ABORTED: 409,
        StatusCode.OUT_OF_RANGE: 400,
        StatusCode.UNIMPLEMENTED: 501,
        StatusCode.INTERNAL: 500,
        StatusCode.UNAVAILABLE: 503,
        StatusCode.DATA_LOSS: 500,
        StatusCode.UNAUTHENTICATED: 401,
    }
)

_DETAIL: Final = "type.googleapis.com/google.rpc.ErrorInfo"


def error_tree(code: StatusCode, text: str, kind: str = "") -> dict[str, Any]:
    """An error as it is sent: code and text as gRPC has them; the kind, our own stable code, is in its details."""
    details = [{"@type": _DETAIL, "reason": kind, "domain": "howdah"}] if kind else []
    return {"code": code.value[0], "message": text, "details": details}


def error_json(code: StatusCode, text: str, kind: str = "") -> bytes:
    """The same as a line of JSON."""
    text = json.dumps(error_tree(code, text, kind), ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="replace") + b"\n"
