# SPDX-License-Identifier: Apache-2.0
"""The bench's own data: versions that are never written, and what is new in each."""

from bench.rows_edits import Edited
from bench.rows_versions import made


def test_insertions_come_where_they_are_put(tmp_path):
    """Also into what was inserted before, and at both ends."""
    (tmp_path / "big").write_bytes(b"0123456789")
    version = Edited(tmp_path / "big")

    for place, data in ((5, b"abc"), (6, b"-"), (0, b"<"), (15, b">")):
        version.insert(place, data)

    assert b"<01234a-bc56789>" == b"".join(version.pieces())
    assert 16 == version.size


def test_a_version_tells_its_new_bytes(tmp_path):
    """The first is all new; each other one rewrites a file and lets five grow."""
    sizes = list(made(tmp_path, 6, 2))

    assert [6 * 5_000_000, 5_000_000 + 5 * 65_536] == sizes
    assert 6 * 5_000_000 + 5 * 65_536 == sum(each.stat().st_size for each in tmp_path.iterdir())
