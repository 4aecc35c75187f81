# SPDX-License-Identifier: Apache-2.0
"""Frozen values that every layer shares: names, references, paths, patterns, states, pipeline specs.

Nothing here does I/O, knows a database, a protocol or a table library. A value is checked when it is
parsed; whoever holds one need not check it again. `docs/glossary.md` says what each word means.
"""

__all__ = ["files", "globs", "names", "operations", "paths", "refs", "schedules", "spec", "states", "texts", "units"]
