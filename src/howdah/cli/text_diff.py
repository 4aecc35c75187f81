# SPDX-License-Identifier: Apache-2.0
"""The differences of two files as people read them: lines that went with `-`, lines that came with `+`."""

import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from howdah.model.units import format_size

if TYPE_CHECKING:
    from howdah.client import Client, FileDiff
    from howdah.model.files import FileInfo
    from howdah.model.refs import Commitish

__all__ = ["TEXT_BYTES_MAX", "coloured", "text_diff"]

TEXT_BYTES_MAX: Final = 1 << 20
_LINES_MAX: Final = 5_000  # that differ, on one side: what finds the fewest changes takes their square in time
_CONTEXT: Final = 3
_BINARY_LOOK: Final = 8_000  # bytes in which a zero tells that a file is no text, as other programs have it
_COLOURS: Final = {"+++": "1", "---": "1", "@@": "36", "+": "32", "-": "31"}


def text_diff(client: "Client", pair: "FileDiff", new: "Commitish", old: "Commitish | None") -> Iterator[str]:
    """The lines of a difference of two files; a line of words for those that are not texts, or are too large."""
    names = tuple(f"{side}{info.path}" if info else "/dev/null" for side, info in (("a", pair.old), ("b", pair.new)))
    if any(info is not None and info.size_bytes > TEXT_BYTES_MAX for info in pair):
        yield f"files {names[0]} and {names[1]} differ: {_sizes(pair)}, too large to show as text"
        return
    before, after = _bytes(client, old, pair.old), _bytes(client, new, pair.new)
    if b"\0" in before[:_BINARY_LOOK] or b"\0" in after[:_BINARY_LOOK]:
        yield f"binary files {names[0]} and {names[1]} differ: {_sizes(pair)}"
        return
    yield from _unified(_lines(before), _lines(after), *names)


def coloured(line: str) -> str:
    """A line of a difference as a terminal shows it."""
    for start, colour in _COLOURS.items():
        if line.startswith(start):
            return f"\033[{colour}m{line}\033[0m"
    return line


def _bytes(client: "Client", commit: "Commitish | None", info: "FileInfo | None") -> bytes:
    return b"" if info is None or commit is None else client.get_file(commit, info.path)


def _sizes(pair: "FileDiff") -> str:
    before, after = (format_size(info.size_bytes) if info else "none" for info in (pair.old, pair.new))
    return f"{before} before, {after} now"


def _lines(data: bytes) -> list[str]:
    """The lines without their ends; a last one without a newline says so, as it differs from one with it."""
    lines = data.decode("utf-8", "replace").split("\n")
    last = lines.pop()
    return [*lines, f"{last} (no newline at the end)"] if last else lines


def _unified(before: list[str], after: list[str], old: str, new: str) -> Iterator[str]:
    begin, end = _common(before, after)
    if max(len(before), len(after)) - begin - end > _LINES_MAX:
        yield f"files {old} and {new} differ in more than {_LINES_MAX} lines; get both and compare them"
        return
    kept = max(0, begin - _CONTEXT)
    cut = max(0, end - _CONTEXT)
    middle = difflib.unified_diff(
        before[kept : len(before) - cut], after[kept : len(after) - cut], old, new, lineterm="", n=_CONTEXT
    )
    for line in middle:
        yield _moved(line, kept) if line.startswith("@@ ") else line


def _common(before: list[str], after: list[str]) -> tuple[int, int]:
    """How many lines both have at their begin, and at their end."""
    shorter = min(len(before), len(after))
    begin = next((n for n in range(shorter) if before[n] != after[n]), shorter)
    end = next((n for n in range(shorter - begin) if before[-1 - n] != after[-1 - n]), shorter - begin)
    return begin, end


def _moved(line: str, by: int) -> str:
    """A head `@@ -1,3 +1,4 @@` whose line numbers count from `by` lines further up."""
    _, left, right, _ = line.split(" ")
    parts = []
    for side in (left, right):
        first, comma, count = side[1:].partition(",")
        parts.append(f"{side[0]}{int(first) + by}{comma}{count}")
    return f"@@ {parts[0]} {parts[1]} @@"
