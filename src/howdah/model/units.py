# SPDX-License-Identifier: Apache-2.0
"""Durations and sizes as people and specs write them: `1h30m`, `500ms`, `10MB`, `1GiB`."""

import re
from datetime import timedelta
from fractions import Fraction
from typing import Final

from howdah.errors import BadRequest, ErrorKind
from howdah.model.texts import one_line

__all__ = ["format_duration", "format_size", "parse_duration", "parse_size"]

_MICROSECONDS: Final = {
    "us": Fraction(1),
    "µs": Fraction(1),
    "ms": Fraction(1_000),
    "s": Fraction(1_000_000),
    "m": Fraction(60_000_000),
    "h": Fraction(3_600_000_000),
    "d": Fraction(86_400_000_000),
    "ns": Fraction(1, 1_000),
}
_NUMBER: Final = r"[0-9]{1,18}(?:\.[0-9]{1,18})?"
_PART: Final = re.compile(rf"({_NUMBER})(ns|us|µs|ms|s|m|h|d)")
_DURATION: Final = re.compile(rf"(-?)((?:{_NUMBER}(?:ns|us|µs|ms|s|m|h|d))+)")

_PREFIXES: Final = "kmgtpe"
_SIZE: Final = re.compile(rf"({_NUMBER})\s*([kmgtpe]?)(i?)(b?)", re.IGNORECASE)
_SIZE_MAX: Final = 2**63 - 1  # sizes are 64-bit in the protocol
_SHOWN_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def parse_duration(text: str) -> timedelta:
    """Read `30s`, `1h30m`, `500ms`, `1.5h`, `2d`; what is finer than a microsecond is rounded.

    Raises:
        BadRequest: BAD_ARGUMENT.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        if text == "0":
            return timedelta()
        raise BadRequest(
            ErrorKind.BAD_ARGUMENT,
            f"duration ({one_line(text)}) invalid: a number and a unit are expected; write 30s, 1h30m or 500ms",
        )
    total = sum(Fraction(number) * _MICROSECONDS[unit] for number, unit in _PART.findall(found[2]))
    try:
        span = timedelta(microseconds=round(total))
    except OverflowError as error:
        raise BadRequest(
            ErrorKind.BAD_ARGUMENT, f"duration ({one_line(text)}) invalid: it is too long; leave it out for no limit"
        ) from error
    return -span if found[1] else span


def format_duration(span: timedelta) -> str:
    """The duration in seconds, as JSON of the protocol has it: `5400s`, `0.5s`. `parse_duration` reads it back."""
    sign = "-" if span < timedelta() else ""
    span = abs(span)
    seconds = span.days * 86_400 + span.seconds
    fraction = f".{span.microseconds:06d}".rstrip("0") if span.microseconds else ""
    return f"{sign}{seconds}{fraction}s"


def parse_size(text: str) -> int:
    """Read a number of bytes: `10MB` and `10M` are ten million, `10MiB` and `10Mi` are 1,024 times 1,024 times ten.

    Raises:
        BadRequest: BAD_ARGUMENT.
    """
    found = _SIZE.fullmatch(text.strip())
    if found is None or (found[3] and not found[2]):
        raise BadRequest(
            ErrorKind.BAD_ARGUMENT,
            f"size ({one_line(text)}) invalid: a number and a unit are expected; write 500, 10MB or 1GiB",
        )
    base = 1024 if found[3] else 1000
    power = _PREFIXES.index(found[2].lower()) + 1 if found[2] else 0
    size: int = round(Fraction(found[1]) * int(base**power))
    if size > _SIZE_MAX:
        raise BadRequest(
            ErrorKind.BAD_ARGUMENT,
            f"size ({one_line(text)}) invalid: it is too large; write at most {_SIZE_MAX} bytes",
        )
    return size


def format_size(size: int) -> str:
    """A number of bytes for people, to three digits: `999B`, `1.5MiB`, `120GiB`."""
    unit, value = 0, float(size)
    while value >= 1023.5 and unit < len(_SHOWN_UNITS) - 1:
        value /= 1024
        unit += 1
    digits = f"{value:.3g}" if value < 1000 else f"{value:.0f}"
    return f"{digits if unit else size}{_SHOWN_UNITS[unit]}"
