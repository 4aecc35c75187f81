# SPDX-License-Identifier: Apache-2.0
"""How answers look: aligned tables with human sizes and ages, or JSON with exact ones.

JSON has the fields of the values that `howdah.client` answers; references are their text
(`project/repo@branch`), hashes are hex, times ISO 8601 in UTC, spans seconds, states their names.
"""

import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum
from itertools import islice
from typing import IO, Any, Final

from howdah.model.refs import Branch, Commit, CommitRef, File, Job, Pipeline, Repo

__all__ = [
    "Columns",
    "age",
    "name",
    "one_line_json",
    "print_array",
    "print_object",
    "print_properties",
    "print_table",
    "size",
    "span",
    "time",
]

Columns = Sequence[tuple[str, Callable[[Any], object]]]
"""Titles, and what stands under them for an item."""

_REFERENCES: Final = (Branch, Commit, CommitRef, File, Job, Pipeline, Repo)
# What values say of themselves besides their fields.
_DERIVED: Final = ("state", "took")
_BLOCK: Final = 500  # rows that are aligned together; more would hold a long list back
_GAP: Final = "  "
_AGES: Final = ((86_400 * 365, "year"), (86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def size(count: int | None) -> str:
    """A number of bytes for people; `-` when it is not known."""
    from howdah.model.units import format_size

    return "-" if count is None else format_size(count)


def age(at: datetime | None, *, now: datetime | None = None) -> str:
    """How long ago a moment was; `-` when it has not come."""
    if at is None:
        return "-"
    seconds = max(0, int(((now or datetime.now(UTC)) - at).total_seconds()))
    for length, unit in _AGES:
        if seconds >= length:
            count = seconds // length
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "now"


def time(at: datetime | None) -> str:
    """A moment to the second; `-` when it has not come."""
    return "-" if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def span(length: timedelta | None) -> str:
    """A length of time to three digits; `-` for none."""
    if length is None:
        return "-"
    seconds = length.total_seconds()
    if seconds < 60:
        return f"{seconds:.3g}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02}m"


def name(value: Enum | None) -> str:
    """A state by its name; `-` for none."""
    return "-" if value is None else value.name


def plain(value: object) -> Any:
    """A value as what JSON has."""
    if isinstance(value, _REFERENCES):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {each.name: plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
        derived = {each: plain(getattr(value, each)) for each in _DERIVED if hasattr(value, each)}
        return {**fields, **derived}
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    return value


def one_line_json(item: object) -> str:
    """A value as JSON on one line."""
    return json.dumps(plain(item), ensure_ascii=False)


def print_object(item: object, to: IO[str]) -> None:
    """Print a value as JSON."""
    to.write(json.dumps(plain(item), ensure_ascii=False, indent=2) + "\n")


def print_array(items: Iterable[object], to: IO[str]) -> None:
    """Print values as a JSON array, one on each line, as they come."""
    to.write("[")
    for number, item in enumerate(items):
        to.write(("," if number else "") + "\n  " + one_line_json(item))
    to.write("\n]\n")


def print_table(items: Iterable[object], columns: Columns, to: IO[str]) -> None:
    """Print a line for each item under a line of titles; the titles alone when there is none."""
    rest = iter(items)
    widths = [len(title) for title, _ in columns]
    lines = [[title for title, _ in columns]]
    while True:
        block = [[_cell(show(item)) for _, show in columns] for item in islice(rest, _BLOCK)]
        lines += block
        widths = [max(width, *(len(line[n]) for line in lines)) if lines else width for n, width in enumerate(widths)]
        for line in lines:
            to.write(_GAP.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n")
        lines = []
        if len(block) < _BLOCK:
            return


def print_properties(item: object, columns: Columns, to: IO[str]) -> None:
    """Print a line for each property that there is."""
    texts = [(title, _cell(show(item))) for title, show in columns]
    shown = [(title, text) for title, text in texts if text not in ("", "-")]
    width = max((len(title) for title, _ in shown), default=0) + 1
    for title, text in shown:
        first, *more = text.split("\n")
        to.write(f"{title + ':':<{width}} {first}\n")
        to.writelines(f"{'':<{width}} {line}\n" for line in more)


def _cell(value: object) -> str:
    if value is None or value == ():
        return ""
    return "\n".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
