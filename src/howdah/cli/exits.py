# SPDX-License-Identifier: Apache-2.0
"""Exit codes: the one table of them. Scripts rely on these numbers; docs/cli.md explains them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from howdah.errors import (
    AlreadyExists,
    BadRequest,
    Conflict,
    Damaged,
    HowdahError,
    NotFound,
    Refused,
    Unavailable,
    Unsupported,
)

__all__ = ["BAD_END", "EXIT_CODES", "FAILURE", "INTERRUPTED", "OK", "PIPE_CLOSED", "USAGE", "exit_code"]

OK: Final = 0
FAILURE: Final = 1  # anything that is not listed below
USAGE: Final = 2
BAD_END: Final = 10  # what was waited for came, and is a failure
INTERRUPTED: Final = 130  # as shells have it for SIGINT
PIPE_CLOSED: Final = 141  # as shells have it for SIGPIPE

EXIT_CODES: Final[Mapping[type[HowdahError], int]] = MappingProxyType(
    {
        BadRequest: USAGE,
        NotFound: 3,
        AlreadyExists: 4,
        Conflict: 5,
        Refused: 6,
        Unavailable: 7,
        Unsupported: 8,
        Damaged: 9,
    }
)


def exit_code(error: HowdahError) -> int:
    """The code for an error of the tree."""
    return next((code for group, code in EXIT_CODES.items() if isinstance(error, group)), FAILURE)
