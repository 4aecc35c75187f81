# SPDX-License-Identifier: Apache-2.0
"""The repository speaks of the product alone: of no machine, no registry, nothing left for later."""

import re

import pytest

from tests.house.house import PACKAGE, python_files, repository_files, shown

# Put together from pieces, so that this file is not its own first finding.
MACHINE = re.compile(r"(?<![\w.>-])/(?:wo" + r"rk/|tmp/(?:brief|h\d|v)/|root/)")
REGISTRY = re.compile(r"(?:py" + r"pi\.org|python" + r"hosted\.org|--(?:extra-)?index" + r"-url\s+\S*:)")
LATER = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")


def findings(pattern, paths):
    """`file:line: text` for each line that matches; files that are not text say nothing."""
    for path in paths:
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if pattern.search(line):
                yield f"{shown(path)}:{number}: {line.strip()[:100]}"


@pytest.mark.parametrize("pattern", [MACHINE, REGISTRY], ids=["a machine's paths", "a registry's hosts"])
def test_no_file_speaks_of(pattern):
    """What holds on one machine only has no place in the repository."""
    assert [] == list(findings(pattern, repository_files()))


def test_no_module_puts_work_off():
    """A mark for later is either done, or said in the documentation."""
    assert [] == list(findings(LATER, python_files(of=PACKAGE)))


def test_a_finding_names_its_line():
    """The patterns do find what they are for, and leave the product's own paths alone."""
    bad = ["cd /wo" + "rk/main", "https://py" + "pi.org/simple", "/tmp/br" + "ief/x"]
    good = ["cat /pfs/in/a", "the network/root/leaf", "/tmp/upload"]

    assert all(MACHINE.search(line) or REGISTRY.search(line) for line in bad)
    assert not any(MACHINE.search(line) or REGISTRY.search(line) for line in good)
