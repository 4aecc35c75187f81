# SPDX-License-Identifier: Apache-2.0
"""Point words that begin with `/pfs` to another folder, for hosts where `/pfs` itself cannot be had.

A word begins at the start of a text, after white space, or after a mark that separates words in shells and most
languages. So `cat </pfs/in/a >"/pfs/out/b"` and `--model=/pfs/model` are pointed; `/data/pfs/a`,
`$HOME/pfs` and `/pfs2` are left alone. It reads text, it does not parse languages: a path that a program puts
together is missed, which is why `$PFS` holds the folder as well.
"""

import os
import re
from typing import Final

from howdah.worker.nest.values import Command

__all__ = ["is_plain", "point", "point_command"]

_WORD: Final = re.compile(rb"(?:(?<=[\s'\"`=:<>(|&;,\[{!@])|\A)/pfs(?![\w.+%~@-])")
# The folder stands in shell text without quotes of ours, so it may hold nothing that a shell reads.
_PLAIN: Final = re.compile(rb"/[\w./+%@-]*", re.ASCII)


def is_plain(folder: bytes) -> bool:
    """Tell whether a folder's path can stand in any shell text as it is."""
    return _PLAIN.fullmatch(folder) is not None


def point(text: bytes, folder: bytes) -> bytes:
    """Replace `/pfs` by `folder` wherever a word begins with it as a whole path component."""
    return _WORD.sub(lambda _: folder, text) if b"/pfs" in text else text


def point_command(command: Command) -> Command:
    """Point argv, the values of env, stdin and cwd to the command's own folder."""
    folder = os.fsencode(command.pfs)

    def pointed(text: str) -> str:
        return os.fsdecode(point(os.fsencode(text), folder))

    return Command(
        argv=tuple(map(pointed, command.argv)),
        pfs=command.pfs,
        env={name: pointed(value) for name, value in command.env.items()},
        stdin=point(command.stdin, folder),
        cwd=pointed(command.cwd),
        timeout=command.timeout,
        user=command.user,
        on_output=command.on_output,
    )
