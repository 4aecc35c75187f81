# SPDX-License-Identifier: Apache-2.0
"""Where a symbolic link of user code leads, seen as user code saw it: `/pfs` is the datum's folder.

Nothing is opened. A link may lead to anything below `/pfs`, by a path of either kind and over other links. What
lies elsewhere was there by chance, and would be another file on another machine: such a link is refused.
"""

import os
import stat
from typing import Final

from howdah.errors import BadRequest, ErrorKind

__all__ = ["resolve"]

_HOPS_MAX: Final = 40  # as Linux has it
_PFS: Final = "pfs"


def resolve(folder: str, path: str) -> str:
    """The path below `folder`, without links, of what `path` below `folder` means in the end.

    Raises:
        BadRequest: BAD_PATH: a link leads to nothing, out of `/pfs`, or in a circle; the text names `path`.
    """
    done: list[str] = []
    rest = f"{_PFS}/{path}".split("/")[::-1]
    hops = 0
    while rest:
        name = rest.pop()
        if name in ("", "."):
            continue
        if name == "..":
            del done[-1:]
            continue
        done.append(name)
        if done[0] != _PFS:
            raise _bad(path, f"leads to /{'/'.join([*done, *rest[::-1]])}, which is not below /pfs")
        here = "/".join([folder, *done[1:]])
        target = ""
        try:
            mode = os.lstat(here).st_mode
            if stat.S_ISLNK(mode):
                target = os.readlink(here)
        except OSError as error:
            text = f"leads to /{'/'.join([*done, *rest[::-1]])}, which cannot be had"
            raise _bad(path, f"{text} ({(error.strerror or 'error').lower()})") from error
        if stat.S_ISLNK(mode):
            hops += 1
            if hops > _HOPS_MAX:
                raise _bad(path, "leads in a circle")
            if target.startswith("/"):
                done, target = [], _as_seen(folder, target)
            else:
                done.pop()
            rest.extend(target.split("/")[::-1])
    if done[:1] != [_PFS]:
        raise _bad(path, "leads to /, which is not below /pfs")
    return "/".join(done[1:])


def _as_seen(folder: str, target: str) -> str:
    """An absolute target as it reads where the folder is `/pfs`; without namespaces, `$PFS` is the folder itself."""
    for known in (folder, os.path.realpath(folder)):
        if target == known or target.startswith(known + "/"):
            return f"/{_PFS}{target[len(known) :]}"
    return target


def _bad(path: str, why: str) -> BadRequest:
    return BadRequest(ErrorKind.BAD_PATH, f"link /pfs/{path} {why}; copy what it should mean into /pfs/out instead")
