# SPDX-License-Identifier: Apache-2.0
"""Tools without any domain: time, ids, failpoints. Anything may import them; they import nothing of howdah."""

__all__ = ["clock", "fail", "ids"]

from howdah.kit import clock, fail, ids
