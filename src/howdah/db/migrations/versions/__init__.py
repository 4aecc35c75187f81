# SPDX-License-Identifier: Apache-2.0
"""One file for each step, numbered; loaded by Alembic, imported by nobody."""

__all__: list[str] = []
