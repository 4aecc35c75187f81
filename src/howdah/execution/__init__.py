# SPDX-License-Identifier: Apache-2.0
"""Where workers run. An execution is told "n workers" and knows nothing of jobs.

`pool` says what an execution is, `process` runs workers as processes of this machine, `threads` within this process.
"""

from howdah.execution.pool import Execution
from howdah.execution.process import ProcessPool
from howdah.execution.threads import ThreadPool

__all__ = ["Execution", "ProcessPool", "ThreadPool"]
