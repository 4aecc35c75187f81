# SPDX-License-Identifier: Apache-2.0
"""Where a container engine is, whether one answers, and whose containers it has.

That is all that a server asks which uses no containers, so it is asked without the engine's library, which is slow to
load and takes memory.
"""

import json
import socket
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlsplit

from howdah.engine.values import LABEL
from howdah.errors import BadRequest, ErrorKind, Unavailable
from howdah.model.texts import one_line

__all__ = ["DOCKER_SOCKET", "candidates", "checked", "choose", "owners", "silence"]

DOCKER_SOCKET: Final = "unix:///var/run/docker.sock"
_PODMAN_SOCKET: Final = "unix:///run/podman/podman.sock"
_SECONDS: Final = 2.0  # an engine of this machine answers in a millisecond
_PORT: Final = 2375
_LIST_SECONDS: Final = 60.0  # a busy engine takes its time to list what it has
_PING: Final = "/_ping"
_LABELLED: Final = f"/containers/json?all=1&filters={quote(json.dumps({'label': [LABEL]}))}"


def checked(url: str) -> str:
    """An address as it is.

    Raises:
        BadRequest: BAD_ARGUMENT: it is not of a form that is understood.
    """
    if _place(url) is None:
        text = f"engine address {one_line(url) or 'of no characters'} is not understood"
        raise BadRequest(ErrorKind.BAD_ARGUMENT, f"{text}; write unix:///var/run/docker.sock or tcp://127.0.0.1:2375")
    return url


def candidates(given: str | None, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Where to look for an engine: where it was said, else in $DOCKER_HOST, Docker's place, Podman's."""
    if given:
        return (given,)
    own = environ.get("XDG_RUNTIME_DIR")
    podman = (f"unix://{own}/podman/podman.sock", _PODMAN_SOCKET) if own else (_PODMAN_SOCKET,)
    host = environ.get("DOCKER_HOST", "")
    if _place(host) is None:  # empty, or by ssh or the like, which is for other programs
        host = ""
    return (host, DOCKER_SOCKET, *podman) if host else (DOCKER_SOCKET, *podman)


def choose(given: str | None, environ: Mapping[str, str]) -> str:
    """The first place where an engine answers now; if none does, the first place of all: it may come there later.

    Raises:
        BadRequest: BAD_ARGUMENT: an address is not understood.
    """
    places = [checked(each) for each in candidates(given, environ)]
    return next((each for each in places if not silence(each)), places[0])


def silence(url: str, seconds: float = _SECONDS) -> str:
    """Why no engine answers there; empty if one does."""
    place = _place(url)
    if place is None:
        return "the address is not understood"
    try:
        words, _ = _asked(place, _PING, seconds)
    except OSError as error:
        return (error.strerror or str(error) or type(error).__name__).lower()
    if words[:1] and words[0].startswith(b"HTTP/"):
        return "" if words[1:2] == [b"200"] else f"it answers with status {words[1].decode(errors='replace')}"
    return "what listens there is no container engine"


def owners(url: str) -> dict[str, str]:
    """All containers with the label `LABEL`, running or not, and its value of each.

    Raises:
        Unavailable: the engine does not answer, or not with that.
    """
    place = _place(url)
    try:
        words, body = _asked(place, _LABELLED, _LIST_SECONDS) if place is not None else ([], b"")
        if words[1:2] == [b"200"]:
            return {each["Id"]: each["Labels"].get(LABEL, "") for each in json.loads(body)}
        why = b" ".join(words[1:]).decode(errors="replace") or "no answer"
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        why = " ".join(str(error).split())
    text = f"the container engine at {url} does not say which containers it has: {why}; look at its log"
    raise Unavailable(ErrorKind.UNREACHABLE, text)


def _asked(place: "str | tuple[str, int]", path: str, seconds: float) -> tuple[list[bytes], bytes]:
    """The words of the first line of an engine's answer, and what the answer says."""
    with _connected(place, seconds) as connection:
        connection.sendall(f"GET {path} HTTP/1.0\r\nHost: engine\r\n\r\n".encode())
        with connection.makefile("rb") as answer:
            words = answer.readline(200).split()
            while answer.readline(65_536).strip():
                pass
            return words, answer.read()


def _connected(place: "str | tuple[str, int]", seconds: float) -> socket.socket:
    if not isinstance(place, str):
        return socket.create_connection(place, timeout=seconds)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(seconds)
        connection.connect(place)
    except BaseException:
        connection.close()
        raise
    return connection


def _place(url: str) -> "str | tuple[str, int] | None":
    """The path of a socket, or host and port; None for what is neither."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme == "unix":
        path = f"{parts.netloc}{parts.path}"
        return path if path.startswith("/") else None
    if parts.scheme in ("tcp", "http") and parts.hostname:
        return parts.hostname, port or _PORT
    return None
