# SPDX-License-Identifier: Apache-2.0
"""How long to wait before the next try of something that failed."""

from collections.abc import Iterator
from itertools import repeat

__all__ = ["delays"]


def delays(first: float, longest: float, *, factor: float = 2.0) -> Iterator[float]:
    """Seconds before the second try, the third, and so on without end, growing up to `longest`."""
    while first < longest:
        yield first
        first *= factor
    yield from repeat(longest)
