# SPDX-License-Identifier: Apache-2.0
"""The steps from an empty database to the present schema; `howdah.db.migrate` runs them."""

__all__: list[str] = []
