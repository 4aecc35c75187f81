# SPDX-License-Identifier: Apache-2.0
"""Wrong calls, by command line, client and raw stubs: each gives one clear error, and changes nothing."""

import pytest

from tests.bad_input import rows_files, rows_history, rows_names, rows_pipelines, rows_states
from tests.bad_input.row import cases
from tests.bad_input.world import by_cli, by_client, by_grpc

ROWS = cases(
    rows_names.UNKNOWN, rows_names.BAD, rows_files.PATHS, rows_pipelines.SPECS, rows_states.STATES, rows_history.HISTORY
)


@pytest.mark.parametrize(("row", "face"), ROWS)
def test_a_wrong_call_gives_one_clear_error_and_changes_nothing(world, unchanged, capfd, row, face):
    """The error has its kind, names object and way out on one line; the server lives, the lake is as it was."""
    if face == "cli":
        said = by_cli(world, capfd, row.cli(world))
    elif face == "client":
        said = by_client(world, row.client)
    else:
        said = by_grpc(lambda: row.grpc(world))

    assert said.kind in (row.kind, None if face == "cli" else row.kind)
    assert row.group is said.group
    assert said.text.isprintable()
    assert [] == [part for part in row.texts if part not in said.text], said.text
