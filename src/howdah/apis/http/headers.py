# SPDX-License-Identifier: Apache-2.0
"""What the headers of a call say: its metadata, its deadline, and whether a web page of somebody else made it."""

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from howdah.errors import BadRequest, ErrorKind

__all__ = ["deadline_seconds", "is_foreign", "metadata"]

# Headers that pass as they are; others pass as `Grpc-Metadata-<name>`, as in other gateways.
_METADATA: Final = ("authn-token", "pach-transaction")
_PREFIX: Final = "grpc-metadata-"

# `Grpc-Timeout`: at most eight digits and a unit.
_TIMEOUT: Final = re.compile(r"(\d{1,8})([HMSmun])")
_UNITS: Final = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}


def metadata(headers: Headers) -> list[tuple[str, str]]:
    """The metadata of a call: names in lower case, and values."""
    named = [(name, value) for name, value in headers.items() if name in _METADATA]
    prefixed = [(name.removeprefix(_PREFIX), value) for name, value in headers.items() if name.startswith(_PREFIX)]
    return named + prefixed


def deadline_seconds(headers: Headers) -> float | None:
    """How long the client waits; None if it does not say.

    Raises:
        BadRequest: BAD_ARGUMENT: it says so in another way than gRPC's.
    """
    text = headers.get("grpc-timeout")
    if text is None:
        return None
    match = _TIMEOUT.fullmatch(text)
    if match is None:
        raise BadRequest(ErrorKind.BAD_ARGUMENT, "the header grpc-timeout is not a time; write 10S for ten seconds")
    return int(match[1]) * _UNITS[match[2]]


def is_foreign(headers: Headers) -> bool:
    """Whether a browser sent it for a page that did not come from this server.

    Who can call the API can run commands here, and a browser lets any page in the world send requests to this machine.
    It says where the page is from, so such calls are known. Programs say nothing of the kind.

    A page under a name of its own is foreign even if that name leads here: whoever owns a name can point it at
    this machine. Pages from here are under an address, or `localhost`.
    """
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
    try:
        page, here = urlsplit(origin), urlsplit(f"//{headers.get('host', '')}")
        return page.netloc.lower() != here.netloc.lower() or not _is_address(here.hostname or "")
    except ValueError:
        return True


def _is_address(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
