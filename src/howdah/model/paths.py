# SPDX-License-Identifier: Apache-2.0
"""Paths of files in a commit: which are good, and the arithmetic on them.

A clean path starts with `/`, does not end with one, and has no empty components; the root is `/`. Any
UTF-8 is good otherwise, `*` and `@` too: patterns are a matter of `model.globs`. Only `clean` checks;
the other functions take clean paths and trust them.
"""

import re
from typing import Final

from howdah.errors import BadRequest, ErrorKind
from howdah.model.texts import one_line

__all__ = ["COMPONENT_BYTES_MAX", "PATH_BYTES_MAX", "basename", "clean", "is_under", "join", "parent", "parents"]

COMPONENT_BYTES_MAX: Final = 255  # what file systems take: a path must fit under a worker's /pfs
PATH_BYTES_MAX: Final = 4_000  # Linux takes 4,096 with the folder in front

_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_NOT_PLAIN: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]|//|/\\.{1,2}(?:/|$)|/$")
_SLASHES: Final = re.compile("/{2,}")
_BYTES_A_CHARACTER: Final = 4  # at most, in UTF-8


def clean(path: str) -> str:
    """`path` with one leading `/`, none at its end and none doubled; the empty path is the root.

    Raises:
        BadRequest: BAD_PATH: a control character, a component `.` or `..`, a text that is no UTF-8, a
            component over 255 bytes or a path over 4,000.
    """
    if path[:1] != "/":
        path = "/" + path
    if len(path) * _BYTES_A_CHARACTER <= COMPONENT_BYTES_MAX and _NOT_PLAIN.search(path) is None:
        return path
    _check_characters(path)
    path = _SLASHES.sub("/", path).rstrip("/") or "/"
    _check_components(path)
    return path


def join(directory: str, *names: str) -> str:
    """The clean path of `names` below `directory`.

    Raises:
        BadRequest: BAD_PATH, as `clean`.
    """
    return clean("/".join((directory, *names)))


def basename(path: str) -> str:
    """The last component; empty for the root. A directory's trailing `/` does not count."""
    return path.rstrip("/").rpartition("/")[2]


def parent(path: str) -> str:
    """The directory that a path is in; the root is in itself."""
    return path.rpartition("/")[0] or "/"


def parents(path: str) -> tuple[str, ...]:
    """All directories above a path, the root first; none for the root itself."""
    if path == "/":
        return ()
    names = path.split("/")[1:-1]
    return ("/", *("/" + "/".join(names[: n + 1]) for n in range(len(names))))


def is_under(path: str, directory: str) -> bool:
    """Whether `path` is somewhere below `directory`; nothing is below itself."""
    return path != "/" if directory == "/" else path.startswith(directory + "/")


def _check_characters(path: str) -> None:
    if (bad := _SURROGATE.search(path)) is not None:
        raise _bad(path, f"character {bad.start()} is a lone surrogate, which UTF-8 cannot hold; rename the file")
    if (bad := _CONTROL.search(path)) is not None:
        raise _bad(path, f"it has the control character U+{ord(bad[0]):04X}; rename the file without it")


def _check_components(path: str) -> None:
    if (total := len(path.encode())) > PATH_BYTES_MAX:
        raise _bad(path, f"it has {total} bytes; use at most {PATH_BYTES_MAX}")
    for name in path.split("/"):
        if name in (".", ".."):
            raise _bad(path, f"relative file paths are not allowed; write it without the component {name}")
        if len(name) * _BYTES_A_CHARACTER > COMPONENT_BYTES_MAX and (size := len(name.encode())) > COMPONENT_BYTES_MAX:
            raise _bad(
                path, f"its component {one_line(name)[:32]}… has {size} bytes; use at most {COMPONENT_BYTES_MAX}"
            )


def _bad(path: str, why: str) -> BadRequest:
    return BadRequest(ErrorKind.BAD_PATH, f"path ({one_line(path)}) invalid: {why}")
