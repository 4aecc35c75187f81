# SPDX-License-Identifier: Apache-2.0
"""Each example does what its README shows, typed in from the first line to the last on a lake of its own."""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.docs.pages import NEEDS_ENGINE, run_page
from tests.house.house import ROOT
from tools import engines

# A hundred datums that import scikit-learn one by one take a minute; four images are made in a quarter of one.
LONG = {"hyperparameters", "four-images"}
EXAMPLES = [
    pytest.param(path, marks=[pytest.mark.full] if path.parent.name in LONG else [], id=path.parent.name)
    for path in sorted((ROOT / "examples").glob("*/README.md"))
]


# Programs that an example runs and a machine may lack.
NEEDED = {"four-languages": ("perl", "cc"), "four-images": ("perl", "cc")}

# These compile a program, or have images of their own.
OWN = {"four-images", "four-languages"}
IN_CONTAINERS = [("docker", each) for each in EXAMPLES if each.id not in OWN]
IN_CONTAINERS += [("podman", each) for each in EXAMPLES if each.id == "word-count"]


@pytest.fixture(autouse=True)
def with_this_python(monkeypatch):
    """User code finds the `python3` of this environment, as it does where the environment is active."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.slow
@pytest.mark.parametrize("readme", EXAMPLES)
def test_an_example_does_what_its_page_shows(readme, tmp_path, hosts):
    """`python -m tests.docs.pages examples/x/README.md` writes into the page what was really printed."""
    if missing := [program for program in NEEDED.get(readme.parent.name, ()) if not shutil.which(program)]:
        text = f"not on this machine: {', '.join(missing)}"
        pytest.fail(text) if os.environ.get("CI") else pytest.skip(text)

    engine = hosts("docker").address if NEEDS_ENGINE in readme.read_text() else ""

    wrong, _ = run_page(readme, tmp_path, engine=engine)

    assert [] == wrong


@pytest.fixture(scope="module")
def image(hosts, tmp_path_factory):
    """An image with a shell, Perl and Python, in each of the engines that are asked for."""
    root = tmp_path_factory.mktemp("image") / "root"
    programs = ["shell", "perl", "python:scikit-learn"]
    subprocess.run([sys.executable, ROOT / "examples/roots.py", root, *programs], check=True)

    @cache  # it has hundreds of megabytes
    def taken(engine):
        return engines.take(hosts(engine).address, "languages", root, ("ENV PATH=/usr/bin:/bin",))

    return taken


@pytest.mark.full
@pytest.mark.parametrize(
    ("engine", "readme"),
    [pytest.param(engine, *each.values, id=f"{each.id}-{engine}") for engine, each in IN_CONTAINERS],
)
def test_an_example_runs_in_containers_as_it_does_in_processes(readme, engine, tmp_path, hosts, image):
    """Its page, its specs and its code are the same; an image is all that the cluster's defaults add."""
    wrong, _ = run_page(readme, tmp_path, engine=hosts(engine).address, image=image(engine))

    assert [] == wrong
