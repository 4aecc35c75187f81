# SPDX-License-Identifier: Apache-2.0
"""The measurements: what howdah takes beside `cp`, and what it must not exceed. `python -m bench --help`."""
