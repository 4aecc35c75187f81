# SPDX-License-Identifier: Apache-2.0
"""Which columns of the database name filesets: garbage collection believes this alone."""

from howdah.upkeep.roots import binary_columns


def test_every_binary_column_is_known():
    """A new one is a root of a fileset unless it is said to be none. Whoever adds one thinks about it here."""
    expected = {
        ("cache_entry", "value"): False,
        ("commit_", "root"): True,
        ("commit_", "partial_root"): True,
        ("commit_change", "body"): False,
        ("commit_touched", "paths"): False,
        ("file_set", "root"): True,
        ("file_set", "body"): False,
        ("transaction_request", "body"): False,
        ("pipeline", "done_root"): True,
        ("job", "plan_root"): True,
        ("job", "results_root"): True,
        ("job", "base_done"): True,
        ("datum_result", "body"): False,
        ("log_chunk", "body_object"): False,
        ("log_part", "datums"): False,
        ("log_segment", "object"): False,
        ("log_chunk", "body"): False,
        ("secret", "sealed"): False,
    }

    assert expected == binary_columns()
