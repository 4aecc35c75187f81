# SPDX-License-Identifier: Apache-2.0
"""The secrets of a claim on this machine: which folders of files a command sees, and that its log lines show none.

They are held in memory as long as the claim, and are nowhere written but into the memory file systems of a nest.
"""

import base64
import re
from collections.abc import Iterable
from typing import Final

from howdah.worker.nest import Mount
from howdah.worker.values import ClaimSecret

__all__ = ["MASK", "Mask", "mounts"]

MASK: Final = b"***"
# Shorter ones are hidden as whole words alone, or half of every line would be blotted out; of a value with several
# lines, such as a private key, each that is long enough is hidden.
_PART_BYTES_MIN: Final = 3
_LINE_BYTES_MIN: Final = 8
# What a word is made of; bytes above these are parts of other letters.
_WORD: Final = rb"[0-9A-Za-z_\x80-\xff]"


def mounts(secrets: Iterable[ClaimSecret]) -> tuple[Mount, ...]:
    """The folders that a command sees."""
    return tuple(Mount(each.mount_path, each.files) for each in secrets if each.mount_path)


class Mask:
    """Replaces the values of secrets in lines that user code printed: as they are, line by line, and in base64.

    Values of one or two bytes are replaced where they stand as words of their own.
    """

    def __init__(self, secrets: Iterable[ClaimSecret]) -> None:
        values = {value for each in secrets for value in (*each.files.values(), each.value)}
        hidden = sorted({text for value in values for text in _texts(value)}, key=len, reverse=True)
        self._pattern = re.compile(b"|".join(map(_looked_for, hidden))) if hidden else None

    def __call__(self, line: str | bytes) -> str | bytes:
        """The line without them: text, which is the worker's own, or bytes, which are user code's."""
        if self._pattern is None:
            return line
        if isinstance(line, bytes):
            return self._pattern.sub(MASK, line)
        return self._pattern.sub(MASK, line.encode(errors="surrogateescape")).decode(errors="surrogateescape")


def _looked_for(text: bytes) -> bytes:
    found = re.escape(text)
    return found if len(text) >= _PART_BYTES_MIN else b"(?<!%b)%b(?!%b)" % (_WORD, found, _WORD)


def _texts(value: bytes) -> Iterable[bytes]:
    whole = value.strip()
    if not whole:
        return
    yield whole
    for encoded in {base64.b64encode(text) for text in (value, whole, whole + b"\n")}:
        yield encoded.rstrip(b"=")
    lines = whole.splitlines()
    if len(lines) > 1:
        yield from (line.strip() for line in lines if len(line.strip()) >= _LINE_BYTES_MIN)
