# SPDX-License-Identifier: Apache-2.0
"""Go on after a passing fault: the same call again, or the same bytes from where they stopped."""

import time
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from howdah.errors import Unavailable

__all__ = ["PAUSES", "resumed", "retried"]

A = TypeVar("A")

PAUSES: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 60.0, 120.0)
"""Seconds between attempts, some five minutes together: long enough for a server to be started again."""


def retried(call: Callable[[], A], note: Callable[[str], None], *, sleep: Callable[[float], None] = time.sleep) -> A:
    """The answer of a call that may be repeated; repeated while it raises `Unavailable`, after each of `PAUSES`.

    Raises:
        Unavailable: what the last attempt raised.
    """
    for pause in PAUSES:
        try:
            return call()
        except Unavailable as error:
            note(f"{error.message} (again in {pause:.0f}s)")
            sleep(pause)
    return call()


def resumed(
    read: Callable[[int], Iterator[A]],
    size: Callable[[A], int],
    note: Callable[[str], None],
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[A]:
    """The pieces that `read` gives from byte 0 on; where it raises `Unavailable`, `read` is asked for the rest.

    What came starts the pauses anew.

    Raises:
        Unavailable: as `retried`.
    """
    done, pauses = 0, iter(PAUSES)
    while True:
        try:
            for piece in read(done):
                yield piece
                done += size(piece)
                pauses = iter(PAUSES)
            return
        except Unavailable as error:
            pause = next(pauses, None)
            if pause is None:
                raise
            note(f"{error.message} (again from byte {done} in {pause:.0f}s)")
            sleep(pause)
