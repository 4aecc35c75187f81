# SPDX-License-Identifier: Apache-2.0
"""The pages of commands say what their help says."""

import importlib.util
from pathlib import Path

import pytest

from howdah.cli.exits import EXIT_CODES

DOCS = Path(__file__).resolve().parents[2] / "docs"


def generator():
    spec = importlib.util.spec_from_file_location("generate", DOCS / "commands" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("name", "text"), generator().pages().items())
def test_every_page_is_up_to_date(name, text):
    """Run docs/commands/generate.py after a change of a command."""
    assert text == (DOCS / "commands" / name).read_text()


@pytest.mark.parametrize("code", [0, 1, *EXIT_CODES.values(), 10, 130, 141])
def test_every_exit_code_is_explained(code):
    """docs/cli.md has a row for each."""
    assert f"\n| {code} | " in (DOCS / "cli.md").read_text()
