# SPDX-License-Identifier: Apache-2.0
"""Every file says under which terms it comes, every module what it is for."""

import ast

from tests.house.house import PACKAGE, python_files, repository_files, shown

LICENCE = "SPDX-License-Identifier: Apache-2.0"
SOURCES = {".py", ".pyi", ".proto", ".sh"}
SOURCE_NAMES = {"Makefile", "pyproject.toml"}


def test_every_source_file_names_its_licence_first():
    """One SPDX line, on the first line or right below a `#!`."""
    sources = [path for path in repository_files() if path.suffix in SOURCES or path.name in SOURCE_NAMES]

    without = [shown(path) for path in sources if LICENCE not in "".join(path.read_text().splitlines()[:2])]

    assert [] == sorted(without)


def test_every_module_says_what_it_is_for():
    """A module of howdah opens with a docstring."""
    without = [
        shown(path) for path in python_files(of=PACKAGE) if ast.get_docstring(ast.parse(path.read_text())) is None
    ]

    assert [] == without
