# SPDX-License-Identifier: Apache-2.0
"""Random ids as a parameter.

Every id that others see (commit sets, jobs, transactions, leases) is the 32 hex digits of a version 4
UUID: clients of the protocol tell an id from a branch name by exactly that pattern.
"""

import re
import uuid
from collections.abc import Callable
from typing import Final

__all__ = ["UUID4_HEX", "NewId", "new_id"]

NewId = Callable[[], str]

UUID4_HEX: Final = re.compile(r"[0-9a-f]{12}4[0-9a-f]{19}")


def new_id() -> str:
    """A fresh UUIDv4 as 32 lower-case hex digits without dashes."""
    return uuid.uuid4().hex
