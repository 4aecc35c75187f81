# SPDX-License-Identifier: Apache-2.0
"""What images are called that a command makes: for which pipeline, in which registry, with what in it."""

import re
from typing import Final

__all__ = ["LOCAL", "built_name", "pushed_name", "registry_prefix"]

LOCAL: Final = "localhost"
"""In the place of a registry for images that stay on the engine: no engine asks a registry of strangers for them."""

_UNFIT: Final = re.compile(r"[^a-z0-9._-]+")
_MARKS: Final = re.compile(r"[._-]{2,}")
_REGISTRY: Final = re.compile(r"[A-Za-z0-9.-]+(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*")


def registry_prefix(registry: str, username: str = "") -> str:
    """What names of images in a registry begin with: `HOST[:PORT]/PREFIX`, or the user's name as a prefix without one.

    Raises:
        BadRequest: BAD_ARGUMENT.
    """
    from howdah.errors import BadRequest, ErrorKind
    from howdah.model.texts import one_line

    place = registry.rstrip("/")
    if not _REGISTRY.fullmatch(place):
        text = f"registry {one_line(registry) or 'of no characters'} is not understood"
        raise BadRequest(ErrorKind.BAD_ARGUMENT, f"{text}; write HOST[:PORT]/PREFIX, such as registry.example.org/team")
    return f"{place}/{_fit(username)}" if username and "/" not in place else place


def built_name(prefix: str, project: str, pipeline: str, tag: str) -> str:
    """The name of an image that was built for a pipeline; `prefix` is empty for one that stays on its engine."""
    from howdah.model.names import DEFAULT_PROJECT

    own = pipeline if project == DEFAULT_PROJECT else f"{project}/{pipeline}"
    path = "/".join(_fit(part) for part in own.split("/"))
    return f"{prefix or LOCAL}/{path}:{tag}"


def pushed_name(prefix: str, image: str, tag: str) -> str:
    """The name under which an image that was made elsewhere is pushed: its own last word, in that registry."""
    last = image.partition("@")[0].rpartition("/")[2]
    return f"{prefix}/{_fit(last.partition(':')[0])}:{tag}"


def _fit(text: str) -> str:
    """A text as a part of an image's name, which has small letters, digits, and single marks between them."""
    found = _MARKS.sub("-", _UNFIT.sub("-", text.lower())).strip("._-")
    return found or "pipeline"
