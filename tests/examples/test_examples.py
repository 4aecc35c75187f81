# SPDX-License-Identifier: Apache-2.0
"""Each example does what its README shows, typed in from the first line to the last on a lake of its own."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.docs.pages import run_page
from tests.house.house import ROOT

# Its hundred datums import scikit-learn one by one: a minute.
LONG = {"hyperparameters"}
EXAMPLES = [
    pytest.param(path, marks=[pytest.mark.full] if path.parent.name in LONG else [], id=path.parent.name)
    for path in sorted((ROOT / "examples").glob("*/README.md"))
]


# Programs that an example runs and a machine may lack.
NEEDED = {"four-languages": ("perl", "cc")}


@pytest.fixture(autouse=True)
def with_this_python(monkeypatch):
    """User code finds the `python3` of this environment, as it does where the environment is active."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.slow
@pytest.mark.parametrize("readme", EXAMPLES)
def test_an_example_does_what_its_page_shows(readme, tmp_path):
    """`python -m tests.docs.pages examples/x/README.md` writes into the page what was really printed."""
    if missing := [program for program in NEEDED.get(readme.parent.name, ()) if not shutil.which(program)]:
        text = f"not on this machine: {', '.join(missing)}"
        pytest.fail(text) if os.environ.get("CI") else pytest.skip(text)

    wrong, _ = run_page(readme, tmp_path)

    assert [] == wrong
