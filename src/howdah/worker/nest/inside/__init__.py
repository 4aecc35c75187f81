# SPDX-License-Identifier: Apache-2.0
"""The nest's own process: what runs around user code, and nothing else.

It is executed by a bare interpreter (`python -I -S`) that can import this folder and the standard
library only, so it starts in 15 ms and stays small. Its modules therefore import each other relatively, and
never the rest of howdah. `main` begins; `ground` knows how commands are contained; `keeper` runs them one by
one; `frames` is the talk with the worker, who holds the other end in `worker.nest.handle`.
"""

__all__: list[str] = []
