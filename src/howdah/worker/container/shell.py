# SPDX-License-Identifier: Apache-2.0
"""The static shell that goes into containers: a file of this machine, or of an image that is named by its digest."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from howdah.errors import ErrorKind, Unavailable

if TYPE_CHECKING:
    from howdah.engine import Engine

__all__ = ["find_shell"]

_PLACES: Final = ("/bin/busybox", "/usr/bin/busybox", "/sbin/busybox")
_DIGEST: Final = "@sha256:"


def find_shell(given: str = "", engine: "Engine | None" = None, folder: Path | None = None) -> Path:
    """The shell: the file that is given, that of an image such as `busybox@sha256:…`, or else this machine's.

    That of an image is fetched by `engine` into `folder`, and taken from there when it is asked for again.

    Raises:
        Unavailable: there is none.
        NotFound, Refused, Unavailable: the image cannot be had; see `Engine.pull`.
    """
    if _DIGEST in given and engine is not None and folder is not None:
        return _of_image(engine, given, folder)
    if given:
        if os.access(given, os.R_OK | os.X_OK) and Path(given).is_file():
            return Path(given)
        text = f"{given} is no program that can be put into containers"
        raise Unavailable(
            ErrorKind.UNREACHABLE,
            f"{text}; name a static busybox or its image (busybox@sha256:…) by --container-shell, or leave it out",
        )
    for place in _PLACES:
        if os.access(place, os.X_OK):
            return Path(place)
    text = "there is no static shell on this machine to put into containers; install it: apt-get install busybox-static"
    raise Unavailable(ErrorKind.UNREACHABLE, f"{text}, or name an image of one: --container-shell busybox@sha256:…")


def _of_image(engine: "Engine", image: str, folder: Path) -> Path:
    """Written beside its name and renamed, so that nobody finds half of it."""
    path = folder / f"busybox-{image.partition(_DIGEST)[2]}"
    if not path.exists():
        if engine.find(image) is None:
            engine.pull(image, None, lambda _: None)
        part = path.with_suffix(f".{os.getpid()}")
        part.write_bytes(engine.file(image, _PLACES[0]))
        part.chmod(0o755)
        part.rename(path)
    return path
