# SPDX-License-Identifier: Apache-2.0
"""The page on performance says what was measured, and what was missed."""

from bench.figures import Figure, Result
from bench.report import page


def result(name, *figures, error=""):
    return Result(name, f"work of {name}", "", list(figures), 1.0, "", 0.0, error).as_json()


def test_the_page_shows_every_row_and_names_what_was_missed():
    """A row that was missed or that crashed is named below the table; one that was met is not."""
    rows = [
        result("good", Figure.of([1.0, 1.2, 1.1], "times", at_most=1.5)),
        result("bad", Figure("put", 100.0, "MB/s", at_least=200)),
        result("broken", error="no | disk"),
    ]

    text = page({"machine": {"cores": "2"}, "rows": rows})

    assert "| cores | 2 |" in text
    assert "| work of good |  | 1.10 times (1.00 to 1.20) | at most 1.5 times | met |" in text
    assert "| work of bad |  | put: 100 MB/s | at least 200 MB/s | **missed** |" in text
    assert "crashed: no \\| disk" in text
    assert "All of it took 3 s. Missed: work of bad; work of broken." in text
