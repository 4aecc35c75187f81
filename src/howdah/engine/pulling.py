# SPDX-License-Identifier: Apache-2.0
"""Pull an image: what an engine tells while it does, put together; and what it says when it cannot, in our words."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from howdah.engine.images import Credentials, Progress
from howdah.errors import ErrorKind, HowdahError, NotFound, Refused, Unavailable

__all__ = ["auth_of", "followed", "unpulled"]

# What engines say of a layer that is here. Podman says the second of what Docker has yet to unpack.
_DONE: Final = ("pull complete", "download complete", "already exists")
_LAYER: Final = ("pulling fs layer", "waiting", "downloading", "extracting", "already exists", "verifying checksum")

# Engines and registries have no codes for it, so their words decide what is suggested. The first that fits counts.
_REASONS: Final[tuple[tuple[tuple[str, ...], type[HowdahError], ErrorKind, str], ...]] = (
    (
        ("unauthorized", "authentication required", "no basic auth", "access denied", "denied:", "forbidden"),
        Refused,
        ErrorKind.ENGINE_REFUSED,
        "give the registry's credentials by a secret in transform.imagePullSecrets, or see that they and the name are "
        "right",
    ),
    (
        ("manifest unknown", "not found", "name unknown", "does not exist", "no such image"),
        NotFound,
        ErrorKind.IMAGE_NOT_FOUND,
        "see that name and tag are right, push the image, or load it into the engine",
    ),
    (
        ("short-name", "invalid reference format"),
        Refused,
        ErrorKind.ENGINE_REFUSED,
        "write the name with its registry, such as docker.io/library/alpine:3",
    ),
)
_UNREACHABLE: Final = "see that the engine can reach the registry"
_SAID_MAX: Final = 600  # characters; some registries answer with a page


class _Layers:
    """The layers of a pull, as far as the engine told of them."""

    def __init__(self) -> None:
        self._layers: dict[str, tuple[bool, int, int]] = {}  # by id: whether it is here, its bytes that came, and all

    def note(self, entry: Mapping[str, Any]) -> None:
        name, status = str(entry.get("id") or ""), str(entry.get("status") or "").lower()
        if not name or (name not in self._layers and not status.startswith(_LAYER)):
            return
        done, came, total = self._layers.get(name, (False, 0, 0))
        detail = entry.get("progressDetail") or {}
        if status.startswith("downloading") and detail.get("total"):
            came, total = int(detail.get("current") or 0), int(detail["total"])
        if status.startswith(_DONE):
            done, came = True, total
        self._layers[name] = (done, came, total)

    @property
    def progress(self) -> Progress:
        layers = self._layers.values()
        done = sum(each[0] for each in layers)
        return Progress(len(layers), done, sum(each[1] for each in layers), sum(each[2] for each in layers))


def followed(
    name: str, entries: Iterable[Mapping[str, Any]], told: Callable[[Progress], None], stopping: Callable[[], bool]
) -> str:
    """Follow what an engine tells of a pull until it is done; what went wrong, empty if nothing did.

    Raises:
        Unavailable: CANCELLED, as soon as it is `stopping`.
    """
    layers = _Layers()
    for entry in entries:
        if stopping():
            raise Unavailable(ErrorKind.CANCELLED, f"the pull of image {name} was given up: the server stops; start it")
        if problem := entry.get("error") or (entry.get("errorDetail") or {}).get("message"):
            return str(problem)
        layers.note(entry)
        told(layers.progress)
    return ""


def unpulled(name: str, said: str, credentials: Credentials | None) -> HowdahError:
    """The error that says why an image could not be pulled. What is secret is in no text."""
    text = " ".join(said.replace(";", ",").split())
    for hidden in (credentials.password, credentials.username) if credentials is not None else ():
        text = text.replace(hidden, "***") if hidden else text
    text = text[:_SAID_MAX].rstrip(".") or "the engine does not say why"
    lower = text.lower()
    for words, group, kind, way_out in _REASONS:
        if any(word in lower for word in words):
            return group(kind, f"image {name} cannot be pulled: {text}; {way_out}")
    return Unavailable(ErrorKind.UNREACHABLE, f"image {name} cannot be pulled: {text}; {_UNREACHABLE}")


def auth_of(credentials: Credentials | None) -> dict[str, str] | None:
    """Credentials as engines take them; None lets the engine's client look for those of this user."""
    return None if credentials is None else {"username": credentials.username, "password": credentials.password}
