# SPDX-License-Identifier: Apache-2.0
"""Warnings of a server: they come behind the answer of a call, in metadata, for which the protocol has no place."""

from collections.abc import Callable, Iterable
from typing import Any, Final

__all__ = ["Warn", "teller"]

_KEY: Final = "howdah-warning-bin"

Warn = Callable[[str], object]


def teller(warn: Warn | None) -> Callable[[Iterable[tuple[str, Any]]], None]:
    """What reads the metadata at the end of a call, and tells `warn` of each warning in it."""

    def told(metadata: Iterable[tuple[str, Any]]) -> None:
        for key, value in metadata:
            if key == _KEY and warn is not None:
                warn(value.decode())

    return told
