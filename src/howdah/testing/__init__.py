# SPDX-License-Identifier: Apache-2.0
"""What tests of howdah and of its extensions use: a clock moved by hand, contracts that implementations must pass.

Shipped with the package, so that a store made elsewhere is proved by the same suite. Only tests import it.
"""

__all__ = ["ExecutionContract", "ManualClock", "ObjectStoreContract"]

from howdah.testing.execution_contract import ExecutionContract
from howdah.testing.manual_clock import ManualClock
from howdah.testing.store_contract import ObjectStoreContract
