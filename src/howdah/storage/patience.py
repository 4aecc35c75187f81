# SPDX-License-Identifier: Apache-2.0
"""How often and how long a call to a store far away is repeated before it counts as failed.

Waits grow from try to try and are drawn at random, so that many callers that one fault hit do not come back
together. Which faults pass is the store's business (`storage.remote_store`).
"""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

__all__ = ["IMPATIENT", "PATIENT", "Patience"]


@dataclass(frozen=True, slots=True)
class Patience:
    """So many tries in all, within so many seconds; a try itself may take `call_seconds`, connecting another few."""

    tries: int = 9
    seconds: float = 180.0
    call_seconds: float = 60.0  # 16 MiB at 300 KB/s
    connect_seconds: float = 5.0
    first_wait: float = 0.1
    longest_wait: float = 10.0
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    uniform: Callable[[float, float], float] = random.uniform

    def retries(self) -> Iterator[int]:
        """Count the tries from 0 on, waiting before each but the first; ends when there shall be no other."""
        until = self.monotonic() + self.seconds
        yield 0
        for number in range(1, self.tries):
            longest = min(self.longest_wait, self.first_wait * 2 ** (number - 1))
            wait = self.uniform(longest / 2, longest)
            if self.monotonic() + wait > until:
                return
            self.sleep(wait)
            yield number


PATIENT: Final = Patience()
"""For real work: half a minute of refusals, or three minutes of silence."""

IMPATIENT: Final = Patience(tries=1, call_seconds=5.0, connect_seconds=1.0)
"""For finding out whether a store can be used from here, where there is another way if not."""
