# SPDX-License-Identifier: Apache-2.0
"""Opening a lake's folder for a server."""

import os

from howdah.server.app import opened


def test_opening_a_lake_takes_away_what_died_half_written(tmp_path):
    """Files in tmp/ that are older than a day go; those of writers that may live stay."""
    with opened(tmp_path):
        pass
    for name, age in (("old", 100_000), ("new", 0)):
        path = tmp_path / "lake" / "tmp" / name
        path.write_bytes(b"half")
        os.utime(path, (path.stat().st_mtime - age,) * 2)

    with opened(tmp_path):
        pass

    assert ["new"] == os.listdir(tmp_path / "lake" / "tmp")
